/** Builds a streamed response in the real order; `test/codex/openai-events.test.ts` checks the types. */
import type { NewId, OutputItem } from './items.ts';
import type { ResponsesRequest } from './request.ts';

export interface StreamEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly [field: string]: unknown;
}

export interface Usage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

/** Estimates tokens at four characters each, with half of the input cached as from the second request on. */
function usageOf(request: ResponsesRequest, items: readonly OutputItem[]): Usage {
  const input = Math.ceil(request.inputCharacters / 4);
  const output = Math.ceil(JSON.stringify(items).length / 4);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: Math.floor(input / 2) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

export interface ResponseFrame {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
}

/** The response object while in progress or when completed. */
export function responseObject(
  request: ResponsesRequest,
  frame: ResponseFrame,
  state: { status: 'in_progress' } | { status: 'completed'; output: readonly OutputItem[] },
) {
  return {
    id: frame.id,
    object: 'response',
    created_at: frame.createdAt,
    status: state.status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: request.model,
    output: state.status === 'completed' ? state.output : [],
    parallel_tool_calls: true,
    previous_response_id: null,
    service_tier: 'default',
    store: false,
    temperature: 1,
    text: request.text ?? { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: state.status === 'completed' ? usageOf(request, state.output) : null,
  };
}

type Untimed = Omit<StreamEvent, 'sequence_number'> & { readonly type: string };

const words = (text: string): readonly string[] => text.match(/\s*\S+\s*/g) ?? [];

/** The events of one item, from `added` to `done`. */
function itemEvents(item: OutputItem, index: number): readonly Untimed[] {
  const at = { item_id: item.id, output_index: index };
  const added = (started: unknown): Untimed => ({
    type: 'response.output_item.added',
    output_index: index,
    item: started,
  });
  const done: Untimed = { type: 'response.output_item.done', output_index: index, item };
  if (item.type === 'message') {
    const [part] = item.content;
    const here = { ...at, content_index: 0 };
    return [
      added({ ...item, status: 'in_progress', content: [] }),
      { type: 'response.content_part.added', ...here, part: { ...part, text: '' } },
      ...words(part.text).map((delta) => ({
        type: 'response.output_text.delta',
        ...here,
        delta,
        logprobs: [],
      })),
      { type: 'response.output_text.done', ...here, text: part.text, logprobs: [] },
      { type: 'response.content_part.done', ...here, part },
      done,
    ];
  }
  if (item.type === 'function_call') {
    return [
      added({ ...item, status: 'in_progress', arguments: '' }),
      { type: 'response.function_call_arguments.delta', ...at, delta: item.arguments },
      { type: 'response.function_call_arguments.done', ...at, name: item.name, arguments: item.arguments },
      done,
    ];
  }
  if (item.type === 'custom_tool_call') {
    return [
      added({ ...item, status: 'in_progress', input: '' }),
      { type: 'response.custom_tool_call_input.delta', ...at, delta: item.input },
      { type: 'response.custom_tool_call_input.done', ...at, input: item.input },
      done,
    ];
  }
  return [added(item), done];
}

/** All events of a response that completes. */
export function streamEvents(
  request: ResponsesRequest,
  frame: ResponseFrame,
  items: readonly OutputItem[],
): readonly StreamEvent[] {
  const started = responseObject(request, frame, { status: 'in_progress' });
  const events: readonly Untimed[] = [
    { type: 'response.created', response: started },
    { type: 'response.in_progress', response: started },
    ...items.flatMap(itemEvents),
    {
      type: 'response.completed',
      response: responseObject(request, frame, { status: 'completed', output: items }),
    },
  ];
  return events.map((event, sequence) => ({ ...event, sequence_number: sequence }));
}

/** Encodes a server-sent event. */
export const encodeEvent = (event: StreamEvent): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** Makes ids in the service's format: a prefix and 48 hex digits. */
export const idsFrom =
  (randomHex: (digits: number) => string): NewId =>
  (prefix) =>
    `${prefix}_${randomHex(48)}`;
