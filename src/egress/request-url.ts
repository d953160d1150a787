/**
 * Parses a sandbox's URL, and denies every spelling but the plain one: dot segments, encoded letters,
 * backslashes, ports and user names may mean something else to the next program. No client of ours writes
 * them.
 */
import { egressLimits } from './limits.ts';
import { deny, type Denial } from './verdict.ts';

export interface RequestUrl {
  readonly kind: 'url';
  readonly hostname: string;
  readonly host: string;
  /** Verbatim, and equal to what the URL standard makes of it. */
  readonly path: string;
  /** With its question mark; empty without a query. */
  readonly query: string;
}

/** What no path or query may hold (RFC 3986, 3.3 and 3.4). The gateway of one machine refuses the same. */
export const foreignInTarget = /[^\w.~:/?@!$&'()*+,;=%-]|%(?![0-9a-f]{2})/i;

const shape = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?(#.*)?$/i;

export function readRequestUrl(raw: string): RequestUrl | Denial {
  if (raw.length > egressLimits.urlCharacters) return deny('url.length', 'the URL is too long', 414);
  // Spaces, control characters and everything beyond ASCII. Clients encode these; URL parsers strip some of
  // them.
  if (/[^\x21-\x7e]|\\/.test(raw))
    return deny('url.characters', 'the URL has characters that no URL may have', 400);
  const [, scheme, authority = '', path = '/', query = '', fragment] = shape.exec(raw) ?? [];
  if (scheme === undefined) return deny('url.invalid', 'the request URL is not valid', 400);
  if (!/^https?$/i.test(scheme)) return deny('url.scheme', 'only http and https leave the sandbox');
  if (authority.includes('@'))
    return deny('url.userinfo', 'a URL that carries a user name or password is refused');
  if (foreignInTarget.test(path + query))
    return deny('url.characters', 'the URL has characters that no URL may have', 400);
  if (fragment !== undefined) return deny('url.fragment', 'a URL with a fragment is refused', 400);
  const url = URL.parse(raw);
  if (url === null) return deny('url.invalid', 'the request URL is not valid', 400);
  if (url.port !== '' || authority.endsWith(':'))
    return deny('url.port', 'only the standard ports leave the sandbox');
  const standardPort = url.protocol === 'https:' ? ':443' : ':80';
  const plainHost = authority.toLowerCase().endsWith(standardPort)
    ? authority.slice(0, -standardPort.length)
    : authority;
  if (plainHost.toLowerCase() !== url.host || path !== url.pathname || query !== url.search)
    return deny('url.not-plain', 'a URL with dot segments or needless encodings is refused', 400);
  return { kind: 'url', hostname: url.hostname, host: url.host, path, query };
}
