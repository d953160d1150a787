/**
 * The types of OpenAI's Responses API that the simulator speaks, as strict schemas: an extract of openai-node
 * 7.5.0, `src/resources/responses/responses.ts`; looser where the service sends more.
 */
import { z } from 'zod';

const count = z.number().int().nonnegative();
const status = z.enum(['in_progress', 'completed', 'incomplete']);

const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.never()),
  logprobs: z.array(z.never()).optional(),
});
const outputItem = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message'),
    id: z.string(),
    role: z.literal('assistant'),
    status,
    content: z.array(outputText),
    phase: z.enum(['commentary', 'final_answer']).nullish(),
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: z.string(),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
    namespace: z.string().optional(),
    status,
  }),
  z.strictObject({
    type: z.literal('custom_tool_call'),
    id: z.string(),
    call_id: z.string(),
    name: z.string(),
    input: z.string(),
    namespace: z.string().optional(),
    status: status.optional(),
  }),
  z.strictObject({ type: z.literal('compaction'), id: z.string(), encrypted_content: z.string() }),
]);

export const responseSchema = z.strictObject({
  id: z.string(),
  object: z.literal('response'),
  created_at: count,
  status: z.enum(['completed', 'failed', 'in_progress', 'cancelled', 'queued', 'incomplete']),
  background: z.boolean().nullish(),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  incomplete_details: z.strictObject({ reason: z.string() }).nullable(),
  instructions: z.string().nullable(),
  max_output_tokens: count.nullish(),
  metadata: z.record(z.string(), z.string()).nullable(),
  model: z.string(),
  output: z.array(outputItem),
  parallel_tool_calls: z.boolean(),
  previous_response_id: z.string().nullish(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority']).nullish(),
  store: z.boolean().nullish(),
  temperature: z.number().nullable(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).optional() }).optional(),
  tool_choice: z.enum(['none', 'auto', 'required']),
  tools: z.array(z.unknown()),
  top_p: z.number().nullable(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  usage: z
    .strictObject({
      input_tokens: count,
      input_tokens_details: z.strictObject({ cached_tokens: count }),
      output_tokens: count,
      output_tokens_details: z.strictObject({ reasoning_tokens: count }),
      total_tokens: count,
    })
    .nullish(),
});

const sequence = { sequence_number: count };
const inItem = { ...sequence, item_id: z.string(), output_index: count };
const inPart = { ...inItem, content_index: count };
const response = { ...sequence, response: responseSchema };
const item = { ...sequence, output_index: count, item: outputItem };
const noLogprobs = { logprobs: z.array(z.never()) };

export const streamEventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('response.created'), ...response }),
  z.strictObject({ type: z.literal('response.in_progress'), ...response }),
  z.strictObject({ type: z.literal('response.completed'), ...response }),
  z.strictObject({ type: z.literal('response.output_item.added'), ...item }),
  z.strictObject({ type: z.literal('response.output_item.done'), ...item }),
  z.strictObject({ type: z.literal('response.content_part.added'), ...inPart, part: outputText }),
  z.strictObject({ type: z.literal('response.content_part.done'), ...inPart, part: outputText }),
  z.strictObject({
    type: z.literal('response.output_text.delta'),
    ...inPart,
    ...noLogprobs,
    delta: z.string(),
  }),
  z.strictObject({
    type: z.literal('response.output_text.done'),
    ...inPart,
    ...noLogprobs,
    text: z.string(),
  }),
  z.strictObject({ type: z.literal('response.function_call_arguments.delta'), ...inItem, delta: z.string() }),
  z.strictObject({
    type: z.literal('response.function_call_arguments.done'),
    ...inItem,
    name: z.string(),
    arguments: z.string(),
  }),
  z.strictObject({ type: z.literal('response.custom_tool_call_input.delta'), ...inItem, delta: z.string() }),
  z.strictObject({ type: z.literal('response.custom_tool_call_input.done'), ...inItem, input: z.string() }),
]);
