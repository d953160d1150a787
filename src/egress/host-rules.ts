/** Decides on the hosts that a configuration lists: GET and HEAD, no body, no credential. */
import type { Grant } from '../core/grant.ts';
import { isWithin, reservedAs } from '../core/reserved-hosts.ts';
import { hasBody } from './http-rules.ts';
import type { RequestUrl } from './request-url.ts';
import { deny, type EgressVerdict, type RequestHead } from './verdict.ts';

/** At least two labels, the last no number: neither an address nor a name of the host's network. */
const publicName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether a configuration can open the host at all: never one that receives our credentials. */
export function mayBeNamed(
  hostname: string,
  upstreamHosts: readonly string[],
  isReserved: (hostname: string) => boolean,
): boolean {
  const isUpstream = upstreamHosts.some((domain) => isWithin(hostname, domain));
  return publicName.test(hostname) && !isReserved(hostname) && !isUpstream;
}

export function decideHost(
  { method, header }: RequestHead,
  url: RequestUrl,
  grant: Grant,
  upstreamHosts: readonly string[],
): EgressVerdict {
  const { hostname } = url;
  const isSetup = grant.setupHosts.includes(hostname);
  const isExtra = grant.extraHosts.includes(hostname);
  if (!isSetup && !isExtra)
    return deny('host.not-granted', `${hostname} is not one of the hosts this task may reach`);
  if (!mayBeNamed(hostname, upstreamHosts, (name) => reservedAs(name) !== null))
    return deny('host.reserved', `${hostname} is never reached through a list of hosts`);
  const isOpen = (isSetup && grant.phase === 'setup') || (isExtra && grant.phase === 'run');
  if (!isOpen) return deny('phase.closed', `${hostname} is closed in the ${grant.phase} phase`);
  if (method !== 'GET' && method !== 'HEAD')
    return deny(
      'host.method',
      `${method} could send something to ${hostname}: only GET and HEAD are allowed`,
    );
  if (hasBody(header)) return deny('host.body', `a request to ${hostname} may not have a body`);
  return {
    kind: 'allow-host',
    rule: grant.phase === 'setup' ? 'host.setup' : 'host.extra',
    method,
    target: `https://${hostname}${url.path}${url.query}`,
  };
}
