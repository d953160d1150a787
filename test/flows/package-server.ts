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

/** Everything below `/private/` wants this token. `blobs`: the host of its storage. */
export const privateRegistry = {
  token: `npm_${crypto.randomUUID().replaceAll('-', '')}`,
  blobs: 'blobs.example.com',
} as const;

export async function startPackageServer(): Promise<PackageServer> {
  const requests: PackageRequest[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const { method = '', headers } = request;
    requests.push({ method, path, headers });
    request.resume();
    const redirects: Readonly<Record<string, string>> = {
      '/moved': 'https://elsewhere.example.org/',
      '/private/moved': 'https://elsewhere.example.org/loot',
      '/private/cents.tgz': `https://${privateRegistry.blobs}/cents.js?signature=1`,
    };
    const location = redirects[path];
    if (path.startsWith('/private/') && headers.authorization !== `Bearer ${privateRegistry.token}`)
      response.writeHead(401).end('who are you?\n');
    else if (path === '/private/echo') response.end(`${'-'.repeat(100_000)}\n${JSON.stringify(headers)}\n`);
    else if (path === '/private/echo-header')
      response.writeHead(200, { etag: String(headers.authorization) }).end();
    else if (path.startsWith('/cents.js') || path === '/private/cents.js') response.end(centsModule);
    else if (location !== undefined) response.writeHead(302, { location }).end();
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
