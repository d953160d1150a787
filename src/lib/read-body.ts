/** Reads a body into memory within bounds of size and time. */

/** `too-large`: also if only declared. `too-slow`: not complete in time. `broken`: the sender hung up. */
export type BodyRead =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'too-large' | 'too-slow' | 'broken' };

export interface BodyBounds {
  readonly maxBytes: number;
  readonly deadlineMs: number;
}

/** Counts while it reads: `Content-Length` is the sender's claim, and may be missing. */
export async function readBody(message: Request | Response, bounds: BodyBounds): Promise<BodyRead> {
  if (Number(message.headers.get('content-length') ?? 0) > bounds.maxBytes) return { kind: 'too-large' };
  if (message.body === null) return { kind: 'bytes', bytes: new Uint8Array() };
  const stream: ReadableStream<unknown> = message.body;
  const reader = stream.getReader();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => undefined);
  }, bounds.deadlineMs);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) return { kind: 'too-slow' };
      if (done) return { kind: 'bytes', bytes: joined(chunks, size) };
      if (!(value instanceof Uint8Array)) return { kind: 'broken' };
      size += value.byteLength;
      if (size > bounds.maxBytes) return { kind: 'too-large' };
      chunks.push(value);
    }
  } catch {
    return { kind: isLate ? 'too-slow' : 'broken' };
  } finally {
    clearTimeout(timer);
    // Does nothing after the end; before it, the sender learns that nobody reads on.
    reader.cancel().catch(() => undefined);
  }
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
