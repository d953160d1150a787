/**
 * Forwards one checked request to the Worker and streams the answer back. Wire format: an HTTP proxy request
 * (absolute URL) with `x-airlock-sandbox`, `-token` and `-sni`; a refused one is reported without a body,
 * with `-refused: <code>` and `-method`. The handler marks each of its answers with `x-airlock-handled`; one
 * without came from workerd itself, is reported as `unhandled`, and does not reach the sandbox.
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
  /** Secret shared by the Worker and the gateways. No sandbox ever sees it. */
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
/** A model can think for minutes between two events of its stream. */
const idleMs = 600_000;
const reportMs = 10_000;
/** Below workerd's own idle timeout of 5 s, so that workerd never closes a connection while we reuse it. */
const idleConnectionMs = 2_000;

interface Refused {
  readonly sandboxId: string;
  readonly code: RefusalCode;
  readonly method: string;
  readonly url: string;
  readonly sni: string | null;
}

export interface Egress {
  forward(incoming: IncomingMessage, answer: ServerResponse, forward: Forward): void;
  /** Reports a request that the gateway refused, for the receipt. Best effort: it is refused either way. */
  report(refused: Refused): void;
  close(): void;
}

/** Per sandbox, so that one cannot suppress another's reports. A flood's further ones are only counted. */
const maxReportsInFlight = 32;
const plainMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** `socket` is called for each request, because a restarted Worker listens on another port. */
export function createEgress(socket: () => EgressSocket): Egress {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 32, timeout: idleConnectionMs });
  const reports = new Map<string, number>();
  /** The last refusal of a flood, which is reported as soon as another report has ended, and their number. */
  const held = new Map<string, { readonly refused: Refused; readonly many: number }>();

  return {
    forward(incoming, answer, { sandboxId, url, hostname, sni, headers }) {
      const { host, port, token } = target(socket());
      const chunked =
        incoming.headers['transfer-encoding'] === undefined ? [] : ['transfer-encoding', 'chunked'];
      const ownHeaders = [
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
        headers: [...replaceHost(headers, hostname), ...chunked, ...ownHeaders],
      });
      outgoing.on('socket', (connection) => {
        if (!connection.connecting) return;
        const timer = setTimeout(() => outgoing.destroy(new Error('connect timeout')), connectMs);
        connection.once('connect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('idle timeout')));
      outgoing.on('error', () => answerUnavailable(answer));
      outgoing.on('response', (response) => {
        if (response.headers['x-airlock-handled'] === undefined) {
          response.resume();
          const origin = url.slice(0, url.indexOf('/', 'https://'.length));
          const method = incoming.method ?? 'GET';
          this.report({ sandboxId, code: 'unhandled', method, url: `${origin}/`, sni });
          answerUnavailable(answer);
          return;
        }
        answer.writeHead(response.statusCode ?? 502, endToEndHeaders(response.rawHeaders));
        response.on('error', () => answer.destroy());
        // Without this the sandbox would take a truncated answer for a complete one.
        response.on('aborted', () => answer.destroy());
        response.pipe(answer);
      });
      answer.on('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    },

    report(refused) {
      const { sandboxId, code, method, url, sni } = refused;
      const inFlight = reports.get(sandboxId) ?? 0;
      const { many: before } = held.get(sandboxId) ?? { many: 0 };
      if (inFlight >= maxReportsInFlight) {
        held.set(sandboxId, { refused, many: before + 1 });
        return;
      }
      held.delete(sandboxId);
      const { host, port, token } = target(socket());
      const headers: OutgoingHttpHeaders = {
        host: new URL(url).hostname,
        'x-airlock-sandbox': sandboxId,
        'x-airlock-token': token,
        'x-airlock-refused': code,
        'x-airlock-method': method,
        ...(before === 0 ? {} : { 'x-airlock-more': String(before) }),
        ...(sni === null ? {} : { 'x-airlock-sni': sni }),
      };
      // workerd would not accept CONNECT or an unknown method as an ordinary request.
      const reported = plainMethods.has(method) ? method : 'GET';
      reports.set(sandboxId, inFlight + 1);
      const outgoing = httpRequest(
        { host, port, agent, method: reported, path: url, headers, timeout: reportMs },
        (response) => response.resume(),
      );
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', () => undefined);
      outgoing.on('close', () => {
        const remaining = (reports.get(sandboxId) ?? 1) - 1;
        if (remaining > 0) reports.set(sandboxId, remaining);
        else reports.delete(sandboxId);
        const last = held.get(sandboxId);
        if (last === undefined) return;
        held.set(sandboxId, { ...last, many: last.many - 1 });
        this.report(last.refused);
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

/** 503 while the Worker restarts. Clients that honour `retry-after` retry after a second. */
function answerUnavailable(answer: ServerResponse): void {
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
