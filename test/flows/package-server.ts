/** A package host that a test configuration lists. Serves one package and records every request. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';

export interface PackageRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}
export interface PackageServer {
  readonly origin: string;
  readonly requests: readonly PackageRequest[];
  close(): Promise<void>;
}

/** What `/cents.js` holds: a module that the repository's test needs. */
const centsModule = 'export const cents = (amount) => Math.round(amount * 100);\n';

export async function startPackageServer(): Promise<PackageServer> {
  const requests: PackageRequest[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    requests.push({ method: request.method ?? '', path, headers: request.headers });
    request.resume();
    if (path === '/cents.js') response.end(centsModule);
    else if (path === '/moved') response.writeHead(302, { location: 'https://elsewhere.example.org/' }).end();
    else response.writeHead(404).end('no such package\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the package server has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
