/** A capnweb transport over `ws`, which differs from the browser's WebSocket. */
import { on } from 'node:events';
import type { RpcTransport } from 'capnweb';
import type { WebSocket } from 'ws';

/** What the real server takes and sends in one message. It closes the connection at a larger one. */
export const maxMessageBytes = 16 * 1024 * 1024;

export function transportOver(webSocket: WebSocket): RpcTransport {
  const messages = on(webSocket, 'message', { close: ['close'] });
  return {
    async send(message) {
      if (Buffer.byteLength(message) > maxMessageBytes) webSocket.close(1009);
      else await new Promise<void>((resolve) => webSocket.send(message, () => resolve()));
    },
    async receive() {
      const next = await messages.next();
      if (next.done === true) throw new Error('the connection is closed');
      return String(next.value[0]);
    },
    abort: () => webSocket.close(),
  };
}
