/**
 * Decides on private registries: GET and HEAD below the listed path, in the phase `setup` alone, with a
 * credential that the handler adds. Also decides where a registry may redirect to.
 */
import type { Grant } from '../core/grant.ts';
import { reservedForRegistries, type Registry } from '../core/registry.ts';
import { mayBeNamed } from './host-rules.ts';
import { hasBody } from './http-rules.ts';
import { readRequestUrl, type RequestUrl } from './request-url.ts';
import { deny, type EgressVerdict, type RequestHead } from './verdict.ts';

/** `registries`: the entries of the URL's host, at least one. */
export function decideRegistry(
  { method, header }: RequestHead,
  url: RequestUrl,
  { phase }: Grant,
  registries: readonly Registry[],
  upstreamHosts: readonly string[],
): EgressVerdict {
  const { hostname } = url;
  if (!mayBeNamed(hostname, upstreamHosts, reservedForRegistries))
    return deny('registry.reserved', `${hostname} is never reached as a private registry`);
  if (phase !== 'setup')
    return deny('registry.closed', `the private registry ${hostname} is open to setup only`);
  if (method !== 'GET' && method !== 'HEAD')
    return deny(
      'host.method',
      `${method} could change something at ${hostname}: only GET and HEAD are allowed`,
    );
  if (hasBody(header)) return deny('host.body', `a request to ${hostname} may not have a body`);
  const path = decodedPath(url.path);
  if (path === null)
    return deny('registry.spelling', 'a path that a registry could read as another one is refused', 400);
  const [registry] = registries
    .filter(({ pathPrefix }) => `${path}/`.startsWith(`${pathPrefix}/`))
    .toSorted((one, other) => other.pathPrefix.length - one.pathPrefix.length);
  if (registry === undefined)
    return deny('registry.path', `the path is outside what the configuration opens of ${hostname}`);
  const target = `https://${hostname}${url.path}${url.query}`;
  return { kind: 'allow-registry', rule: 'registry.fetch', method, target, registry };
}

/** The next request of a registry's redirect: with the credential at the registry itself, nowhere else. */
export function decideRegistryRedirect(
  location: string,
  from: { readonly registry: Registry; readonly isRegistry: boolean },
  decide: (url: string) => EgressVerdict,
  upstreamHosts: readonly string[],
): { readonly target: string; readonly isRegistry: boolean } | null {
  const { registry, isRegistry } = from;
  const url = readRequestUrl(location);
  if (url.kind === 'deny') return null;
  const { hostname, path, query } = url;
  if (hostname === registry.host) {
    const verdict = isRegistry ? decide(location) : null;
    return verdict?.kind === 'allow-registry' && isSame(verdict.registry, registry)
      ? { target: verdict.target, isRegistry: true }
      : null;
  }
  if (!registry.blobHosts.includes(hostname)) return null;
  if (!mayBeNamed(hostname, upstreamHosts, reservedForRegistries)) return null;
  return { target: `https://${hostname}${path}${query}`, isRegistry: false };
}

/** Another entry can have another secret. */
const isSame = (one: Registry, other: Registry): boolean =>
  one.host === other.host && one.pathPrefix === other.pathPrefix;

/**
 * The path as a registry reads it; null if registries could differ about it. npm asks for `/@scope%2fname`,
 * so an encoded slash is read as one. `..;x` is `..` to Java's servers, and `%252f` a slash to whatever
 * decodes twice.
 */
function decodedPath(path: string): string | null {
  let decoded;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return null;
  }
  if (/[%\\]/.test(decoded) || /[^\x20-\x7e]/.test(decoded)) return null;
  const segments = decoded.split('/').slice(1);
  const isOdd = (segment: string, at: number): boolean =>
    /^\.{1,2}$/.test(segment.split(';')[0]?.trim() ?? '') || (segment === '' && at < segments.length - 1);
  return segments.some(isOdd) ? null : decoded;
}
