/**
 * Decides, for one request of one sandbox, whether it may leave and as what. Pure: a request head and a grant in,
 * a tagged verdict out; never throws. Everything that no rule names is denied. Bodies are decided in `openai-body.ts` and
 * `lfs.ts`.
 *
 * The sandbox knows two hosts, whatever the upstreams really are: `github.com` and `api.openai.com`. The URL that is
 * requested upstream is rebuilt from the grant, never copied from the request, so that nothing the sandbox wrote can
 * change where a credential goes.
 */
import type { Grant } from '../core/grant.ts';
import { decideGithub } from './github-rules.ts';
import { decideHost } from './host-rules.ts';
import { framingProblem } from './http-rules.ts';
import { decideOpenai } from './openai-rules.ts';
import { readRequestUrl, type RequestUrl } from './request-url.ts';
import { deny, type EgressVerdict, type RequestHead } from './verdict.ts';

const githubHost = 'github.com';
const openaiHost = 'api.openai.com';
/** RFC 2606 reserves `.invalid`: no such host can ever exist, so only a handler that decides can answer for it. */
export const canaryHost = 'canary.airlock.invalid';

/** `upstreamHosts`: where credentials are sent. These are never reached without the rules of GitHub and OpenAI, whatever a config lists. */
export function decideEgress(
  request: RequestHead,
  grant: Grant,
  upstreamHosts: readonly string[] = [],
): EgressVerdict {
  const url = readRequestUrl(request.url);
  if (url.kind === 'deny') return url;
  const problem = framingProblem(request, url) ?? spent(grant);
  if (problem !== null) return problem;
  const { hostname } = url;
  if (hostname === canaryHost || hostname.endsWith(`.${canaryHost}`))
    return decideCanary(request.method, url, grant);
  if (hostname === githubHost) return decideGithub(request, url, grant);
  if (hostname === openaiHost) return decideOpenai(request, url, grant);
  return decideHost(request, url, grant, upstreamHosts);
}

/** 400, which Codex reports at once and verbatim. */
function spent({ used, budgets }: Grant): EgressVerdict | null {
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
