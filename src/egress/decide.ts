/**
 * Decides, for one request of one sandbox, whether it may leave and as what. Pure: a request head and a grant in,
 * a tagged verdict out. Everything that no rule names is denied. Bodies are decided in `openai-body.ts`.
 *
 * The sandbox knows two hosts, whatever the upstreams really are: `github.com` and `api.openai.com`. The URL that is
 * requested upstream is rebuilt from the grant, never copied from the request, so that nothing the sandbox wrote can
 * change where a credential goes.
 */
import type { Grant, GrantedRepository } from '../core/grant.ts';

const githubHost = 'github.com';
const openaiHost = 'api.openai.com';
/** RFC 2606 reserves `.invalid`: no such host can ever exist, so only a handler that decides can answer for it. */
export const canaryHost = 'canary.airlock.invalid';

/** Bytes of one Responses request; Codex sends 43–72 KB at first and a few MB after long turns with images. */
export const maxOpenaiBodyBytes = 32 * 1024 * 1024;

export interface RequestHead {
  readonly method: string;
  /** Absolute, as the sandbox asked for it. */
  readonly url: URL;
  /** Lower-case names. */
  readonly header: (name: string) => string | null;
}

export type EgressVerdict =
  | { readonly kind: 'deny'; readonly rule: string; readonly status: number; readonly reason: string }
  | { readonly kind: 'answer'; readonly rule: 'canary'; readonly body: string }
  | {
      readonly kind: 'allow-github';
      readonly rule: 'github.info-refs' | 'github.upload-pack';
      readonly repository: GrantedRepository;
      /** Path and query below the GitHub web base. */
      readonly target: string;
    }
  /** The head is fine; the body decides. */
  | { readonly kind: 'inspect-openai'; readonly rule: 'openai.responses'; readonly target: '/responses' };

type Denial = Extract<EgressVerdict, { kind: 'deny' }>;
const deny = (rule: string, reason: string, status = 403): Denial => ({ kind: 'deny', rule, status, reason });

export function decideEgress(request: RequestHead, grant: Grant): EgressVerdict {
  const { url } = request;
  if (url.username !== '' || url.password !== '')
    return deny('url.userinfo', 'a URL that carries a user name or password is refused');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return deny('url.scheme', 'only http and https leave the sandbox');
  if (url.port !== '') return deny('url.port', 'only the standard ports leave the sandbox');
  if (request.header('upgrade') !== null) return deny('http.upgrade', 'protocol upgrades are refused', 426);
  if (grant.used.requests >= grant.budgets.requests)
    return deny('budget.requests', `the task's budget of ${grant.budgets.requests} requests is used up`, 400);
  if (url.hostname === canaryHost || url.hostname.endsWith(`.${canaryHost}`))
    return decideCanary(request, grant);
  switch (url.hostname) {
    case githubHost:
      return decideGithub(request, grant);
    case openaiHost:
      return decideOpenai(request, grant);
    default:
      return deny('host.not-granted', `${url.hostname} is not one of the hosts this task may reach`);
  }
}

function decideCanary({ method, url }: RequestHead, grant: Grant): EgressVerdict {
  const isProbe =
    url.hostname === canaryHost &&
    method === 'GET' &&
    url.search === '' &&
    url.pathname === `/${grant.canaryNonce}`;
  if (!isProbe) return deny('canary.mismatch', 'the canary answers its own nonce and nothing else');
  return { kind: 'answer', rule: 'canary', body: grant.canaryNonce };
}

/** GitHub's characters for owner and name; no percent sign, so an encoded slash or dot cannot get in. */
const gitPath = /^\/([A-Za-z0-9-]+)\/([A-Za-z0-9._-]+)\/(info\/refs|git-upload-pack|git-receive-pack)$/;

function decideGithub({ method, url, header }: RequestHead, grant: Grant): EgressVerdict {
  const match = gitPath.exec(url.pathname);
  const [, owner, nameWithSuffix, endpoint] = match ?? [];
  if (owner === undefined || nameWithSuffix === undefined || endpoint === undefined)
    return deny('github.path', 'of GitHub only git fetch of the task’s repository is reachable');
  if (endpoint === 'git-receive-pack' || url.search === '?service=git-receive-pack')
    return deny(
      'github.receive-pack',
      `pushing is refused (to ${owner}/${nameWithSuffix}): the sandbox cannot write to GitHub`,
    );
  const name = nameWithSuffix.replace(/\.git$/i, '');
  const repository = grant.repositories.find(
    (granted) => sameName(granted.owner, owner) && sameName(granted.name, name),
  );
  if (repository === undefined)
    return deny('github.repository', `${owner}/${name} is not this task’s repository`);
  if (grant.phase !== 'clone' && grant.phase !== 'run')
    return deny('phase.closed', `GitHub is closed in the ${grant.phase} phase`);

  const base = `/${repository.owner}/${repository.name}.git`;
  if (endpoint === 'info/refs') {
    if (method !== 'GET') return deny('github.method', `${method} is not how a fetch starts`);
    if (url.search !== '?service=git-upload-pack')
      return deny('github.query', 'only service=git-upload-pack is allowed here');
    return {
      kind: 'allow-github',
      rule: 'github.info-refs',
      repository,
      target: `${base}/info/refs?service=git-upload-pack`,
    };
  }
  if (method !== 'POST') return deny('github.method', `${method} is not how git fetches`);
  if (url.search !== '') return deny('github.query', 'upload-pack takes no query');
  if (header('content-type') !== 'application/x-git-upload-pack-request')
    return deny('github.content-type', 'upload-pack takes only git’s own content type');
  return { kind: 'allow-github', rule: 'github.upload-pack', repository, target: `${base}/git-upload-pack` };
}

function decideOpenai({ method, url, header }: RequestHead, grant: Grant): EgressVerdict {
  // 400 everywhere: Codex retries other refusals for up to 25 s, but reports a 400 at once and verbatim.
  if (url.pathname !== '/v1/responses')
    return deny(
      'openai.path',
      `of OpenAI only POST /v1/responses is reachable, not ${url.pathname.slice(0, 100)}`,
      400,
    );
  if (method !== 'POST')
    return deny('openai.method', `of OpenAI only POST /v1/responses is reachable, not ${method}`, 400);
  if (url.search !== '') return deny('openai.query', 'the Responses endpoint takes no query', 400);
  if (grant.phase !== 'run') return deny('phase.closed', `OpenAI is closed in the ${grant.phase} phase`, 400);
  if (grant.used.tokens >= grant.budgets.tokens)
    return deny('budget.tokens', `the task's budget of ${grant.budgets.tokens} tokens is used up`, 400);
  const type = header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    return deny('openai.content-type', 'the request body has to be application/json', 400);
  const encoding = header('content-encoding');
  if (encoding !== null && encoding !== 'identity')
    return deny('openai.encoding', 'a compressed request body cannot be inspected', 400);
  return { kind: 'inspect-openai', rule: 'openai.responses', target: '/responses' };
}

/** GitHub compares owners and names without regard to ASCII case. */
function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
