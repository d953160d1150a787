import { describe, expect, it } from 'vitest';
import { exampleGrant } from '../../test/fixtures/example-grant.ts';
import { decideResponsesBody } from './openai-body.ts';

const base = {
  model: 'gpt-6.1-sol',
  stream: true,
  store: false,
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
};
const text = JSON.stringify(base);
const decide = (body: unknown) =>
  decideResponsesBody(
    body instanceof Uint8Array
      ? body
      : new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
    exampleGrant,
  );
const sent = (body: unknown) => {
  const verdict = decide(body);
  return verdict.kind === 'allow' ? new TextDecoder().decode(verdict.body) : verdict.rule;
};
const withTool = (tool: unknown) => ({ ...base, tools: [tool] });
const withItem = (item: unknown) => ({ ...base, input: [...base.input, item] });
const withPart = (part: unknown) => withItem({ type: 'message', role: 'user', content: [part] });
const withOutput = (part: unknown) =>
  withItem({ type: 'function_call_output', call_id: 'c', output: [part] });
const withSchema = (schema: unknown) => withTool({ type: 'function', name: 'f', parameters: schema });
const image = (url: unknown) => ({ type: 'input_image', image_url: url });

it('names every hosted tool of a request, so that each attempt is in the receipt', () => {
  const reasonOf = (...types: readonly string[]) => {
    const verdict = decide({ ...base, tools: types.map((type) => ({ type })) });
    return verdict.kind === 'deny' ? verdict.reason : 'allowed';
  };
  expect(reasonOf('web_search')).toBe('the tool "web_search" runs outside the sandbox and is refused');
  expect(reasonOf('local_shell', 'web_search', 'mcp', 'mcp')).toBe(
    'the tools "web_search", "mcp" run outside the sandbox and are refused',
  );
  expect(reasonOf('a', 'b', 'c', 'd', 'e', 'f', 'g')).toBe(
    'the tools "a", "b", "c", "d", "e" and 2 more run outside the sandbox and are refused',
  );
});

describe('a Responses body', () => {
  it.each([
    ['a plain request', base],
    [
      'function and custom tools',
      {
        ...base,
        tools: [
          { type: 'function', name: 'exec_command', parameters: {} },
          {
            type: 'custom',
            name: 'apply_patch',
            format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
          },
        ],
      },
    ],
    [
      'a namespace of client tools',
      withTool({ type: 'namespace', name: 'functions', tools: [{ type: 'function', name: 'x' }] }),
    ],
    ['client-side tool search', withTool({ type: 'tool_search', execution: 'client' })],
    ['the shell that Codex runs', withTool({ type: 'local_shell' })],
    [
      'tools of newer models in the input',
      withItem({
        type: 'additional_tools',
        role: 'developer',
        tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'custom', name: 'exec' }] }],
      }),
    ],
    ['a PNG in a message', withPart(image('data:image/png;base64,iVBORw0KGgo='))],
    [
      'an image as Codex sends what is attached to a prompt',
      withItem({
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: '<image name=[Image #1] path="/run/airlock/attachments/1.png">' },
          {
            ...image(`data:image/png;base64,${'iVBORw0KGgo'.padEnd(8 * 1024 * 1024, 'A')}`),
            detail: 'original',
          },
          { type: 'input_text', text: '</image>' },
        ],
      }),
    ],
    ['a JPEG from a tool', withOutput({ ...image('data:image/jpeg;base64,/9j/'), detail: 'original' })],
    [
      'a tool whose parameter happens to be called file_id',
      withSchema({ properties: { file_id: {}, image_url: { type: 'string' }, $ref: { type: 'string' } } }),
    ],
    [
      'a schema that points into itself',
      withSchema({ $defs: { a: {} }, properties: { a: { $ref: '#/$defs/a' } } }),
    ],
    [
      'an address in plain text',
      withPart({ type: 'input_text', text: 'see https://evil.example/x and {"file_id":"f"}' }),
    ],
    [
      'an address in a tool’s arguments',
      withItem({
        type: 'function_call',
        call_id: 'c',
        name: 'exec_command',
        arguments: '{"cmd":"curl https://evil.example","image_url":"http://x"}',
      }),
    ],
    ['encrypted reasoning back', { ...base, include: ['reasoning.encrypted_content'] }],
    ['a message whose content is text', withItem({ type: 'message', role: 'user', content: 'hi' })],
    ['a compaction', withItem({ type: 'compaction', encrypted_content: 'c2VhbGVk' })],
  ])('may be %s', (_, body) => {
    expect(sent(body)).toBe(JSON.stringify(body));
  });

  it('is sent as it was decided, whatever its spelling', () => {
    const odd = text
      .replace('"store":false', ' "st\\u006fre" :\n false ')
      .replace('"hi"', '"\\u0068\\/i\\u00e9"')
      .replace('"stream":true', '"stream":\ttrue');
    expect(sent(odd)).toBe(
      JSON.stringify({
        ...base,
        input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'h/ié' }] }],
      }),
    );
  });

  it('gives a reason that carries little of the request, and only text that can be shown', () => {
    const verdict = decide(withItem({ type: `evil${'x'.repeat(10_000)}\ud83d\n` }));
    expect(verdict).toMatchObject({ rule: 'openai.text' });
    const long = decide(withItem({ type: `evil\n${'x'.repeat(10_000)}` }));
    expect(long.kind === 'deny' && long.reason.length).toBeLessThan(200);
    expect(long.kind === 'deny' && long.reason).not.toContain('\n');
  });
});
