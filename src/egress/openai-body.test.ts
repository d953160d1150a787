import { describe, expect, it } from 'vitest';
import { exampleGrant } from '../../test/fixtures/example-grant.ts';
import { egressLimits } from './limits.ts';
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
const rule = (body: unknown) => {
  const verdict = decide(body);
  return verdict.kind === 'deny' ? verdict.rule : 'allow';
};
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
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

/** Every place where tools can stand. */
const toolPlaces: readonly [string, (tool: unknown) => unknown][] = [
  ['at top level', withTool],
  [
    'in a namespace',
    (tool) => withTool({ type: 'namespace', name: 'n', tools: [{ type: 'custom', name: 'x' }, tool] }),
  ],
  ['in additional_tools', (tool) => withItem({ type: 'additional_tools', role: 'developer', tools: [tool] })],
  [
    'in a namespace of additional_tools',
    (tool) =>
      withItem({
        type: 'additional_tools',
        role: 'developer',
        tools: [{ type: 'namespace', name: 'n', tools: [tool] }],
      }),
  ],
  [
    'in what a tool search found',
    (tool) =>
      withItem({ type: 'tool_search_output', status: 'completed', execution: 'client', tools: [tool] }),
  ],
];
/** From openai-node 7.5.0's `Tool`, and a few that were or may be. */
const hostedTools: readonly { type: string; [key: string]: unknown }[] = [
  { type: 'web_search' },
  { type: 'web_search_2025_08_26' },
  { type: 'web_search_preview' },
  { type: 'web_search_preview_2025_03_11' },
  { type: 'mcp', server_label: 's', server_url: 'https://evil.example' },
  { type: 'mcp', server_label: 's', connector_id: 'connector_dropbox' },
  { type: 'code_interpreter', container: { type: 'auto' } },
  { type: 'file_search', vector_store_ids: ['vs_1'] },
  { type: 'image_generation' },
  { type: 'computer' },
  { type: 'computer_use_preview', environment: 'browser' },
  { type: 'shell', environment: { type: 'container_auto' } },
  { type: 'shell' },
  { type: 'apply_patch' },
  { type: 'programmatic_tool_calling' },
  { type: 'tool_search', execution: 'server' },
  { type: 'tool_search' },
  { type: 'Function', name: 'f' },
  { type: 'function ', name: 'f' },
  { type: 'constructor' },
  { type: '__proto__' },
  { type: '' },
];

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
    ['a PNG in a message', withPart(image('data:image/png;base64,AA=='))],
    [
      'a JPEG in a tool’s output',
      withOutput({ ...image('data:image/jpeg;base64,/9j/'), detail: 'original' }),
    ],
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

  it.each([
    ['another model', { ...base, model: 'gpt-5-pro' }, 'openai.model'],
    ['a model by another spelling', { ...base, model: 'GPT-6.1-SOL' }, 'openai.model'],
    ['no model', { ...base, model: null }, 'openai.field'],
    ['stored on OpenAI’s side', { ...base, store: true }, 'openai.field'],
    ['stored by default', { model: base.model, stream: true, input: [] }, 'openai.field'],
    ['stored by a null', { ...base, store: null }, 'openai.field'],
    ['answered in one piece', { ...base, stream: false }, 'openai.field'],
    ['in the background', { ...base, background: true }, 'openai.field'],
    ['in the foreground, said so', { ...base, background: false }, 'openai.field'],
    ['a continuation of hosted state', { ...base, previous_response_id: 'resp_1' }, 'openai.field'],
    ['in a hosted conversation', { ...base, conversation: 'conv_1' }, 'openai.field'],
    ['a stored prompt', { ...base, prompt: { id: 'pmpt_1' } }, 'openai.field'],
    ['with an unknown field', { ...base, webhook_url: 'https://evil.example' }, 'openai.field'],
    ['with more in include', { ...base, include: ['file_search_call.results'] }, 'openai.field'],
    ['kept in a longer cache', { ...base, prompt_cache_retention: '24h' }, 'openai.field'],
    ['at a higher price', { ...base, service_tier: 'priority' }, 'openai.field'],
    ['with metadata that is kept', { ...base, metadata: { a: 'b' } }, 'openai.field'],
    [
      'with client metadata that is more than text',
      { ...base, client_metadata: { a: { file_id: 'x' } } },
      'openai.field',
    ],
    ['with hosted compaction', { ...base, context_management: [{ type: 'compaction' }] }, 'openai.field'],
    ['told to use a hosted tool', { ...base, tool_choice: { type: 'web_search' } }, 'openai.field'],
    ['with input as text', { ...base, input: 'hi' }, 'openai.field'],
    ['no object', [], 'openai.field'],
    ['null', 'null', 'openai.field'],
    ['an item reference', withItem({ type: 'item_reference', id: 'x' }), 'openai.input'],
    ['an item reference without a type', withItem({ id: 'msg_1' }), 'openai.input'],
    ['an item reference with a null for a type', withItem({ type: null, id: 'msg_1' }), 'openai.input'],
    ['a message without a type', withItem({ role: 'user', content: 'hi' }), 'openai.input'],
    ['a hosted call replayed', withItem({ type: 'mcp_call', id: 'x' }), 'openai.input'],
    [
      'an approval of a hosted call',
      withItem({ type: 'mcp_approval_response', approve: true }),
      'openai.input',
    ],
    ['a past web search', withItem({ type: 'web_search_call', id: 'ws_1' }), 'openai.input'],
    ['a past picture', withItem({ type: 'image_generation_call', id: 'ig_1', result: '' }), 'openai.input'],
    [
      'a screenshot',
      withItem({ type: 'computer_call_output', output: image('https://evil.example') }),
      'openai.input',
    ],
    ['an item called like a method', withItem({ type: 'toString' }), 'openai.input'],
    ['an item that is text', withItem('hi'), 'openai.input'],
    ['an item that is a list', withItem([base.input[0]]), 'openai.input'],
    [
      'tools in a message',
      withItem({ ...base.input[0], tools: [{ type: 'function', name: 'x' }] }),
      'openai.item',
    ],
    ['a part of an unknown kind', withPart({ type: 'input_video', data: '' }), 'openai.item'],
    [
      'a citation',
      withItem({
        type: 'message',
        role: 'assistant',
        content: [
          {
            type: 'output_text',
            text: '',
            annotations: [{ type: 'url_citation', url: 'https://evil.example' }],
          },
        ],
      }),
      'openai.item',
    ],
    [
      'a tool search with more than words',
      withItem({ type: 'tool_search_call', execution: 'client', arguments: { query: { a: 1 } } }),
      'openai.item',
    ],
    [
      'a hosted tool search',
      withItem({ type: 'tool_search_output', status: 'completed', execution: 'server', tools: [] }),
      'openai.item',
    ],
    ['a tool without a type', withTool({ name: 'x' }), 'openai.tool'],
    ['a tool that is text', withTool('web_search'), 'openai.tool'],
    ['a namespace of nothing', withTool({ type: 'namespace', name: 'n' }), 'openai.tool'],
    [
      'a namespace in a namespace',
      withTool({ type: 'namespace', name: 'n', tools: [{ type: 'namespace', name: 'm', tools: [] }] }),
      'openai.tool',
    ],
    [
      'a function with more than a function has',
      withTool({ type: 'function', name: 'f', server_url: 'https://evil.example' }),
      'openai.tool',
    ],
    [
      'a function called from OpenAI’s side',
      withTool({ type: 'function', name: 'f', allowed_callers: ['programmatic'] }),
      'openai.tool',
    ],
    ['a schema from elsewhere', withSchema({ $ref: 'https://evil.example/schema.json' }), 'openai.remote'],
    [
      'a schema from elsewhere, deep inside',
      withSchema({ properties: { a: { items: [{ $dynamicRef: '//evil.example' }] } } }),
      'openai.remote',
    ],
    ['a schema that says where it is from', withSchema({ $id: 'https://evil.example/' }), 'openai.remote'],
    [
      'an output format from elsewhere',
      {
        ...base,
        text: { format: { type: 'json_schema', name: 'n', schema: { $ref: 'http://evil.example' } } },
      },
      'openai.remote',
    ],
    ['an unknown output format', { ...base, text: { format: { type: 'json_object' } } }, 'openai.field'],
  ])('may not be %s', (_, body, expected) => {
    expect(rule(body)).toBe(expected);
  });

  describe.each(toolPlaces)('with tools %s', (_, place) => {
    it('may offer a function', () => {
      expect(rule(place({ type: 'function', name: 'f' }))).toBe('allow');
    });
    it.each(hostedTools)('may not offer %j', (tool) => {
      expect(rule(place(tool))).toBe('openai.tool');
    });
  });

  it.each([
    ...[
      'https://evil.example/?leak',
      'http://evil.example',
      '//evil.example',
      'ftp://evil.example',
      'file:///etc/passwd',
      'HTTPS://EVIL.EXAMPLE',
      ' https://evil.example',
      'data:text/html;base64,AA==',
      'data:image/svg+xml;base64,AA==',
      'data:image/png,raw',
      'data:image/png;base64,https://evil.example',
      'data:image/png;base64,AA==\nhttps://evil.example',
      'DATA:image/png;base64,AA==',
      'data:,',
      '',
    ].map((url): [string, unknown] => [url, image(url)]),
    ['an object with an address', image({ url: 'https://evil.example' })],
    ['an object with a data: URL', image({ url: 'data:image/png;base64,AA==' })],
    ['null', image(null)],
    ['a file', { type: 'input_image', file_id: 'file-1' }],
    ['an address of a file', { type: 'input_file', file_url: 'https://evil.example' }],
    ['an id of a file', { type: 'input_file', file_id: 'file-1' }],
    ['an address of a sound', { type: 'input_audio', audio_url: 'https://evil.example' }],
    ['an address beside a text', { type: 'input_text', text: 'x', file_url: 'https://evil.example' }],
    [
      'an address deep inside',
      { type: 'input_text', text: 'x', more: [{ a: { server_url: 'https://evil.example' } }] },
    ],
  ])('takes no picture or file but one in itself: %s', (_, part) => {
    expect([rule(withPart(part)), rule(withOutput(part))]).toEqual(['openai.remote', 'openai.remote']);
  });

  it.each([
    [
      'a key that stands twice',
      text.replace('"store":false', '"store":true,"store":false'),
      'openai.duplicate-key',
    ],
    [
      'the same the other way',
      text.replace('"store":false', '"store":false,"store":true'),
      'openai.duplicate-key',
    ],
    [
      'a key that stands twice by an escape',
      text.replace('"store":false', '"store":false,"st\\u006fre":true'),
      'openai.duplicate-key',
    ],
    [
      'a key that stands twice with spaces',
      text.replace('"store":false', '"store":false,"store" \n\t\r:true'),
      'openai.duplicate-key',
    ],
    [
      'a key that stands twice deep inside',
      text.replace('"text":"hi"', '"text":"hi","type":"input_file"'),
      'openai.duplicate-key',
    ],
    [
      'a key for the prototype',
      text.replace('"store":false', '"store":false,"__proto__":{"store":true}'),
      'openai.duplicate-key',
    ],
    [
      'the same by an escape',
      text.replace('"store":false', '"store":false,"\\u005f_proto__":{}'),
      'openai.duplicate-key',
    ],
    [
      'a key for the constructor',
      text.replace('"store":false', '"store":false,"constructor":{}'),
      'openai.field',
    ],
    ['an infinite number', text.replace('"text":"hi"', '"text":1e999'), 'openai.number'],
    ['half of a surrogate pair', text.replace('"hi"', '"\\ud83d"'), 'openai.text'],
    ['half of a surrogate pair in a key', text.replace('"text":', '"t\\udc00ext":'), 'openai.text'],
    ['a byte order mark', `\uFEFF${text}`, 'openai.utf8'],
    ['bytes that are no UTF-8', new Uint8Array([...new TextEncoder().encode(text), 0xff]), 'openai.utf8'],
    ['UTF-16', new TextEncoder().encode(text.replaceAll(/./g, '$&\0')), 'openai.json'],
    ['an overlong encoding', new Uint8Array([0x7b, 0xc0, 0xa2]), 'openai.utf8'],
    ['gzip', new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), 'openai.utf8'],
    ['nothing', '', 'openai.json'],
    ['half of it', text.slice(0, -2), 'openai.json'],
    ['an open string', '{"model":"', 'openai.json'],
    ['more than one value', `${text}${text}`, 'openai.json'],
    ['a comment', text.replace('{', '{/*x*/'), 'openai.json'],
    ['a comma at the end', text.replace(/\}$/, ',}'), 'openai.json'],
    ['a raw line feed in a string', text.replace('hi', 'h\ni'), 'openai.json'],
    ['NaN', text.replace('"hi"', 'NaN'), 'openai.json'],
    [
      'nesting beyond what is looked at',
      text.replace('"hi"', nested(egressLimits.jsonDepth)),
      'openai.depth',
    ],
    ['a million brackets', '['.repeat(1_000_000), 'openai.depth'],
    ['a million values', `{"input":[${'1,'.repeat(1_000_000)}1]}`, 'openai.values'],
  ])('may not be written with %s', (_, body, expected) => {
    expect(rule(body)).toBe(expected);
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

  it('says what is wrong in words that carry little of the request, and no more of it than can be shown', () => {
    const verdict = decide(withItem({ type: `evil${'x'.repeat(10_000)}\ud83d\n` }));
    expect(verdict).toMatchObject({ rule: 'openai.text' });
    const long = decide(withItem({ type: `evil\n${'x'.repeat(10_000)}` }));
    expect(long.kind === 'deny' && long.reason.length).toBeLessThan(200);
    expect(long.kind === 'deny' && long.reason).not.toContain('\n');
  });
});
