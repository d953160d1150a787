/**
 * Spells the pieces of an attack out: as a URL with headers for a decision, and as bytes for a connection.
 */
import { bytesOf } from '../inside/body.mts';
import type { Tls } from '../inside/plan.mts';
import type { BytePieces, RequestPieces } from './attack.ts';

const isAbsolute = (target: string): boolean => /^[a-z][a-z0-9+.-]*:/i.test(target);

/** What the decision takes for the URL: the target itself where it is absolute. */
export const urlOf = ({ scheme, host, target }: RequestPieces): string =>
  isAbsolute(target) ? target : `${scheme}://${host}${target}`;

/** Lower-case names; the values of a repeated header joined, as every platform does. */
export function headersOf(pieces: RequestPieces): ReadonlyMap<string, string> {
  const found = new Map<string, string>([['host', pieces.host]]);
  for (const line of headLines(pieces).slice(2)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = found.get(name);
    found.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return found;
}

export function bodyOf({ body }: RequestPieces): Uint8Array {
  return body === null ? new Uint8Array() : bytesOf(body);
}

/** The name in the TLS handshake: the host where it is a name, and none for an address, as clients do it. */
export function handshakeOf({ scheme, host }: RequestPieces): Tls | null {
  if (scheme === 'http') return null;
  const name = host.replace(/:\d*$/, '');
  if (/^[\d.]+$/.test(name) && name.includes('.')) return { servername: null };
  return { servername: /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i.test(name) ? name : 'github.com' };
}

/** The whole request on a connection, one array per write. */
export function requestBytes(pieces: RequestPieces, ...more: readonly string[]): readonly Uint8Array[] {
  const text = `${[...headLines(pieces), ...more].join('\r\n')}\r\n\r\n`;
  const body = bodyOf(pieces);
  const framed = isChunked(pieces)
    ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])
    : body;
  return [latin1(text), ...(framed.length === 0 ? [] : [framed])];
}

export function byteSteps({ steps }: BytePieces): readonly Uint8Array[] {
  return steps.flatMap((step) => {
    if ('send' in step) return [latin1(step.send)];
    return 'sendRepeated' in step ? [latin1(step.sendRepeated.repeat(step.times))] : [];
  });
}

export const hangsUp = ({ steps }: BytePieces): boolean => steps.some((step) => 'end' in step);

const namesHeader = ({ headers }: RequestPieces, name: string): boolean =>
  headers.some((line) => line.toLowerCase().startsWith(`${name}:`));
const isChunked = (pieces: RequestPieces): boolean =>
  pieces.body !== null && pieces.headers.some((line) => /^transfer-encoding: *chunked$/i.test(line));

function headLines(pieces: RequestPieces): string[] {
  const { method, target, host, headers, body } = pieces;
  const framed = namesHeader(pieces, 'content-length') || namesHeader(pieces, 'transfer-encoding');
  return [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...headers,
    ...(body === null || framed ? [] : [`Content-Length: ${bytesOf(body).length}`]),
  ];
}

export const latin1Text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** One character is one byte; a character beyond becomes the bytes of its UTF-8. */
const latin1 = (text: string): Uint8Array =>
  Buffer.concat(
    [...text.matchAll(/[\0-\xff]+|[^\0-\xff]+/gu)].map(([run]) =>
      Buffer.from(run, run.charCodeAt(0) > 0xff ? 'utf8' : 'latin1'),
    ),
  );
