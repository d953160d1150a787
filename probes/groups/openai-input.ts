/** Items in a request's input that make OpenAI fetch an address, look up a file or state of its own, or take up a tool, however deep. */
import type { Group, Place, Probe } from '../probe.ts';
import { sendBody, validBody } from './openai-bodies.ts';

const tool = ['400 openai.tool', '400 openai.item'] as const;
const remote = ['400 openai.remote', '400 openai.item', '400 openai.field'] as const;
const item = ['400 openai.input', '400 openai.item', '400 openai.field'] as const;
const url = 'https://attacker.example/pixel.png';
const data = 'data:image/png;base64,iVBORw0KGgo=';

const message = (...content: readonly object[]) => ({ type: 'message', role: 'user', content });
const output = (...content: readonly object[]) => ({
  type: 'function_call_output',
  call_id: 'call_1',
  output: content,
});

/** Input items that make the service fetch or look up something. */
const inputs: readonly (readonly [id: string, attack: string, item: object, expected: readonly string[]])[] =
  [
    [
      'image-url',
      'an image by address',
      message({ type: 'input_image', image_url: url, detail: 'auto' }),
      remote,
    ],
    [
      'image-url-http',
      'without TLS',
      message({ type: 'input_image', image_url: 'http://attacker.example/', detail: 'auto' }),
      remote,
    ],
    [
      'image-url-capitals',
      'in capitals',
      message({ type: 'input_image', image_url: 'HTTPS://ATTACKER.EXAMPLE/', detail: 'auto' }),
      remote,
    ],
    [
      'image-url-space',
      'after a space',
      message({ type: 'input_image', image_url: ` ${url}`, detail: 'auto' }),
      remote,
    ],
    [
      'image-url-object',
      'as an object',
      message({ type: 'input_image', image_url: { url }, detail: 'auto' }),
      remote,
    ],
    [
      'image-url-list',
      'in a list',
      message({ type: 'input_image', image_url: [url], detail: 'auto' }),
      remote,
    ],
    [
      'image-url-second',
      'behind an image that is whole',
      message(
        { type: 'input_image', image_url: data, detail: 'auto' },
        { type: 'input_image', image_url: url, detail: 'auto' },
      ),
      remote,
    ],
    [
      'image-file',
      'an image by file id',
      message({ type: 'input_image', file_id: 'file-attacker', detail: 'auto' }),
      remote,
    ],
    [
      'file-url',
      'a file by address',
      message({ type: 'input_file', file_url: 'https://attacker.example/loot.pdf' }),
      remote,
    ],
    ['file-id', 'a file by id', message({ type: 'input_file', file_id: 'file-attacker' }), remote],
    [
      'in-output',
      'an image by address in a tool’s output',
      output({ type: 'input_image', image_url: url }),
      remote,
    ],
    [
      'file-in-output',
      'a file by address in a tool’s output',
      output({ type: 'input_file', file_url: url }),
      remote,
    ],
    [
      'in-custom-output',
      'the same in a custom tool’s output',
      {
        type: 'custom_tool_call_output',
        call_id: 'call_1',
        output: [{ type: 'input_image', image_url: url }],
      },
      remote,
    ],
    [
      'in-assistant',
      'in a message that the assistant is said to have written',
      {
        type: 'message',
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'x', annotations: [{ type: 'url_citation', image_url: url }] },
        ],
      },
      remote,
    ],
    [
      'in-reasoning',
      'in reasoning',
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'x', image_url: url }],
        encrypted_content: null,
      },
      remote,
    ],
    [
      'deep',
      'forty levels deep',
      message({ type: 'input_text', text: 'x', nested: nest({ image_url: url }, 40) }),
      remote,
    ],
    [
      'screenshot',
      'a computer’s screenshot by address',
      {
        type: 'computer_call_output',
        call_id: 'call_1',
        output: { type: 'computer_screenshot', image_url: url },
      },
      [...item, ...remote],
    ],
    [
      'item-reference',
      'an item that OpenAI has stored',
      { type: 'item_reference', id: 'msg_attacker' },
      item,
    ],
    [
      'web-search-call',
      'a search that is said to have run',
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'open_page', url } },
      item,
    ],
    [
      'mcp-approval',
      'an approval for a remote server',
      { type: 'mcp_approval_response', approve: true, approval_request_id: 'mcpr_1' },
      item,
    ],
    [
      'tools-in-input',
      'a hosted tool in the item that brings the tools',
      { type: 'additional_tools', tools: [{ type: 'web_search' }] },
      tool,
    ],
    [
      'tools-in-output',
      'a remote server in the output of a tool search',
      {
        type: 'tool_search_output',
        call_id: 'call_1',
        tools: [{ type: 'mcp', server_label: 'x', server_url: 'https://attacker.example/' }],
      },
      tool,
    ],
    [
      'tools-in-namespace',
      'the same in a namespace there',
      {
        type: 'additional_tools',
        tools: [
          {
            type: 'namespace',
            name: 'n',
            description: 'n',
            tools: [{ type: 'code_interpreter', container: { type: 'auto' } }],
          },
        ],
      },
      tool,
    ],
    [
      'server-url-in-text',
      'a server_url anywhere',
      message({ type: 'input_text', text: 'x', server_url: 'https://attacker.example/' }),
      remote,
    ],
  ];

function nest(value: object, levels: number): object {
  return levels === 0 ? value : { inner: nest(value, levels - 1) };
}

export const openaiInput: Group = {
  name: 'openai-input',
  about: 'the model’s own endpoint: addresses and file ids, wherever they hide',
  probes: (place: Place): readonly Probe[] =>
    inputs.map(([id, attack, untrusted, expected]) =>
      sendBody(
        id,
        attack,
        {
          ...validBody(place.model),
          input: [message({ type: 'input_text', text: place.marker }), untrusted],
        },
        expected,
      ),
    ),
};
