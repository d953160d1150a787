/** A stand-in for GitHub and OpenAI: answers every request and records it, credentials included. */
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
  let open = 0;
  const server = createServer((request, response) => {
    open += 1;
    response.on('close', () => (open -= 1));
    const { method = '', url = '', headers } = request;
    void readBody(request).then(
      (body) => {
        reached.push({ method, url, headers, body });
        if (url.startsWith('/github/acme/moved.git'))
          response.writeHead(301, { location: 'http://attacker.example/' });
        if (upstream.keepsAnswering) response.write('from upstream');
        else response.end('from upstream');
      },
      // It ended early, but it has reached upstream.
      () => reached.push({ method, url, headers, body: Buffer.from('truncated') }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream = {
    reached,
    /** Requests whose answer has not ended. */
    open: () => open,
    /** Begins its answers, and ends none. */
    keepsAnswering: false,
    port: portOf(server),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return upstream;
}
