/** Validates a `POST /v1/responses` as strictly as the real service, with its published refusals. */
import { z } from 'zod';
import type { Conversation, OpenAiError } from './script.ts';
import { parseJson } from '../../src/lib/parse-json.ts';

export interface Refusal {
  readonly status: number;
  readonly error: OpenAiError;
}

export const refusal = (
  status: number,
  message: string,
  code: string | null,
  param: string | null = null,
): Refusal => ({
  status,
  error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param, code },
});

/** From openai-node 7.5.0, src/resources/responses/responses.ts, and `client_metadata`, which Codex sends. */
const knownParameters: ReadonlySet<string> = new Set([
  'background',
  'client_metadata',
  'context_management',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'model',
  'moderation',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
]);

interface OfferedTool {
  readonly type: string;
  readonly name?: string | undefined;
  readonly tools?: readonly OfferedTool[] | undefined;
}
const toolSchema: z.ZodType<OfferedTool> = z.lazy(() =>
  z.looseObject({ type: z.string(), name: z.string().optional(), tools: z.array(toolSchema).optional() }),
);
const contentSchema = z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]);
const inputItemSchema = z.looseObject({
  type: z.string().optional(),
  role: z.string().optional(),
  content: contentSchema.nullish(),
  output: z.union([contentSchema, z.looseObject({})]).nullish(),
  tools: z.array(toolSchema).optional(),
});
const bodySchema = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(inputItemSchema)]),
  stream: z.boolean().nullish(),
  tools: z.array(toolSchema).nullish(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish() }).nullish(),
});

export interface ResponsesRequest {
  readonly model: string;
  readonly stream: boolean;
  /** Names of the offered tools: at top level, in `additional_tools` and in namespaces. */
  readonly offered: ReadonlySet<string>;
  readonly conversation: Conversation;
  /** Whether the last input item asks for compaction of the history. */
  readonly compaction: boolean;
  /** Length of the input as JSON, from which the token count is estimated. */
  readonly inputCharacters: number;
  readonly text: unknown;
}

const textOf = (content: z.infer<typeof inputItemSchema>['output']): string => {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map((part) => part.text ?? '').join('\n');
  return content === null || content === undefined ? '' : JSON.stringify(content);
};

const namesOf = (tools: readonly OfferedTool[]): string[] =>
  tools.flatMap((tool) => (tool.tools === undefined ? [tool.name ?? tool.type] : namesOf(tool.tools)));

/** The service's error message for a strict output schema, or null if the schema is valid. */
function schemaFault(schema: unknown, path: string): string | null {
  const parsed = z
    .looseObject({
      type: z.unknown(),
      properties: z.record(z.string(), z.unknown()).optional(),
      required: z.array(z.string()).optional(),
      additionalProperties: z.unknown().optional(),
      items: z.unknown().optional(),
    })
    .safeParse(schema);
  if (!parsed.success) return `schema must be a JSON Schema object, at ${path}`;
  if (parsed.data.type === 'object') {
    if (parsed.data.additionalProperties !== false)
      return `In context=${path}, 'additionalProperties' is required to be supplied and to be false.`;
    const properties = Object.entries(parsed.data.properties ?? {});
    for (const [name, property] of properties) {
      if (!(parsed.data.required ?? []).includes(name))
        return `In context=${path}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${name}'.`;
      const fault = schemaFault(property, `${path}.properties.${name}`);
      if (fault !== null) return fault;
    }
  }
  return parsed.data.items === undefined ? null : schemaFault(parsed.data.items, `${path}.items`);
}

const formatSchema = z.looseObject({
  format: z.looseObject({
    type: z.literal('json_schema'),
    name: z.string(),
    schema: z.unknown(),
    strict: z.boolean().nullish(),
  }),
});

function formatRefusal(text: unknown): Refusal | null {
  const parsed = formatSchema.safeParse(text);
  if (!parsed.success || parsed.data.format.strict !== true) return null;
  const { name, schema } = parsed.data.format;
  const fault = schemaFault(schema, '()');
  if (fault === null) return null;
  return refusal(
    400,
    `Invalid schema for response_format '${name}': ${fault}`,
    'invalid_json_schema',
    'text.format.schema',
  );
}

/** Parses the body of a request. `models` lists the models that the key can use. */
export function readResponsesRequest(
  contentType: string | undefined,
  body: string,
  models: readonly string[],
): { kind: 'request'; request: ResponsesRequest; json: unknown } | { kind: 'refusal'; refusal: Refusal } {
  const refuse = (found: Refusal) => ({ kind: 'refusal', refusal: found }) as const;
  if (!/^application\/json\s*(?:;|$)/i.test(contentType ?? '')) {
    return refuse(
      refusal(
        400,
        `Unsupported content type: '${contentType ?? ''}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: ${contentType ?? ''}'.`,
        'unsupported_content_type',
      ),
    );
  }
  const json = parseJson(body);
  if (json === undefined)
    return refuse(refusal(400, 'We could not parse the JSON body of your request.', 'invalid_json'));
  const keys = z.record(z.string(), z.unknown()).safeParse(json);
  const unknown = Object.keys(keys.data ?? {}).find((key) => !knownParameters.has(key));
  if (unknown !== undefined) {
    return refuse(refusal(400, `Unknown parameter: '${unknown}'.`, 'unknown_parameter', unknown));
  }
  for (const required of ['model', 'input']) {
    if (keys.data?.[required] === undefined) {
      return refuse(
        refusal(400, `Missing required parameter: '${required}'.`, 'missing_required_parameter', required),
      );
    }
  }
  const parsed = bodySchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = (issue?.path ?? []).map(String).join('.');
    return refuse(
      refusal(400, `Invalid type for '${param}': ${issue?.message ?? ''}`, 'invalid_type', param),
    );
  }
  const { model, input, stream, tools, text } = parsed.data;
  if (!models.includes(model)) {
    return refuse(refusal(400, `The requested model '${model}' does not exist.`, 'model_not_found', 'model'));
  }
  const wrongFormat = formatRefusal(text);
  if (wrongFormat !== null) return refuse(wrongFormat);

  const items = typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
  const isUser = (item: { type?: string | undefined; role?: string | undefined }) =>
    (item.type ?? 'message') === 'message' && item.role === 'user';
  const parsedItems = z.array(inputItemSchema).parse(items);
  const lastUser = parsedItems.findLastIndex(isUser);
  return {
    kind: 'request',
    json,
    request: {
      model,
      stream: stream ?? false,
      offered: new Set([
        ...namesOf(tools ?? []),
        ...parsedItems.flatMap((item) => namesOf(item.tools ?? [])),
      ]),
      conversation: {
        prompt: parsedItems
          .filter(isUser)
          .map((item) => textOf(item.content))
          .join('\n'),
        outputs: parsedItems
          .slice(lastUser + 1)
          .filter((item) => item.type === 'function_call_output' || item.type === 'custom_tool_call_output')
          .map((item) => textOf(item.output)),
      },
      compaction: parsedItems.at(-1)?.type === 'compaction_trigger',
      inputCharacters: JSON.stringify(input).length,
      text: text ?? null,
    },
  };
}
