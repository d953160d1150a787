/**
 * Reads token usage off a Responses event stream while it passes through, without delaying or changing a byte.
 * Decides nothing about budgets. A sandbox that hangs up before the usage arrives is charged an estimate, so that
 * closing early is no way around the budget.
 */
import { createParser } from 'eventsource-parser';
import { z } from 'zod';

const finalEvent = z.object({
  type: z.enum(['response.completed', 'response.incomplete', 'response.failed']),
  response: z.object({ usage: z.object({ total_tokens: z.number().int().nonnegative() }).nullish() }),
});

export interface Metered {
  readonly bytes: number;
  /** As OpenAI reported them; null when the stream ended without saying. */
  readonly tokens: number | null;
}

/** Passes the stream through; `done` is called once, at its end, error or cancellation. */
export function meterTokens(
  stream: ReadableStream<unknown>,
  done: (metered: Metered) => void,
): ReadableStream<Uint8Array> {
  let tokens: number | null = null;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== 'response.completed' && event !== 'response.incomplete' && event !== 'response.failed')
        return;
      const parsed = finalEvent.safeParse(parseJson(data));
      if (parsed.success) tokens = parsed.data.response.usage?.total_tokens ?? tokens;
    },
  });
  const decoder = new TextDecoder();
  return meterBytes(
    stream,
    (bytes) => done({ bytes, tokens }),
    (chunk) => parser.feed(decoder.decode(chunk, { stream: true })),
  );
}

/** Passes the stream through and counts; `done` is called once, at its end, error or cancellation. */
export function meterBytes(
  stream: ReadableStream<unknown>,
  done: (bytes: number) => void,
  look?: (chunk: Uint8Array) => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  let bytes = 0;
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    done(bytes);
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: atEnd, value } = await reader.read();
        if (atEnd) {
          end();
          controller.close();
          return;
        }
        if (!(value instanceof Uint8Array)) throw new TypeError('a body of something else than bytes');
        bytes += value.byteLength;
        look?.(value);
        controller.enqueue(value);
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a broken event of the upstream carries no usage
  }
}
