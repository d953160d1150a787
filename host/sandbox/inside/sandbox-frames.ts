/**
 * Encodes and decodes frames between the host and the sandbox's init: header length (u32, big endian), body
 * length (u32), header (UTF-8 JSON), body. No imports, because it also runs inside the sandbox, without
 * packages.
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

/** Calls `onFrame` for each complete frame. Throws `FrameError` on a bad one, and is over then. */
export function frameReader(onFrame: (frame: Frame) => void): (chunk: Uint8Array) => void {
  // Bytes are copied as they come: a peer that sends single bytes costs their size, and not a chunk for each.
  let frame = new Uint8Array(prefixBytes);
  let filled = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length || filled === frame.length;) {
      const piece = chunk.subarray(at, at + frame.length - filled);
      frame.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < frame.length) return;
      const view = new DataView(frame.buffer);
      const [headerBytes, bodyBytes] = [view.getUint32(0), view.getUint32(4)];
      if (headerBytes > maxHeaderBytes || bodyBytes > maxBodyBytes)
        throw new FrameError('the frame is too large');
      const total = prefixBytes + headerBytes + bodyBytes;
      if (filled < total) {
        const whole = new Uint8Array(total);
        whole.set(frame);
        frame = whole;
        continue;
      }
      const whole = frame;
      frame = new Uint8Array(prefixBytes);
      filled = 0;
      const header = parseHeader(whole.subarray(prefixBytes, prefixBytes + headerBytes));
      onFrame({ header, body: whole.subarray(prefixBytes + headerBytes) });
    }
  };
}

function parseHeader(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FrameError('the header is not JSON');
  }
}
