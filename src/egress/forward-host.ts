/** Carries a GET or HEAD to a listed host: no credential, no body, headers of an allowlist. */
import { decideEgress } from './decide.ts';
import { statusFailure } from './failure.ts';
import { hostRequestHeaders } from './headers.ts';
import { callUpstream, isRedirect, noBody, passOn, type Passage } from './upstream.ts';
import { deny, type EgressVerdict } from './verdict.ts';

export async function forwardToHost(
  passage: Passage,
  verdict: Extract<EgressVerdict, { kind: 'allow-host' }>,
  upstreamHosts: readonly string[],
): Promise<Response> {
  const { request, host, grant, refuse } = passage;
  const { method, target, rule } = verdict;
  const headers = hostRequestHeaders(request.headers);
  const upstream = await callUpstream(passage, target, { method, headers, body: null });
  if (upstream.kind === 'fail') return await refuse(upstream);
  const { answer } = upstream;
  const { status } = answer;
  const end = statusFailure(host, status, 'none') ?? ({ kind: 'pass', rule, status } as const);
  if (!isRedirect(answer)) return passOn(passage, answer, { end, sent: noBody });
  // The handler follows no redirect. The sandbox may, with a request of its own, if that one is allowed.
  const named = answer.headers.get('location');
  const location = (named === null ? null : URL.parse(named, target)?.href) ?? '';
  const next = decideEgress({ method, url: location, header: () => null }, grant, upstreamHosts);
  if (next.kind === 'allow-host') return passOn(passage, answer, { end, sent: noBody, location });
  await answer.body?.cancel();
  return await refuse(
    deny('host.redirect', 'the host answered with a redirect to where this task may not go'),
  );
}
