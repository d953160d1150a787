/**
 * What counts as a host name at the gateway. Stricter than DNS: no trailing dot, no underscore, no port, only ASCII.
 */

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const hostname = new RegExp(`^${label}(?:\\.${label})*$`);

/** In lower case, or null. At most 253 characters (RFC 1035, 2.3.4). IPv4 addresses pass: they are written like names. */
export function parseHostname(text: string): string | null {
  const lower = text.toLowerCase();
  return lower.length <= 253 && hostname.test(lower) ? lower : null;
}
