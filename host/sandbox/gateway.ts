/**
 * Runs one sandbox's gateway, its only connection to the outside. Terminates TLS, refuses ambiguous
 * addresses, and forwards the rest to the Worker, which decides. Holds no credential.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { Egress } from './egress-forward.ts';
import { parseHostname } from './hostname.ts';
import { checkRequestHead, type RefusalCode } from './request-head.ts';

export interface Gateway {
  /** Closes the servers and every connection through them. */
  close(): void;
}

export interface GatewayOptions {
  readonly sandboxId: string;
  /** Existing folder with mode 0700. The gateway creates `http.sock` and `tls.sock` in it. */
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly egress: Egress;
}

const maxConnections = 256;
const limits: ServerOptions = {
  // Node's strictest parser refuses conflicting lengths, bare line feeds and similar framing tricks.
  insecureHTTPParser: false,
  // `checkRequestHead` refuses a missing or repeated Host header, so that the refusal is in the receipt.
  requireHostHeader: false,
  maxHeaderSize: 64 * 1024,
  headersTimeout: 30_000,
  // For the whole request, including its body.
  requestTimeout: 600_000,
  keepAliveTimeout: 60_000,
};

/** Shown in the receipt for a request without a valid host. */
const unknownHost = 'unknown.invalid';
/** Shown in the receipt for a request without a method: it ended early or is not HTTP. */
const unknownMethod = 'UNKNOWN';

const statuses: Readonly<Partial<Record<RefusalCode, number>>> = { connect: 405, upgrade: 426 };

/** Starts both servers; resolves when they listen. */
export async function openGateway({
  sandboxId,
  folder,
  authority,
  egress,
}: GatewayOptions): Promise<Gateway> {
  const plain = createHttpServer(limits);
  const secure = createHttpsServer({
    ...limits,
    // For a client without SNI. If it accepts this certificate, its request is refused and recorded.
    ...authority.withoutServerName,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    SNICallback: (name, done) => void selectCertificate(name, done),
  });

  function refuse(
    code: RefusalCode,
    about: { method: string; scheme: string; hostname: string | null; sni: string | null },
  ): void {
    const url = `${about.scheme}://${about.hostname ?? unknownHost}/`;
    egress.report({ sandboxId, code, method: about.method, url, sni: about.sni });
  }

  async function selectCertificate(
    name: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): Promise<void> {
    const hostname = parseHostname(name);
    if (hostname === null) {
      refuse('malformed', { method: unknownMethod, scheme: 'https', hostname: null, sni: null });
      done(new Error('invalid server name'));
      return;
    }
    try {
      done(null, await authority.contextFor(hostname));
    } catch {
      done(new Error('no certificate'));
    }
  }

  function serve(server: Server, scheme: 'http' | 'https', path: string): Promise<void> {
    const onRequest = (incoming: IncomingMessage, answer: ServerResponse): void => {
      try {
        handle(incoming, answer);
      } catch {
        // A defect of ours. Uncaught, it would end the host and every sandbox with it.
        answer.destroy();
      }
    };
    const handle = (incoming: IncomingMessage, answer: ServerResponse): void => {
      const sni = sniOf(incoming.socket);
      const method = incoming.method ?? 'GET';
      const verdict = checkRequestHead({
        method,
        target: incoming.url ?? '',
        rawHeaders: incoming.rawHeaders,
        scheme,
        sni,
      });
      if (verdict.kind === 'forward') {
        egress.forward(incoming, answer, { sandboxId, sni, ...verdict });
        return;
      }
      refuse(verdict.code, { method, scheme, hostname: verdict.hostname, sni });
      // Close the connection: after an ambiguous request, the framing of what follows cannot be trusted.
      const body = refusalBody(verdict.code);
      const headers = {
        'content-type': 'application/json',
        'content-length': body.length,
        connection: 'close',
      };
      answer.writeHead(statuses[verdict.code] ?? 400, headers).end(body);
    };
    server.on('request', onRequest);
    server.on('checkContinue', (incoming: IncomingMessage, answer: ServerResponse) => {
      answer.writeContinue();
      onRequest(incoming, answer);
    });
    server.on('checkExpectation', onRequest);
    server.on('connect', (incoming: IncomingMessage, socket: Duplex) => {
      const sni = sniOf(incoming.socket);
      refuse('connect', { method: 'CONNECT', scheme, hostname: sni ?? connectHost(incoming.url ?? ''), sni });
      endRaw(socket, 405, 'connect');
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (!isParseError(error)) {
        // A reset, a timeout or an abandoned handshake: the sandbox attempted no request.
        socket.destroy();
        return;
      }
      if (!socket.writable) {
        // This connection was refused already. One attempt gives one report, in however many pieces it
        // arrives.
        socket.destroy();
        return;
      }
      const sni = sniOf(socket);
      refuse('malformed', { method: methodIn(error), scheme, hostname: sni, sni });
      endRaw(socket, 400, 'malformed');
    });
    server.maxConnections = maxConnections;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => resolve());
    });
  }

  await Promise.all([
    serve(plain, 'http', join(folder, 'http.sock')),
    serve(secure, 'https', join(folder, 'tls.sock')),
  ]);
  return {
    close() {
      for (const server of [plain, secure]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function refusalBody(code: RefusalCode): string {
  return JSON.stringify({
    error: { message: 'the request was refused at the gateway', type: 'airlock', code },
  });
}

function endRaw(socket: Duplex, status: number, code: RefusalCode): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.on('error', () => socket.destroy());
  const body = refusalBody(code);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function sniOf(socket: Duplex): string | null {
  return socket instanceof TLSSocket && typeof socket.servername === 'string'
    ? parseHostname(socket.servername)
    : null;
}

function connectHost(target: string): string | null {
  return parseHostname(target.replace(/:\d+$/, ''));
}

/** Reads the method from the bytes that Node's HTTP parser rejected. */
function methodIn(error: Error): string {
  const bytes = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : Buffer.alloc(0);
  return /^[A-Za-z-]{1,20}(?= )/.exec(bytes.toString('latin1', 0, 32))?.[0] ?? unknownMethod;
}

/** Of Node's HTTP parser, except a request that ended early, which attempted nothing. */
function isParseError(error: NodeJS.ErrnoException): boolean {
  return error.code !== undefined && error.code.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE';
}
