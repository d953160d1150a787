/**
 * Reads the token usage from a Responses event stream while it passes through, without delaying or changing a
 * byte. The data of an event says what it is: gateways that are compatible with OpenAI's API need not send
 * `event:` lines. Decides nothing about budgets.
 */
import { createParser } from 'eventsource-parser';
import * as z from 'zod';
import { meterBytes, type MeteredBytes, type StreamLimits } from './metered-stream.ts';
import { parseJson } from '../lib/parse-json.ts';

const finalEvent = z.object({
  type: z.enum(['response.completed', 'response.incomplete', 'response.failed']),
  response: z.object({ usage: z.object({ total_tokens: z.number().int().nonnegative() }).nullish() }),
});

/** Saves parsing the thousands of other events. Whether an event is final, its JSON decides. */
const finalType = /response\.(?:completed|incomplete|failed)/;

export interface Metered extends MeteredBytes {
  /** As OpenAI reported them; null if the stream ended without a report. */
  readonly tokens: number | null;
  /** Whether the final event came, with usage or (for a failed response) without. */
  readonly finished: boolean;
}

/** Passes the stream through and calls `done` once, at its end, error, cut or cancellation. */
export function meterTokens(
  stream: ReadableStream<unknown>,
  limits: StreamLimits,
  done: (metered: Metered) => void,
): ReadableStream<Uint8Array> {
  let tokens: number | null = null;
  let finished = false;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (!finalType.test(data)) return;
      const parsed = finalEvent.safeParse(parseJson(data));
      if (!parsed.success) return;
      finished = true;
      tokens = parsed.data.response.usage?.total_tokens ?? tokens;
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
