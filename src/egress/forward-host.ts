/** Carries a GET or HEAD to a host that the configuration lists: no credential, no body, headers of an allowlist. */
import { decideEgress } from './decide.ts';
import { hostRequestHeaders } from './headers.ts';
import { callUpstream, isRedirect, passOnNoted, type Passage } from './upstream.ts';
import type { EgressVerdict } from './verdict.ts';

export async function forwardToHost(
  passage: Passage,
  verdict: Extract<EgressVerdict, { kind: 'allow-host' }>,
  upstreamHosts: readonly string[],
): Promise<Response> {
  const { request, grant, deps, denied } = passage;
  const { method, target, rule } = verdict;
  const headers = hostRequestHeaders(request.headers);
  const upstream = await callUpstream(deps, target, { method, headers, body: null });
  const bytesUp = () => 0;
  if (!isRedirect(upstream)) return passOnNoted(passage, upstream, rule, { bytesUp });
  // Never followed here. The sandbox may follow it itself, if it would be allowed to: that request is then decided anew.
  const named = upstream.headers.get('location');
  const location = (named === null ? null : URL.parse(named, target)?.href) ?? '';
  const next = decideEgress({ method, url: location, header: () => null }, grant, upstreamHosts);
  if (next.kind === 'allow-host') return passOnNoted(passage, upstream, rule, { bytesUp, location });
  await upstream.body?.cancel();
  return await denied({
    rule: 'host.redirect',
    status: 403,
    reason: 'the host answered with a redirect to where this task may not go',
  });
}
