/**
 * Encodes and decodes the frames that the host and the sandbox's init exchange over a byte stream: a JSON
 * header and a binary body. Checks only the framing and the sizes, not what a header means.
 *
 * Layout: header length (u32, big endian), body length (u32), header (UTF-8 JSON), body.
 * Has no imports, because it also runs inside the sandbox, where no packages are installed.
 */

/** The header carries a command's arguments and environment, which Linux limits to 2 MiB. */
const maxHeaderBytes = 2 * 1024 * 1024;
/** Fits the largest body: both outputs of one exec, 8 MiB each. */
export const maxBodyBytes = 20 * 1024 * 1024;

const prefixBytes = 8;

export interface Frame {
  readonly header: unknown;
  readonly body: Uint8Array;
}

/** The peer broke the protocol. The rest of the stream cannot be framed and must not be read. */
class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Throws `FrameError` when the header or the body is over its cap. */
export function encodeFrame(header: object, body: Uint8Array = new Uint8Array()): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  if (json.length > maxHeaderBytes || body.length > maxBodyBytes)
    throw new FrameError('the frame is too large');
  const frame = new Uint8Array(prefixBytes + json.length + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, json.length);
  view.setUint32(4, body.length);
  frame.set(json, prefixBytes);
  frame.set(body, prefixBytes + json.length);
  return frame;
}

/**
 * Returns a function that takes the stream's chunks and calls `onFrame` for each complete frame, in order. It
 * throws `FrameError` on a length over the cap or a header that is not JSON; do not call it again after that.
 */
export function frameReader(onFrame: (frame: Frame) => void): (chunk: Uint8Array) => void {
  let chunks: Uint8Array[] = [];
  let buffered = 0;
  let wanted = prefixBytes;
  return (chunk) => {
    chunks.push(chunk);
    buffered += chunk.length;
    // Chunks are joined only when a frame is complete, which keeps a large body linear in its size.
    while (buffered >= wanted) {
      const joined = join(chunks, buffered);
      const view = new DataView(joined.buffer, joined.byteOffset, joined.byteLength);
      const headerBytes = view.getUint32(0);
      const bodyBytes = view.getUint32(4);
      if (headerBytes > maxHeaderBytes || bodyBytes > maxBodyBytes)
        throw new FrameError('the frame is too large');
      const end = prefixBytes + headerBytes + bodyBytes;
      if (buffered < end) {
        chunks = [joined];
        wanted = end;
        return;
      }
      const header = parseHeader(joined.subarray(prefixBytes, prefixBytes + headerBytes));
      const rest = joined.subarray(end);
      chunks = [rest];
      buffered = rest.length;
      wanted = prefixBytes;
      onFrame({ header, body: joined.subarray(prefixBytes + headerBytes, end) });
    }
  };
}

function join(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const joined = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

function parseHeader(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FrameError('the header is not JSON');
  }
}
