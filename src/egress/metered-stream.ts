/**
 * Passes a stream through piece by piece, counts it, and cuts it off at a number of bytes or after a silence. Holds no piece back
 * and changes none. A stream that is cut off ends in an error, so that it never looks whole.
 */
export interface StreamLimits {
  readonly maxBytes: number;
  /** Without a piece coming and being taken, in milliseconds; cut off after this, and before twice this. */
  readonly idleMs: number;
}

/**
 * `cancelled`: the reader left. `broken`: the source failed. `silent`: the source sent nothing for `idleMs`. `stalled`: the reader
 * took nothing for `idleMs`.
 */
export type StreamEnd = 'complete' | 'cancelled' | 'broken' | 'too-long' | 'silent' | 'stalled';
export interface MeteredBytes {
  /** Passed on; a piece that goes beyond the limit is not. */
  readonly bytes: number;
  readonly end: StreamEnd;
}

/**
 * Bytes asked for at once. A reader that names no size is given 4 KiB at a time by workerd: 25,000 turns of the event loop
 * for a clone of 100 MB, instead of 800.
 */
const pieceBytes = 128 * 1024;

interface Pieces {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel(reason: string): Promise<void>;
}

/** Large pieces where the stream is one of bytes, as it comes where it is not. Neither waits for a piece to be full. */
function piecesOf(stream: ReadableStream<unknown>): Pieces {
  try {
    const reader = stream.getReader({ mode: 'byob' });
    return {
      read: async () => await reader.read(new Uint8Array(pieceBytes)),
      cancel: async (reason) => await reader.cancel(reason),
    };
  } catch {
    // A stream of JavaScript's making, as in tests.
    return stream.getReader();
  }
}

/** `done` is called once. `look` sees each piece before it is passed on. */
export function meterBytes(
  stream: ReadableStream<unknown>,
  { maxBytes, idleMs }: StreamLimits,
  done: (metered: MeteredBytes) => void,
  look?: (chunk: Uint8Array) => void,
): ReadableStream<Uint8Array> {
  const reader = piecesOf(stream);
  let bytes = 0;
  let ended = false;
  /** The source was asked for a piece and has not sent one. */
  let waiting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (how: StreamEnd): boolean => {
    if (ended) return false;
    ended = true;
    clearTimeout(timer);
    done({ bytes, end: how });
    return true;
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      // One timer that looks back, instead of one for every piece: a clone of 100 MB comes in thousands.
      let seen = bytes;
      const watch = () => {
        timer = setTimeout(() => {
          if (ended) return;
          if (bytes === seen) {
            const how = waiting ? 'silent' : 'stalled';
            if (end(how)) controller.error(new Error(`the stream is ${how}`));
            reader.cancel('idle').catch(() => undefined); // it is given up either way
            return;
          }
          seen = bytes;
          watch();
        }, idleMs);
      };
      watch();
    },
    async pull(controller) {
      try {
        waiting = true;
        const { done: atEnd, value } = await reader.read();
        waiting = false;
        if (ended) return;
        if (atEnd) {
          end('complete');
          controller.close();
          return;
        }
        if (!(value instanceof Uint8Array)) throw new TypeError('a body of something else than bytes');
        if (bytes + value.byteLength > maxBytes) {
          if (end('too-long')) controller.error(new Error('the stream is longer than what was granted'));
          await reader.cancel('too long');
          return;
        }
        bytes += value.byteLength;
        look?.(value);
        controller.enqueue(value);
      } catch (error) {
        if (end('broken')) controller.error(error);
      }
    },
    async cancel() {
      end('cancelled');
      await reader.cancel('cancelled');
    },
  });
}

/** The whole of a stream; null when it is longer than `maxBytes`, falls silent or breaks off. */
export async function readWhole(
  stream: ReadableStream<unknown> | null,
  limits: StreamLimits,
): Promise<Uint8Array | null> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of meterBytes(stream, limits, () => undefined)) {
      chunks.push(chunk);
      size += chunk.byteLength;
    }
  } catch {
    return null; // whoever sends it hung up, or was cut off: the caller names the rule
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
