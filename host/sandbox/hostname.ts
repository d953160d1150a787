/**
 * Parses host names at the gateway. Stricter than DNS: no trailing dot, no underscore, no port, ASCII only.
 */

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const hostname = new RegExp(`^${label}(?:\\.${label})*$`);

/**
 * Returns the name in lower case, or null if it is not one. At most 253 characters (RFC 1035, 2.3.4). Accepts
 * IPv4 addresses, which have the same syntax. Every name it returns is valid in a URL: `1.2.3.256` is not,
 * because a name that ends in a number is read as an address.
 */
export function parseHostname(text: string): string | null {
  const lower = text.toLowerCase();
  return lower.length <= 253 && hostname.test(lower) && URL.canParse(`http://${lower}`) ? lower : null;
}
