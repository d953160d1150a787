/**
 * Decides, for one request of one sandbox, whether it may leave and as what. Pure: a request head and a grant
 * in, a tagged verdict out; never throws. What no rule names is denied. `openai-body.ts` and `lfs.ts` decide
 * the bodies.
 *
 * The sandbox knows two hosts, whatever the upstreams really are: `github.com` and `api.openai.com`. The URL
 * that is requested upstream is rebuilt from the grant, never copied from the request, so that nothing the
 * sandbox wrote can change where a credential goes.
 */
import type { Grant } from '../core/grant.ts';
import { decideGithub } from './github-rules.ts';
import { decideHost } from './host-rules.ts';
import { framingDenial } from './http-rules.ts';
import { decideOpenai } from './openai-rules.ts';
import { decideRegistry } from './registry-rules.ts';
import { readRequestUrl, type RequestUrl } from './request-url.ts';
import { deny, type EgressVerdict, type RequestHead } from './verdict.ts';

const githubHost = 'github.com';
const openaiHost = 'api.openai.com';
/** RFC 2606 reserves `.invalid`, so an answer can only come from a handler that decides. */
export const canaryHost = 'canary.airlock.invalid';

/**
 * Decides in this order; the first step that applies decides alone.
 *
 * 1. Spelling: a URL that two programs could read differently is denied (`url.*`).
 * 2. Framing: a head that contradicts itself or asks for another protocol is denied (`http.*`,
 *    `url.host-mismatch`, `url.sni-mismatch`).
 * 3. Budgets: a task that has used up its requests or bytes reaches nothing, not even the canary
 *    (`budget.*`).
 * 4. The canary's host is answered here, for the task's own nonce and nothing else (`canary`,
 *    `canary.mismatch`).
 * 5. `github.com`: endpoint, push, repository, phase, then method, query, body and encoding (`github.*`).
 * 6. `api.openai.com`: endpoint, method, query, phase, budget of tokens, then encoding and size (`openai.*`).
 *    The body is inspected next.
 * 7. A private registry of the grant: not reserved, setup alone, method, body, then spelling and prefix of
 *    the path (`registry.*`, `host.*`).
 * 8. Any other host: granted by name, not reserved, open in this phase, then method and body (`host.*`). So a
 *    list opens no host of steps 4 to 7.
 *
 * `upstreamHosts` receive our own credentials: only steps 5 and 6 lead there, whatever a configuration lists.
 */
export function decideEgress(
  request: RequestHead,
  grant: Grant,
  upstreamHosts: readonly string[] = [],
): EgressVerdict {
  const url = readRequestUrl(request.url);
  if (url.kind === 'deny') return url;
  const denial = framingDenial(request, url) ?? budgetDenial(grant);
  if (denial !== null) return denial;
  const { hostname } = url;
  if (hostname === canaryHost || hostname.endsWith(`.${canaryHost}`))
    return decideCanary(request.method, url, grant);
  if (hostname === githubHost) return decideGithub(request, url, grant);
  if (hostname === openaiHost) return decideOpenai(request, url, grant);
  const registries = grant.registries.filter(({ host }) => host === hostname);
  if (registries.length > 0) return decideRegistry(request, url, grant, registries, upstreamHosts);
  return decideHost(request, url, grant, upstreamHosts);
}

/** 400: Codex reports it at once and verbatim. */
function budgetDenial({ used, budgets }: Grant): EgressVerdict | null {
  if (used.requests >= budgets.requests)
    return deny('budget.requests', `the task's budget of ${budgets.requests} requests is used up`, 400);
  if (used.bytesUp >= budgets.bytesUp)
    return deny('budget.bytes-up', `the task's budget of ${budgets.bytesUp} bytes sent is used up`, 400);
  if (used.bytesDown >= budgets.bytesDown)
    return deny(
      'budget.bytes-down',
      `the task's budget of ${budgets.bytesDown} bytes received is used up`,
      400,
    );
  return null;
}

function decideCanary(method: string, url: RequestUrl, grant: Grant): EgressVerdict {
  const isProbe =
    url.hostname === canaryHost &&
    method === 'GET' &&
    url.query === '' &&
    url.path === `/${grant.canaryNonce}`;
  if (!isProbe) return deny('canary.mismatch', 'the canary answers its own nonce and nothing else');
  return { kind: 'answer', rule: 'canary', contentType: 'text/plain', body: grant.canaryNonce };
}
