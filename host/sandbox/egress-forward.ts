/**
 * Carries one checked request to the Worker's egress socket and its answer back, streaming both ways. Decides nothing about the request.
 *
 * Form: an HTTP proxy request (absolute URL in the request line), plus `x-airlock-sandbox`, `x-airlock-token` and `x-airlock-sni`.
 * A request refused at the gateway is reported the same way, without a body, with `x-airlock-refused: <code>` and the method that the
 * sandbox named in `x-airlock-method`.
 */
import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { endToEndHeaders, type RefusalCode } from './request-head.ts';

export interface EgressSocket {
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  /** Known to the Worker and the gateways only; never seen by a sandbox. */
  readonly token: string;
}

export interface Forward {
  readonly sandboxId: string;
  readonly url: string;
  readonly hostname: string;
  readonly sni: string | null;
  readonly headers: readonly string[];
}

const connectMs = 10_000;
/** A model may think for minutes between two events of its stream. */
const idleMs = 600_000;
const reportMs = 10_000;
/** Below the five seconds after which workerd closes an idle connection: a connection must not be closed while we reuse it. */
const idleConnectionMs = 2_000;

export interface Egress {
  forward(incoming: IncomingMessage, answer: ServerResponse, forward: Forward): void;
  /** Best effort: the request is refused, whether the report arrives or not. */
  report(refused: {
    sandboxId: string;
    code: RefusalCode;
    method: string;
    url: string;
    sni: string | null;
  }): void;
  close(): void;
}

/** Of one sandbox, so that none silences another. Beyond these it is only making noise, and the receipt has its first lines already. */
const maxReportsInFlight = 32;
const plainMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** `socket` is asked anew for each request: a restarted Worker listens elsewhere. */
export function createEgress(socket: () => EgressSocket): Egress {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 32, timeout: idleConnectionMs });
  const reports = new Map<string, number>();

  return {
    forward(incoming, answer, { sandboxId, url, hostname, sni, headers }) {
      const { host, port, token } = target(socket());
      const chunked =
        incoming.headers['transfer-encoding'] === undefined ? [] : ['transfer-encoding', 'chunked'];
      const own = [
        'x-airlock-sandbox',
        sandboxId,
        'x-airlock-token',
        token,
        ...(sni === null ? [] : ['x-airlock-sni', sni]),
      ];
      const outgoing = httpRequest({
        host,
        port,
        agent,
        method: incoming.method ?? 'GET',
        path: url,
        setHost: false,
        timeout: idleMs,
        headers: [...replaceHost(headers, hostname), ...chunked, ...own],
      });
      outgoing.on('socket', (connection) => {
        if (!connection.connecting) return;
        const timer = setTimeout(() => outgoing.destroy(new Error('connect timeout')), connectMs);
        connection.once('connect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('idle timeout')));
      outgoing.on('error', () => unreachable(answer));
      outgoing.on('response', (response) => {
        answer.writeHead(response.statusCode ?? 502, endToEndHeaders(response.rawHeaders));
        response.on('error', () => answer.destroy());
        // Without this a broken-off answer would look to the sandbox like a whole one.
        response.on('aborted', () => answer.destroy());
        response.pipe(answer);
      });
      answer.on('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    },

    report({ sandboxId, code, method, url, sni }) {
      const inFlight = reports.get(sandboxId) ?? 0;
      if (inFlight >= maxReportsInFlight) return;
      const { host, port, token } = target(socket());
      const headers: OutgoingHttpHeaders = {
        host: new URL(url).hostname,
        'x-airlock-sandbox': sandboxId,
        'x-airlock-token': token,
        'x-airlock-refused': code,
        'x-airlock-method': method,
        ...(sni === null ? {} : { 'x-airlock-sni': sni }),
      };
      // CONNECT and made-up methods would mean something else to an HTTP server than a report.
      const reported = plainMethods.has(method) ? method : 'GET';
      reports.set(sandboxId, inFlight + 1);
      const outgoing = httpRequest(
        { host, port, agent, method: reported, path: url, headers, timeout: reportMs },
        (response) => response.resume(),
      );
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', () => undefined);
      outgoing.on('close', () => {
        const left = (reports.get(sandboxId) ?? 1) - 1;
        if (left > 0) reports.set(sandboxId, left);
        else reports.delete(sandboxId);
      });
      outgoing.end();
    },

    close: () => agent.destroy(),
  };
}

function target({ origin, token }: EgressSocket) {
  const { hostname: host, port } = new URL(origin);
  return { host, port, token };
}

function replaceHost(headers: readonly string[], hostname: string): string[] {
  const kept: string[] = ['host', hostname];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (name.toLowerCase() !== 'host') kept.push(name, headers[at + 1] ?? '');
  }
  return kept;
}

/** The Worker is restarting, or gone. Clients that know the header come again in a second. */
function unreachable(answer: ServerResponse): void {
  if (answer.headersSent) {
    answer.destroy();
    return;
  }
  const body = JSON.stringify({
    error: { message: 'the gateway cannot be reached', type: 'airlock', code: 'unavailable' },
  });
  answer
    .writeHead(503, { 'content-type': 'application/json', 'content-length': body.length, 'retry-after': '1' })
    .end(body);
}
