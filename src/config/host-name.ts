/** Which names may be listed as hosts, for setup or for the run. Whether a request to one passes is the egress handler's decision. */

/**
 * These carry credentials of ours and take uploads from anybody with an account: an open door out of the sandbox.
 * Not listed: other sites that take uploads, since a config that names one does so knowingly, and hosts in a list are for GET and HEAD only.
 */
const ours = ['github.com', 'githubusercontent.com', 'githubapp.com', 'ghe.com', 'openai.com', 'chatgpt.com'];
const internal = ['localhost', 'local', 'internal', 'localdomain', 'home.arpa', 'onion'];

/** What is wrong with it as a plain host name, or null. */
export function hostNameProblem(host: string): string | null {
  if (host.includes('://')) return 'a host name without a scheme, such as "packages.example.com"';
  if (host.includes('/')) return 'a host name without a path, such as "packages.example.com"';
  if (host.includes('*')) return 'one host name, not a pattern: list each host by its name';
  if (/^\[|^[^:]*:[^:]*:/.test(host) || /^[\d.]+$/.test(host)) return 'a host name, not an IP address';
  if (host.includes(':')) return 'a host name without a port: there are only 443 and 80';
  if (host.includes('@')) return 'a host name without a user';
  const name = host.toLowerCase();
  const labels = name.split('.');
  const wellFormed = labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  if (name.length > 253 || !wellFormed) return 'a host name such as "packages.example.com"';
  const within = (domain: string): boolean => name === domain || name.endsWith(`.${domain}`);
  if (internal.some(within) || labels.length < 2)
    return 'a public host name with its domain, such as "packages.example.com"';
  // `0x7f.1` and the like are addresses to some resolvers; no top-level domain begins with a digit.
  if (/^\d/.test(labels.at(-1) ?? '')) return 'a host name, not an IP address';
  if (ours.some(within)) return 'a host other than GitHub and OpenAI: a list never opens these';
  return null;
}
