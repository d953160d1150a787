/**
 * Attacks outside the input of a model request: tools that run at OpenAI, and fields that make OpenAI keep or
 * fetch something.
 */
import { allowed, denied, type Attack, type RequestPieces } from './attack.ts';
import {
  asks,
  changed,
  functionTool,
  sends,
  validRequest,
  withItem,
  withSchema,
  withTool,
  without,
} from './openai-request.ts';

const url = 'https://attacker.example/';
const namespace = (...tools: readonly unknown[]) => ({
  type: 'namespace',
  name: 'n',
  description: 'n',
  tools,
});
const brought = (...tools: readonly unknown[]) => ({ type: 'additional_tools', role: 'developer', tools });

/** Every place where tools can be. */
const toolPlaces: Readonly<Record<string, (tool: unknown) => RequestPieces>> = {
  'at top level': withTool,
  'in a namespace': (tool) => withTool(namespace({ type: 'custom', name: 'x' }, tool)),
  'in the item that brings tools': (tool) => withItem(brought(tool)),
  'in a namespace of that item': (tool) => withItem(brought({ type: 'namespace', name: 'n', tools: [tool] })),
  'in the output of a tool search': (tool) =>
    withItem({ type: 'tool_search_output', status: 'completed', execution: 'client', tools: [tool] }),
};
/** From openai-node 7.5.0's `Tool`, and a few that were or may be. */
const hostedTools: readonly object[] = [
  { type: 'web_search' },
  { type: 'web_search_2025_08_26' },
  { type: 'web_search_2025_08_26', filters: { allowed_domains: ['attacker.example'] } },
  { type: 'web_search_preview' },
  { type: 'web_search_preview_2025_03_11' },
  { type: 'mcp', server_label: 's', server_url: url },
  { type: 'mcp', server_label: 's', server_url: url, require_approval: 'never' },
  { type: 'mcp', server_label: 's', connector_id: 'connector_dropbox' },
  { type: 'mcp', server_label: 's', connector_id: 'connector_gmail', authorization: 'attacker' },
  { type: 'code_interpreter', container: { type: 'auto' } },
  { type: 'file_search', vector_store_ids: ['vs_attacker'] },
  { type: 'image_generation' },
  { type: 'computer' },
  { type: 'computer_use_preview', environment: 'browser' },
  { type: 'computer_use_preview', display_width: 1, display_height: 1, environment: 'browser' },
  { type: 'shell', environment: { type: 'container_auto' } },
  {
    type: 'shell',
    environment: {
      type: 'container_auto',
      network_policy: { type: 'allowlist', allowed_domains: ['attacker.example'] },
    },
  },
  { type: 'shell' },
  { type: 'apply_patch' },
  { type: 'programmatic_tool_calling' },
  { type: 'tool_search', execution: 'server' },
  { type: 'tool_search' },
  { type: 'Web_Search' },
  { type: ' web_search' },
  { type: 'a_tool_of_next_year' },
  { type: 'Function', name: 'f' },
  { type: 'function ', name: 'f' },
  { type: 'constructor' },
  { type: '__proto__' },
  { type: '' },
];

export const openaiBody: readonly Attack[] = [
  ...allowed(
    'openai.responses',
    'POST api.openai.com/v1/responses',
    Object.fromEntries(
      Object.entries(toolPlaces).map(([where, place]) => [
        `a function ${where}`,
        place({ type: 'function', name: 'f' }),
      ]),
    ),
  ),
  ...denied(
    'openai.tool',
    Object.fromEntries(
      Object.entries(toolPlaces).flatMap(([where, place]) =>
        hostedTools.map((tool) => [`the tool ${JSON.stringify(tool)} ${where}`, place(tool)]),
      ),
    ),
  ),
  ...denied('openai.tool', {
    'a tool without a type': withTool({ name: 'web_search' }),
    'a tool that is text': withTool('web_search'),
    'a namespace of nothing': withTool({ type: 'namespace', name: 'n' }),
    'a namespace in a namespace': withTool(namespace({ type: 'namespace', name: 'm', tools: [] })),
    'a remote server in a namespace in a namespace': withTool(
      namespace(namespace({ type: 'mcp', server_label: 'x', server_url: url })),
    ),
    'a hosted tool behind a function in a namespace': withTool(
      namespace(functionTool, { type: 'web_search' }),
    ),
    'a function with more than a function has': withTool({ type: 'function', name: 'f', server_url: url }),
    'a function that OpenAI calls': withTool({
      type: 'function',
      name: 'f',
      allowed_callers: ['programmatic'],
    }),
  }),
  ...denied('openai.field', {
    'store: true': changed({ store: true }),
    'store as text': changed({ store: 'false' }),
    'store: null': changed({ store: null }),
    'store left out': without('store'),
    'stream: false': changed({ stream: false }),
    'background: true': changed({ background: true }),
    'background: false': changed({ background: false }),
    'an earlier response': changed({ previous_response_id: 'resp_other' }),
    'a conversation that OpenAI keeps': changed({ conversation: 'conv_attacker' }),
    'a stored prompt': changed({ prompt: { id: 'pmpt_attacker', variables: {} } }),
    'a stored prompt without variables': changed({ prompt: { id: 'pmpt_attacker' } }),
    'a webhook, which is no known field': changed({ webhook_url: url }),
    'the sources of a hosted search in the answer': changed({ include: ['web_search_call.action.sources'] }),
    'the results of a file search in the answer': changed({ include: ['file_search_call.results'] }),
    'a longer cache': changed({ prompt_cache_retention: '24h' }),
    'a higher price': changed({ service_tier: 'priority' }),
    'metadata, which is kept': changed({ metadata: { source: 'const a = 1' } }),
    'client metadata that is more than text': changed({ client_metadata: { a: { file_id: 'x' } } }),
    'hosted compaction': changed({ context_management: [{ type: 'compaction' }] }),
    'the choice of a hosted tool': changed({ tool_choice: { type: 'web_search' } }),
    'the model as null': changed({ model: null }),
    'two models': changed({ model: ['gpt-6.1-sol', 'gpt-6.1-pro'] }),
    'the input as text': changed({ input: 'hello' }),
    'a body that is an empty list': sends({ text: '[]' }),
    'a body that is null': sends({ text: 'null' }),
    'a list of requests': asks([validRequest()]),
    'an unknown output format': changed({ text: { format: { type: 'json_object' } } }),
  }),
  ...denied('openai.model', {
    'another model': changed({ model: 'gpt-6.1-pro' }),
    'an older model': changed({ model: 'gpt-5-pro' }),
    'the model in capitals': changed({ model: 'GPT-6.1-SOL' }),
  }),
  ...denied('openai.remote', {
    'a schema from elsewhere': withSchema({ $ref: `${url}schema.json` }),
    'a schema from elsewhere, deep inside': withSchema({
      properties: { a: { items: [{ $dynamicRef: '//attacker.example' }] } },
    }),
    'a schema that says where it is from': withSchema({ $id: url }),
    'an output format from elsewhere': changed({
      text: { format: { type: 'json_schema', name: 'n', schema: { $ref: 'http://attacker.example' } } },
    }),
  }),
];
