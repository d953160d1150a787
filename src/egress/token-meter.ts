/** Reads usage and refusals from a Responses stream, by its data: `event:` lines are optional. */
import { createParser } from 'eventsource-parser';
import * as z from 'zod';
import type { TokenUsage } from '../core/grant.ts';
import { meterBytes, type MeteredBytes, type StreamLimits } from './metered-stream.ts';
import { parseJson } from '../lib/parse-json.ts';

const count = z.number().int().nonnegative();
const finalEvent = z.object({
  type: z.enum(['response.completed', 'response.incomplete', 'response.failed']),
  response: z.object({
    usage: z
      .object({
        total_tokens: count,
        input_tokens: count.optional(),
        input_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
        output_tokens: count.optional(),
      })
      .nullish(),
  }),
});

/** The model's words when it refuses. Codex reports only that there is no answer. */
const refusalEvent = z.object({ type: z.literal('response.refusal.done'), refusal: z.string() });
const maxRefusalCharacters = 2_000;

/** Saves parsing the thousands of other events. What an event is, its JSON decides. */
const readType = /response\.(?:completed|incomplete|failed|refusal\.done)/;

export interface Metered extends MeteredBytes {
  /** As OpenAI reported them; null if the stream ended without a report. */
  readonly tokens: TokenUsage | null;
  /** Whether the final event came, with usage or (for a failed response) without. */
  readonly finished: boolean;
  /** What the model said when it refused to answer; null if it did not. Untrusted. */
  readonly refusal: string | null;
}

/** Passes the stream through and calls `done` once, at its end, error, cut or cancellation. */
export function meterTokens(
  stream: ReadableStream<unknown>,
  limits: StreamLimits,
  done: (metered: Metered) => void,
): ReadableStream<Uint8Array> {
  let tokens: TokenUsage | null = null;
  let finished = false;
  let refusal: string | null = null;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (!readType.test(data)) return;
      const event = parseJson(data);
      refusal = refusalEvent.safeParse(event).data?.refusal.slice(0, maxRefusalCharacters) ?? refusal;
      const parsed = finalEvent.safeParse(event);
      if (!parsed.success) return;
      finished = true;
      const { usage } = parsed.data.response;
      if (usage != null)
        tokens = {
          inputTokens: usage.input_tokens ?? 0,
          cachedInputTokens: usage.input_tokens_details?.cached_tokens ?? 0,
          outputTokens: usage.output_tokens ?? 0,
          totalTokens: usage.total_tokens,
        };
    },
  });
  const decoder = new TextDecoder();
  return meterBytes(
    stream,
    limits,
    (metered) => done({ ...metered, tokens, finished, refusal }),
    (chunk) => parser.feed(decoder.decode(chunk, { stream: true })),
  );
}
