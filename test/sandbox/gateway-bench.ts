/** Opens a gateway on real sockets, with a stand-in for the Worker behind it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import {
  createCertificateAuthority,
  type CertificateAuthority,
} from '../../host/sandbox/certificate-authority.ts';
import { createEgress, type Egress } from '../../host/sandbox/egress-forward.ts';
import { openGateway } from '../../host/sandbox/gateway.ts';

export interface Arrived {
  readonly line: string;
  readonly headers: readonly string[];
  body: string;
}

export interface GatewayBench {
  readonly sandboxId: string;
  readonly authority: CertificateAuthority;
  readonly egress: Egress;
  /** The requests that arrived at the Worker: forwarded ones and reports of refused ones. */
  readonly arrived: Arrived[];
  respond: (request: IncomingMessage, response: ServerResponse) => void;
  /** Where the Worker is. */
  origin: string;
  plain(): Socket;
  /** undefined: a handshake without a name. */
  secure(servername: string | undefined, options?: { readonly trusting?: boolean }): TLSSocket;
  readonly tlsPath: string;
  close(): Promise<void>;
}

export async function openGatewayBench(): Promise<GatewayBench> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-gateway-'));
  const worker = createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    const entry = { line: `${request.method} ${request.url}`, headers: request.rawHeaders, body: '' };
    bench.arrived.push(entry);
    request.on('data', (chunk: Buffer) => (entry.body += chunk.toString('latin1')));
    response.setHeader('x-airlock-handled', '1');
    bench.respond(request, response);
  });
  await new Promise<void>((resolve) => worker.listen(0, '127.0.0.1', resolve));
  const address = worker.address();
  const authority = await createCertificateAuthority(Date.now());
  const egress = createEgress(() => ({ origin: bench.origin, token: 'gateway-token' }));
  const tlsPath = join(folder, 'tls.sock');
  const bench: GatewayBench = {
    sandboxId: 'a'.repeat(64),
    authority,
    egress,
    arrived: [],
    // After the whole body, which a test may want to compare.
    respond: (request, response) => void request.on('end', () => response.end('from the Worker')),
    origin: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    plain: () => connectPlain(join(folder, 'http.sock')),
    secure: (servername, { trusting = false } = {}) =>
      connectTls({
        path: tlsPath,
        ca: authority.certificatePem,
        ...(servername === undefined ? {} : { servername }),
        ...(servername === undefined || trusting ? { rejectUnauthorized: false } : {}),
      }),
    tlsPath,
    async close() {
      gateway.close();
      egress.close();
      worker.close();
      worker.closeAllConnections();
      await rm(folder, { recursive: true });
    },
  };
  const gateway = await openGateway({ sandboxId: bench.sandboxId, folder, authority, egress });
  return bench;
}

/** The value of a header in a list of names and values; undefined when it is missing. */
export const valueOf = (headers: readonly string[] | undefined, name: string): string | undefined =>
  headers?.find((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name);
