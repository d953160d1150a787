/**
 * A fake of the sidecar `cloudflare/proxy-everything`: workerd reports its listener, asks for the authority's
 * certificate, and connects through it to ports of the container.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { z } from 'zod';
import { portOf, readBody } from './http-parts.ts';

export interface FakeSidecar {
  /** The port on which workerd reaches it. */
  readonly ingressPort: number;
  /** The port on which workerd takes the container's traffic; null before workerd has reported it. */
  egressPort(): number | null;
  close(): void;
}

const egressMessage = z.object({ port: z.int().optional() });
const fakeAuthority = '-----BEGIN CERTIFICATE-----\nFAKE\n-----END CERTIFICATE-----\n';

/** Looks `controlSocket` up for each connection: the container may have been replaced. */
export async function startSidecar(
  controlSocket: () => string | null,
  authorityPem: string = fakeAuthority,
): Promise<FakeSidecar> {
  let egressPort: number | null = null;
  const server = createServer((request, response) => {
    void (async () => {
      const body = await readBody(request);
      if (request.method === 'PUT' && request.url === '/egress') {
        egressPort = egressMessage.parse(JSON.parse(body.toString())).port ?? egressPort;
        response.writeHead(204).end();
      } else if (request.method === 'GET' && request.url === '/ca') {
        response.writeHead(200, { 'content-type': 'application/x-pem-file' }).end(authorityPem);
      } else response.writeHead(404).end();
    })();
  });
  const open = new Set<Socket>();
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    open.add(client);
    client.once('close', () => open.delete(client));
    client.on('error', () => client.destroy());
    const [, port] = String(request.headers['x-dst-addr']).split(':');
    const path = port === '3000' ? controlSocket() : null;
    if (path === null) {
      client.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      return;
    }
    const container = connect(path, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      if (head.length > 0) container.write(head);
      container.pipe(client).pipe(container);
    });
    container.on('error', () => client.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    client.once('close', () => container.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ingressPort: portOf(server),
    egressPort: () => egressPort,
    close() {
      server.close();
      server.closeAllConnections();
      for (const socket of open) socket.destroy();
    },
  };
}
