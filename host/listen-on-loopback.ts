/** Lets a server listen on the loopback. Closing it is left to its owner. */
import type { Server } from 'node:net';

/** Port 0: any free one. Resolves to the port; rejects if it is in use. */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((done, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      done(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
