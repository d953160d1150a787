/** Refuses a request whose head does not name its destination unambiguously. The Worker decides the rest. */
import { foreignInTarget } from '../../src/egress/request-url.ts';
import { parseHostname } from './hostname.ts';

export interface RawHead {
  readonly method: string;
  /** The request target, as sent in the request line. */
  readonly target: string;
  /** Alternating names and values, as received. */
  readonly rawHeaders: readonly string[];
  readonly scheme: 'http' | 'https';
  /** Server name of the TLS handshake; null without TLS and for a client that sent none. */
  readonly sni: string | null;
}

export type RefusalCode =
  | 'host_missing'
  | 'host_repeated'
  | 'host_invalid'
  | 'host_port'
  | 'sni_missing'
  | 'sni_mismatch'
  | 'target_invalid'
  | 'target_mismatch'
  | 'connect'
  | 'method_unknown'
  | 'upgrade'
  | 'malformed'
  /** Not refused here: the answer did not come from the egress handler. */
  | 'unhandled';

export type HeadVerdict =
  | {
      readonly kind: 'forward';
      readonly url: string;
      readonly hostname: string;
      readonly headers: readonly string[];
    }
  | { readonly kind: 'refuse'; readonly code: RefusalCode; readonly hostname: string | null };

/** workerd answers any other method with 501 by itself, and the request would be in no receipt. */
const methods = new Set(
  (
    'ACL CHECKOUT COPY DELETE GET HEAD LOCK MERGE MKACTIVITY MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND ' +
    'PROPPATCH PURGE PUT QUERY REPORT SEARCH SUBSCRIBE TRACE UNLOCK UNSUBSCRIBE'
  ).split(' '),
);
const defaultPorts = { http: '80', https: '443' };

/** Connection-specific headers (RFC 9110, 7.6.1), and `expect`, which the gateway has answered already. */
const dropped = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const ownPrefix = 'x-airlock-';

/** Returns the URL and headers to forward, or the first reason to refuse. */
export function checkRequestHead(head: RawHead): HeadVerdict {
  const refuse = (code: RefusalCode, hostname: string | null): HeadVerdict => ({
    kind: 'refuse',
    code,
    hostname,
  });
  const hosts = valuesOf(head.rawHeaders, 'host');
  const [host] = hosts;
  if (host === undefined) return refuse('host_missing', head.sni);
  if (hosts.length > 1) return refuse('host_repeated', head.sni);
  const [, name = '', port] = /^([^:]*)(?::(\d*))?$/.exec(host) ?? [];
  const hostname = parseHostname(name);
  if (hostname === null) return refuse('host_invalid', head.sni);
  if (port !== undefined && port !== defaultPorts[head.scheme]) return refuse('host_port', hostname);
  if (head.scheme === 'https' && head.sni === null) return refuse('sni_missing', hostname);
  if (head.scheme === 'https' && head.sni !== hostname) return refuse('sni_mismatch', hostname);
  // Node emits CONNECT as an event of its own, so no tunnel can open here; this row is for completeness.
  if (head.method === 'CONNECT') return refuse('connect', hostname);
  if (!methods.has(head.method)) return refuse('method_unknown', hostname);
  if (valuesOf(head.rawHeaders, 'upgrade').length > 0) return refuse('upgrade', hostname);
  const path = pathOf(head.target, head.scheme, hostname);
  if (path.kind === 'refuse') return refuse(path.code, hostname);
  return {
    kind: 'forward',
    // Joined as text, not through a URL parser, so that the Worker sees the path exactly as it was sent.
    url: `${head.scheme}://${hostname}${path.path}`,
    hostname,
    headers: endToEndHeaders(head.rawHeaders),
  };
}

type Path =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'refuse'; readonly code: RefusalCode };

/** Accepts the origin form, and the absolute form if it agrees with Host (RFC 9112, 3.2). */
function pathOf(target: string, scheme: 'http' | 'https', hostname: string): Path {
  // A request target has no fragment. An authority is compared as a whole below.
  if (foreignInTarget.test(target)) return { kind: 'refuse', code: 'target_invalid' };
  if (target.startsWith('/')) return { kind: 'path', path: target };
  const absolute = /^([a-z][a-z0-9+.-]*):\/\/([^/?]*)(.*)$/i.exec(target);
  if (absolute === null) return { kind: 'refuse', code: 'target_invalid' };
  const [, targetScheme = '', authority = '', rest = ''] = absolute;
  const named = authority.toLowerCase();
  const agrees = named === hostname || named === `${hostname}:${defaultPorts[scheme]}`;
  if (targetScheme.toLowerCase() !== scheme || !agrees) return { kind: 'refuse', code: 'target_mismatch' };
  return { kind: 'path', path: rest.startsWith('/') ? rest : `/${rest}` };
}

/** Removes connection-specific and `x-airlock-…` headers, which only the gateway sets. */
export function endToEndHeaders(rawHeaders: readonly string[]): string[] {
  const named = new Set(
    valuesOf(rawHeaders, 'connection').flatMap((value) =>
      value.split(',').map((name) => name.trim().toLowerCase()),
    ),
  );
  const kept: string[] = [];
  for (const [name, value] of pairs(rawHeaders)) {
    const lower = name.toLowerCase();
    if (dropped.has(lower) || lower.startsWith(ownPrefix)) continue;
    // The Connection header must not remove the headers that frame the message and name its host.
    if (named.has(lower) && lower !== 'content-length' && lower !== 'host') continue;
    kept.push(name, value);
  }
  return kept;
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return [...pairs(rawHeaders)].filter(([header]) => header.toLowerCase() === name).map(([, value]) => value);
}

function* pairs(rawHeaders: readonly string[]): Generator<readonly [string, string]> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    yield [rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''];
}
