/**
 * A capnweb transport over `ws`: capnweb's own takes the browser's WebSocket, from which that of `ws`
 * differs.
 */
import { on } from 'node:events';
import type { RpcTransport } from 'capnweb';
import type { WebSocket } from 'ws';

export function transportOver(webSocket: WebSocket): RpcTransport {
  const messages = on(webSocket, 'message', { close: ['close'] });
  return {
    send: async (message) => await new Promise((resolve) => webSocket.send(message, () => resolve())),
    async receive() {
      const next = await messages.next();
      if (next.done === true) throw new Error('the connection is closed');
      return String(next.value[0]);
    },
    abort: () => webSocket.close(),
  };
}
