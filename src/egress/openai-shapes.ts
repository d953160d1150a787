/**
 * The allowlist of a Responses request: its fields, and those of each kind of tool and input item. Shapes
 * only; `openai-body.ts` decides with them. Every object is strict, so that a new field is refused until
 * somebody has read what it does.
 *
 * Sources: what Codex 0.171.0 sends (recorded, `test/egress/fixtures`), its own schema of items (`codex
 * app-server generate-json-schema`), and openai-node 7.5.0, src/resources/responses/responses.ts.
 *
 * Left out on purpose: `input_file`, `input_audio` and ids of files (OpenAI fetches or holds them); items
 * without a type (`{id}` alone is an item reference) and `item_reference` (state on OpenAI's side); calls of
 * hosted tools, also past ones; `max_output_tokens`, `metadata`, `user`, `service_tier: priority` and the
 * like (Codex sends none, and some cost money).
 */
import * as z from 'zod';

const text = z.string();
const optionalText = z.string().nullish();

export const requestShape = z.strictObject({
  model: z.string(),
  // The handler counts tokens on the stream.
  stream: z.literal(true),
  store: z.literal(false),
  instructions: text.optional(),
  input: z.array(z.unknown()).max(20_000),
  tools: z.array(z.unknown()).max(1_000).optional(),
  tool_choice: z.enum(['auto', 'none', 'required']).optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.strictObject({ effort: optionalText, summary: optionalText, context: optionalText }).nullish(),
  include: z.array(z.literal('reasoning.encrypted_content')).max(1).optional(),
  prompt_cache_key: text.optional(),
  text: z
    .strictObject({
      verbosity: optionalText,
      format: z
        .union([
          z.strictObject({ type: z.literal('text') }),
          z.strictObject({
            type: z.literal('json_schema'),
            name: text,
            description: text.optional(),
            strict: z.boolean().nullish(),
            schema: z.looseObject({}),
          }),
        ])
        .nullish(),
    })
    .optional(),
  service_tier: z.enum(['auto', 'default', 'flex']).optional(),
  client_metadata: z.record(z.string(), text).optional(),
});

// ---- tools: the kinds that Codex itself executes, inside the sandbox --------------------------------------

const described = { name: text, description: optionalText, defer_loading: z.boolean().nullish() };
const jsonSchema = z.looseObject({}).nullish();

export const toolShapes = {
  function: z.strictObject({
    type: z.literal('function'),
    ...described,
    strict: z.boolean().nullish(),
    parameters: jsonSchema,
    output_schema: jsonSchema,
  }),
  custom: z.strictObject({
    type: z.literal('custom'),
    ...described,
    format: z
      .union([
        z.strictObject({ type: z.literal('text') }),
        z.strictObject({
          type: z.literal('grammar'),
          syntax: z.enum(['lark', 'regex']),
          definition: text,
        }),
      ])
      .optional(),
  }),
  /** `openai-body.ts` decides each of `tools` like a tool at top level. */
  namespace: z.strictObject({
    type: z.literal('namespace'),
    name: text,
    description: optionalText,
    tools: z.array(z.unknown()).max(1_000),
  }),
  tool_search: z.strictObject({
    type: z.literal('tool_search'),
    execution: z.literal('client'),
    description: optionalText,
    parameters: jsonSchema,
  }),
  /** Unlike `shell`, which can run in a container at OpenAI. */
  local_shell: z.strictObject({ type: z.literal('local_shell') }),
} as const;

// ---- input items: those that are complete in the request itself -------------------------------------------

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
/** Codex's notes on the origin of a message: names and scalars, no references. */
const passthrough = z
  .strictObject({
    turn_id: optionalText,
    create_time: z.number().nullish(),
    content_item_kinds: z.array(text).nullish(),
    content_item_metadata: z
      .array(z.record(z.string(), z.record(z.string(), scalar).nullable()).nullable())
      .nullish(),
  })
  .nullish();
const common = { id: optionalText, internal_chat_message_metadata_passthrough: passthrough };
const sealed = { encrypted_content: optionalText };

const inputText = z.strictObject({ type: z.literal('input_text'), text });
const inputImage = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string().refine(isInlineImage),
  detail: z.enum(['auto', 'low', 'high', 'original']).nullish(),
});
const outputText = z.strictObject({
  type: z.literal('output_text'),
  text,
  // Annotations cite what hosted tools found; without hosted tools there are none.
  annotations: z.array(z.never()).nullish(),
  logprobs: z.array(z.never()).nullish(),
});
const refusalPart = z.strictObject({ type: z.literal('refusal'), refusal: text });
const output = z.union([text, z.array(z.discriminatedUnion('type', [inputText, inputImage]))]);
const call = {
  ...common,
  ...sealed,
  status: optionalText,
  call_id: text,
  name: text,
  namespace: optionalText,
};

export const itemShapes = {
  message: z.strictObject({
    type: z.literal('message'),
    ...common,
    ...sealed,
    role: z.enum(['user', 'assistant', 'system', 'developer']),
    phase: z.enum(['commentary', 'partial_answer', 'final_answer']).nullish(),
    status: optionalText,
    content: z.union([
      text,
      z.array(z.discriminatedUnion('type', [inputText, inputImage, outputText, refusalPart])),
    ]),
  }),
  reasoning: z.strictObject({
    type: z.literal('reasoning'),
    ...common,
    ...sealed,
    status: optionalText,
    summary: z.array(z.strictObject({ type: z.literal('summary_text'), text })),
    content: z.array(z.strictObject({ type: z.enum(['reasoning_text', 'text']), text })).nullish(),
  }),
  /** `openai-body.ts` decides its tools like those at top level. */
  additional_tools: z.strictObject({
    type: z.literal('additional_tools'),
    id: optionalText,
    role: text,
    tools: z.array(z.unknown()).max(1_000),
  }),
  configuration_update: z.strictObject({
    type: z.literal('configuration_update'),
    reasoning: z.strictObject({ effort: text }),
  }),
  function_call: z.strictObject({ type: z.literal('function_call'), ...call, arguments: text }),
  function_call_output: z.strictObject({
    type: z.literal('function_call_output'),
    ...common,
    call_id: text,
    name: optionalText,
    namespace: optionalText,
    status: optionalText,
    output,
  }),
  custom_tool_call: z.strictObject({ type: z.literal('custom_tool_call'), ...call, input: text }),
  custom_tool_call_output: z.strictObject({
    type: z.literal('custom_tool_call_output'),
    ...common,
    call_id: text,
    name: optionalText,
    status: optionalText,
    output,
  }),
  local_shell_call: z.strictObject({
    type: z.literal('local_shell_call'),
    ...common,
    ...sealed,
    call_id: optionalText,
    status: text,
    action: z.strictObject({
      type: z.literal('exec'),
      command: z.array(text),
      env: z.record(z.string(), text).nullish(),
      timeout_ms: z.number().nullish(),
      user: optionalText,
      working_directory: optionalText,
    }),
  }),
  tool_search_call: z.strictObject({
    type: z.literal('tool_search_call'),
    ...common,
    ...sealed,
    call_id: optionalText,
    status: optionalText,
    execution: z.literal('client'),
    arguments: z.record(z.string(), scalar),
  }),
  tool_search_output: z.strictObject({
    type: z.literal('tool_search_output'),
    ...common,
    call_id: optionalText,
    status: text,
    execution: z.literal('client'),
    tools: z.array(z.unknown()).max(1_000),
  }),
  compaction: z.strictObject({ type: z.literal('compaction'), ...common, encrypted_content: text }),
  compaction_trigger: z.strictObject({ type: z.literal('compaction_trigger') }),
} as const;

/** The formats that Codex sends, by type and first bytes; no SVG. */
const inlineImage = new RegExp(
  [
    '^data:image/(?:',
    'png;base64,iVBORw0KGgo', // 89 P N G 0D 0A 1A 0A
    '|jpeg;base64,/9j/', // FF D8 FF
    '|gif;base64,R0lGOD[dl]h', // GIF87a, GIF89a
    '|webp;base64,UklGR[g-v][A-Za-z0-9+/]{5}XRUJQVlA4', // RIFF????WEBPVP8
    ')',
  ].join(''),
);

/** Searches, because matching megabytes needs memory. */
export function isInlineImage(url: string): boolean {
  if (!inlineImage.test(url)) return false;
  return !/[^A-Za-z0-9+/=]/.test(url.slice(url.indexOf(',') + 1));
}
