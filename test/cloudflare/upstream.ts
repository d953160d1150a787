/** What stands for GitHub and OpenAI: answers everything and writes down what reached it, credentials included. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { portOf, readBody } from '../fake-engine/http-parts.ts';

export interface Reached {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export async function startUpstream() {
  const reached: Reached[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    void readBody(request).then(
      (body) => {
        reached.push({ method, url, headers, body });
        if (url.startsWith('/github/acme/moved.git'))
          response.writeHead(301, { location: 'http://attacker.example/' });
        response.end('from upstream');
      },
      // Broken off on the way: it has reached upstream all the same.
      () => reached.push({ method, url, headers, body: Buffer.from('broken off') }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    reached,
    port: portOf(server),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
