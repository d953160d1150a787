/** What a request to the model may carry: tools that run on OpenAI's side, and fields that make it keep or fetch something. */
import { type Group, type Place, type Probe } from '../probe.ts';
import { functionTool, sendBody, validBody, type OpenAiBody } from './openai-bodies.ts';

const tool = ['400 openai.tool'] as const;
const field = ['400 openai.field'] as const;

const hostedTools: readonly (readonly [id: string, tool: object])[] = [
  ['web_search', { type: 'web_search' }],
  ['web_search_preview', { type: 'web_search_preview' }],
  ['web_search_dated', { type: 'web_search_2025_08_26', filters: { allowed_domains: ['attacker.example'] } }],
  [
    'mcp-url',
    { type: 'mcp', server_label: 'x', server_url: 'https://attacker.example/mcp', require_approval: 'never' },
  ],
  [
    'mcp-connector',
    { type: 'mcp', server_label: 'x', connector_id: 'connector_gmail', authorization: 'attacker' },
  ],
  ['code_interpreter', { type: 'code_interpreter', container: { type: 'auto' } }],
  ['file_search', { type: 'file_search', vector_store_ids: ['vs_attacker'] }],
  ['image_generation', { type: 'image_generation' }],
  ['computer', { type: 'computer_use_preview', display_width: 1, display_height: 1, environment: 'browser' }],
  [
    'shell-container',
    {
      type: 'shell',
      environment: {
        type: 'container_auto',
        network_policy: { type: 'allowlist', allowed_domains: ['attacker.example'] },
      },
    },
  ],
  ['tool_search-server', { type: 'tool_search', execution: 'server' }],
  [
    'in-namespace',
    { type: 'namespace', name: 'n', description: 'n', tools: [functionTool, { type: 'web_search' }] },
  ],
  [
    'namespace-deep',
    {
      type: 'namespace',
      name: 'n',
      description: 'n',
      tools: [
        {
          type: 'namespace',
          name: 'm',
          description: 'm',
          tools: [{ type: 'mcp', server_label: 'x', server_url: 'https://attacker.example/' }],
        },
      ],
    },
  ],
  ['capitals', { type: 'Web_Search' }],
  ['space', { type: ' web_search' }],
  ['unknown', { type: 'a_tool_of_next_year' }],
  ['no-type', { name: 'web_search' }],
];

/** Fields beside the input: what would be kept on OpenAI's side, or fetched from there. */
const fields: readonly (readonly [
  id: string,
  attack: string,
  change: OpenAiBody,
  expected: readonly string[],
])[] = [
  ['store', 'the answer kept', { store: true }, field],
  ['store-text', 'store as text', { store: 'false' }, field],
  ['store-null', 'store left to the default', { store: null }, field],
  ['background', 'a run that goes on without us', { background: true }, field],
  ['previous', 'an earlier response, of whoever’s task', { previous_response_id: 'resp_other' }, field],
  ['conversation', 'a conversation kept there', { conversation: 'conv_attacker' }, field],
  ['prompt', 'a stored prompt', { prompt: { id: 'pmpt_attacker', variables: {} } }, field],
  [
    'include',
    'more in the answer: results of a hosted search',
    { include: ['web_search_call.action.sources'] },
    field,
  ],
  ['metadata', 'metadata, which is kept', { metadata: { source: 'const a = 1' } }, field],
  ['unknown', 'a field that nobody knows', { webhook_url: 'https://attacker.example/' }, field],
  ['context-management', 'context kept there', { context_management: [{ type: 'compaction' }] }, field],
  [
    'tool-choice',
    'the choice of a hosted tool',
    { tool_choice: { type: 'web_search' } },
    [...field, ...tool],
  ],
  ['model', 'another model, which may cost more', { model: 'gpt-6.1-pro' }, ['400 openai.model']],
  ['model-list', 'two models', { model: ['gpt-6.1-sol', 'gpt-6.1-pro'] }, field],
  ['input-text', 'the input as one text', { input: 'hello' }, field],
];

export const openaiBody: Group = {
  name: 'openai-body',
  about: 'the model’s own endpoint: hosted tools, stored state',
  probes: (place: Place): readonly Probe[] => {
    const valid = validBody(place.model, place.marker);
    const changed = (id: string, attack: string, change: OpenAiBody, expected: readonly string[]) =>
      sendBody(id, attack, { ...valid, ...change }, expected);
    return [
      ...hostedTools.map(([id, hosted]) =>
        changed(
          `tool-${id}`,
          `a hosted tool: ${JSON.stringify(hosted).slice(0, 70)}`,
          { tools: [functionTool, hosted] },
          tool,
        ),
      ),
      ...fields.map(([id, attack, change, expected]) => changed(`field-${id}`, attack, change, expected)),
    ];
  },
};
