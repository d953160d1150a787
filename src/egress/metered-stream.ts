/** Counts the bytes of a stream and cuts it off at a limit or a silence, with an error, never as if whole. */
export interface StreamLimits {
  readonly maxBytes: number;
  /** Milliseconds without progress after which the stream is cut off; it happens before twice this time. */
  readonly idleMs: number;
  /** Cuts the stream off when it is aborted. */
  readonly ended?: AbortSignal;
}

/** `cancelled`: the reader left. `silent`, `stalled`: the source or the reader did nothing for `idleMs`. */
export type StreamEnd = 'complete' | 'cancelled' | 'broken' | 'too-long' | 'silent' | 'stalled' | 'ended';
export interface MeteredBytes {
  /** Bytes passed on; a piece that exceeds the limit is not. */
  readonly bytes: number;
  readonly end: StreamEnd;
}

/** Holds bytes back until they are known to be harmless. */
export interface Sieve {
  /** Returns what it lets through now, perhaps nothing. Throws to cut the stream off. */
  piece(chunk: Uint8Array): Uint8Array;
  /** Returns what it still holds at the end of the stream, or rejects. */
  rest(): Promise<Uint8Array>;
}

/** Without a size workerd returns 4 KiB at a time: 25,000 turns of the event loop for 100 MB. */
const pieceBytes = 128 * 1024;

interface Pieces {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel(reason: string): Promise<void>;
}

/** Reads large pieces from a byte stream, without waiting for one to fill up. */
function piecesOf(stream: ReadableStream<unknown>): Pieces {
  try {
    const reader = stream.getReader({ mode: 'byob' });
    return {
      read: async () => await reader.read(new Uint8Array(pieceBytes)),
      cancel: async (reason) => await reader.cancel(reason),
    };
  } catch {
    // A stream made in JavaScript, as in tests.
    return stream.getReader();
  }
}

/** Calls `done` once, at the end. `look` sees each piece before it passes, `sieve` delays or stops it. */
export function meterBytes(
  stream: ReadableStream<unknown>,
  { maxBytes, idleMs, ended: signal }: StreamLimits,
  done: (metered: MeteredBytes) => void,
  look?: (chunk: Uint8Array) => void,
  sieve?: Sieve,
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
    signal?.removeEventListener('abort', cutOff);
    done({ bytes, end: how });
    return true;
  };
  let cutOff = (): void => undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      cutOff = () => {
        if (end('ended')) controller.error(new Error('the stream was ended'));
        reader.cancel('ended').catch(() => undefined); // given up either way
      };
      signal?.addEventListener('abort', cutOff);
      if (signal?.aborted === true) {
        cutOff();
        return;
      }
      // One periodic timer instead of one per piece: a clone of 100 MB has thousands.
      let seen = bytes;
      const watch = () => {
        timer = setTimeout(() => {
          if (ended) return;
          if (bytes === seen) {
            const how = waiting ? 'silent' : 'stalled';
            if (end(how)) controller.error(new Error(`the stream is ${how}`));
            reader.cancel('idle').catch(() => undefined); // given up either way
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
        // Nobody asks again for a pull that brought nothing.
        for (;;) {
          waiting = true;
          const { done: atEnd, value } = await reader.read();
          waiting = false;
          if (ended) return;
          if (atEnd) {
            const rest = await sieve?.rest();
            if (!end('complete')) return;
            if (rest !== undefined && rest.byteLength > 0) controller.enqueue(rest);
            controller.close();
            return;
          }
          if (!(value instanceof Uint8Array)) throw new TypeError('the body has something other than bytes');
          if (bytes + value.byteLength > maxBytes) {
            if (end('too-long')) controller.error(new Error('the stream is longer than the grant allows'));
            await reader.cancel('too long');
            return;
          }
          bytes += value.byteLength;
          look?.(value);
          const piece = sieve === undefined ? value : sieve.piece(value);
          if (piece.byteLength === 0) continue;
          controller.enqueue(piece);
          return;
        }
      } catch (error) {
        if (end('broken')) controller.error(error);
        reader.cancel('broken').catch(() => undefined); // given up either way
      }
    },
    async cancel() {
      end('cancelled');
      await reader.cancel('cancelled');
    },
  });
}

/** Reads a whole stream; null when it is longer than `maxBytes`, stalls or is aborted. */
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
    return null; // the sender hung up or was cut off: the caller names the rule
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
