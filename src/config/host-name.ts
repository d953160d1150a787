/** Checks which host names a configuration may list. The egress handler decides each request. */
import { githubPackages, reservedAs } from '../core/reserved-hosts.ts';

/** Says what a host name should have been; null if it may be listed. */
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
  const reserved = reservedAs(name);
  if (reserved === 'internal' || labels.length < 2)
    return 'a public host name with its domain, such as "packages.example.com"';
  // `0x7f.1` and the like are addresses to some resolvers; no top-level domain begins with a digit.
  if (/^\d/.test(labels.at(-1) ?? '')) return 'a host name, not an IP address';
  if (reserved === 'credential') return 'a host other than GitHub and OpenAI: a list never opens these';
  return null;
}

/** The same for a private registry or its storage, of which GitHub has some. */
export function registryHostProblem(host: string): string | null {
  return githubPackages.test(host.toLowerCase()) ? null : hostNameProblem(host);
}
