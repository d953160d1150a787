/**
 * Reads the token usage from a Responses event stream while it passes through, without delaying or changing a
 * byte. The data of an event says what it is: gateways that are compatible with OpenAI's API need not send
 * `event:` lines. Decides nothing about budgets.
 */
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

/** Saves parsing the thousands of other events. Whether an event is final, its JSON decides. */
const finalType = /response\.(?:completed|incomplete|failed)/;

export interface Metered extends MeteredBytes {
  /** As OpenAI reported them; null if the stream ended without a report. */
  readonly tokens: TokenUsage | null;
  /** Whether the final event came, with usage or (for a failed response) without. */
  readonly finished: boolean;
}

/** Passes the stream through and calls `done` once, at its end, error, cut or cancellation. */
export function meterTokens(
  stream: ReadableStream<unknown>,
  limits: StreamLimits,
  done: (metered: Metered) => void,
): ReadableStream<Uint8Array> {
  let tokens: TokenUsage | null = null;
  let finished = false;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (!finalType.test(data)) return;
      const parsed = finalEvent.safeParse(parseJson(data));
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
    (metered) => done({ ...metered, tokens, finished }),
    (chunk) => parser.feed(decoder.decode(chunk, { stream: true })),
  );
}
