import { describe, expect, it } from 'vitest';
import type { Grant } from '../core/grant.ts';
import { decideResponsesBody } from './openai-body.ts';

const grant: Grant = {
  taskId: 'gh-1-c2',
  phase: 'run',
  repositories: [],
  models: ['gpt-6.1-sol'],
  canaryNonce: 'n',
  budgets: { requests: 1, tokens: 1 },
  used: { requests: 0, tokens: 0 },
};
const base = {
  model: 'gpt-6.1-sol',
  stream: true,
  store: false,
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
};
const rule = (body: unknown) => {
  const verdict = decideResponsesBody(typeof body === 'string' ? body : JSON.stringify(body), grant);
  return verdict.kind === 'deny' ? verdict.rule : 'allow';
};
const withTool = (tool: unknown) => ({ ...base, tools: [tool] });
const withItem = (item: unknown) => ({ ...base, input: [...base.input, item] });

describe('a Responses body', () => {
  it.each([
    ['a plain request', base],
    [
      'function and custom tools',
      {
        ...base,
        tools: [
          { type: 'function', name: 'exec_command', parameters: {} },
          { type: 'custom', name: 'apply_patch' },
        ],
      },
    ],
    [
      'a namespace of client tools',
      withTool({ type: 'namespace', name: 'functions', tools: [{ type: 'function', name: 'x' }] }),
    ],
    ['client-side tool search', withTool({ type: 'tool_search', execution: 'client' })],
    [
      'tools of newer models in the input',
      withItem({
        type: 'additional_tools',
        tools: [{ type: 'namespace', tools: [{ type: 'custom', name: 'exec' }] }],
      }),
    ],
    [
      'a data: image',
      withItem({
        type: 'message',
        role: 'user',
        content: [{ type: 'input_image', image_url: 'data:image/png;base64,AA==' }],
      }),
    ],
    [
      'a tool whose parameter happens to be called file_id',
      withTool({ type: 'function', name: 'x', parameters: { properties: { file_id: {} } } }),
    ],
    ['encrypted reasoning back', { ...base, include: ['reasoning.encrypted_content'] }],
    ['a message without a type', { ...base, input: [{ role: 'user', content: 'hi' }] }],
  ])('may be %s', (_, body) => {
    expect(rule(body)).toBe('allow');
  });

  it.each([
    ['another model', { ...base, model: 'gpt-5-pro' }, 'openai.model'],
    ['stored on OpenAI’s side', { ...base, store: true }, 'openai.field'],
    ['without store', { model: base.model, stream: true, input: [] }, 'openai.field'],
    ['in the background', { ...base, background: true }, 'openai.field'],
    ['a continuation of hosted state', { ...base, previous_response_id: 'resp_1' }, 'openai.field'],
    ['in a hosted conversation', { ...base, conversation: 'conv_1' }, 'openai.field'],
    ['a stored prompt', { ...base, prompt: { id: 'pmpt_1' } }, 'openai.field'],
    ['with an unknown field', { ...base, webhook_url: 'https://evil.example' }, 'openai.field'],
    ['with more in include', { ...base, include: ['file_search_call.results'] }, 'openai.field'],
    ['web search', withTool({ type: 'web_search' }), 'openai.tool'],
    ['a preview of web search', withTool({ type: 'web_search_preview_2025_03_11' }), 'openai.tool'],
    ['a remote MCP server', withTool({ type: 'mcp', server_url: 'https://evil.example' }), 'openai.tool'],
    [
      'the code interpreter',
      withTool({ type: 'code_interpreter', container: { type: 'auto' } }),
      'openai.tool',
    ],
    ['a hosted shell', withTool({ type: 'shell' }), 'openai.tool'],
    ['hosted tool search', withTool({ type: 'tool_search', execution: 'server' }), 'openai.tool'],
    [
      'a hosted tool in a namespace',
      withTool({ type: 'namespace', tools: [{ type: 'function', name: 'a' }, { type: 'mcp' }] }),
      'openai.tool',
    ],
    ['a namespace of nothing', withTool({ type: 'namespace' }), 'openai.tool'],
    ['a tool without a type', withTool({ name: 'x' }), 'openai.tool'],
    [
      'a hosted tool in additional_tools',
      withItem({ type: 'additional_tools', tools: [{ type: 'namespace', tools: [{ type: 'web_search' }] }] }),
      'openai.tool',
    ],
    [
      'a hosted tool in a tool search’s output',
      withItem({ type: 'tool_search_output', tools: [{ type: 'mcp', server_url: 'x' }] }),
      'openai.tool',
    ],
    ['an item reference', withItem({ type: 'item_reference', id: 'x' }), 'openai.input'],
    ['a hosted call replayed', withItem({ type: 'mcp_call', id: 'x' }), 'openai.input'],
    [
      'a remote image',
      withItem({
        type: 'message',
        content: [{ type: 'input_image', image_url: 'https://evil.example/?leak' }],
      }),
      'openai.remote',
    ],
    [
      'a remote image as an object',
      withItem({ type: 'message', content: [{ image_url: { url: 'https://evil.example' } }] }),
      'openai.remote',
    ],
    [
      'a remote image in a tool’s output',
      withItem({ type: 'function_call_output', output: [{ image_url: 'http://evil.example' }] }),
      'openai.remote',
    ],
    [
      'a file URL',
      withItem({ type: 'message', content: [{ type: 'input_file', file_url: 'https://evil.example' }] }),
      'openai.remote',
    ],
    [
      'a file id',
      withItem({ type: 'message', content: [{ type: 'input_file', file_id: 'file-1' }] }),
      'openai.remote',
    ],
    ['not JSON', '{', 'openai.json'],
    ['no object', '[]', 'openai.field'],
  ])('may not be %s', (_, body, expected) => {
    expect(rule(body)).toBe(expected);
  });

  it('may not be nested beyond what is inspected', () => {
    let nested: unknown = 'x';
    for (let depth = 0; depth < 100; depth += 1) nested = [nested];
    expect(rule(withItem({ type: 'message', content: nested }))).toBe('openai.depth');
  });

  it('is sent as it was decided: of a key that stands twice only the decided value remains', () => {
    const text = JSON.stringify(base).replace('"store":false', '"store":true,"st\\u006fre":false');
    const verdict = decideResponsesBody(text, grant);
    expect(verdict).toMatchObject({ kind: 'allow', body: JSON.stringify(base) });
    expect(rule(JSON.stringify(base).replace('"store":false', '"store":false,"store":true'))).toBe(
      'openai.field',
    );
  });
});
