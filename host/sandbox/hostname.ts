/** Parses host names at the gateway, stricter than DNS: no dot at the end, underscore or port. */

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const hostname = new RegExp(`^${label}(?:\\.${label})*$`);

/**
 * In lower case; null if it is none. At most 253 characters (RFC 1035, 2.3.4). Valid in a URL, as an IPv4
 * address is: `1.2.3.256` is not.
 */
export function parseHostname(text: string): string | null {
  const lower = text.toLowerCase();
  return lower.length <= 253 && hostname.test(lower) && URL.canParse(`http://${lower}`) ? lower : null;
}
