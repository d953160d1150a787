/** Carries a git fetch to GitHub with the task's read token, both ways as streams. */
import type { GrantedRepository } from '../core/grant.ts';
import { sameName } from './github-rules.ts';
import { githubRequestHeaders } from './headers.ts';
import { decideRename, presentName, redirectedName, rememberName, type RepositoryName } from './renames.ts';
import { callUpstream, isRedirect, meteredBody, passOnNoted, trimSlash, type Passage } from './upstream.ts';
import type { GithubVerdict } from './verdict.ts';

export async function forwardToGithub(passage: Passage, verdict: GithubVerdict): Promise<Response> {
  const { request, grant, deps, denied } = passage;
  const { repository, endpoint, rule } = verdict;
  const { body, sent } = meteredBody(request, grant);
  const call = async (name: RepositoryName, token: string, body: ReadableStream | null) =>
    await callUpstream(deps, addressOf(deps.githubUrl, name, endpoint), {
      method: request.method,
      headers: githubRequestHeaders(request.headers, token),
      body,
    });

  const token = await deps.readToken(grant.taskId, repository);
  const asked = presentName(deps.githubUrl, repository, deps.now());
  let upstream: Response;
  try {
    upstream = await call(asked, token, body);
  } catch (error) {
    if (sent().end !== 'too-long') throw error;
    return await denied({
      rule: 'budget.bytes-up',
      status: 400,
      reason: 'the request was cut off: the task’s budget of bytes sent is used up',
    });
  }
  if (upstream.status === 404 && body === null) {
    const present = await hiddenAt(passage, repository, asked);
    if (present !== null) {
      await upstream.body?.cancel();
      upstream = await call(present, token, null);
    }
  }
  if (isRedirect(upstream)) {
    const renamed = await renamedTo(passage, verdict, upstream);
    await upstream.body?.cancel();
    // A body that has been sent is gone; the next request of this fetch goes to the new name at once.
    if (renamed === null || body !== null) return await refuseRedirect(passage);
    upstream = await call(renamed, await deps.readToken(grant.taskId, renamed), null);
    if (isRedirect(upstream)) {
      await upstream.body?.cancel();
      return await refuseRedirect(passage);
    }
  }
  return passOnNoted(passage, upstream, rule, { bytesUp: () => sent().bytes });
}

/** The new name, remembered; null when the redirect leads anywhere but to a repository of the grant. */
async function renamedTo(
  { grant, deps }: Passage,
  { repository, endpoint }: GithubVerdict,
  upstream: Response,
): Promise<GrantedRepository | null> {
  const to = redirectedName(upstream.headers.get('location'), deps.githubUrl, endpoint);
  if (to === null) return null;
  const byName = decideRename(to, repository, null, grant);
  if (byName !== null) return byName;
  const current = (await deps.currentName?.(grant.taskId, repository)) ?? null;
  const renamed = decideRename(to, repository, current, grant);
  if (renamed !== null) rememberName(deps.githubUrl, repository, renamed, deps.now());
  return renamed;
}

/**
 * Where a repository is that is not there under its name: no redirect leads to it any more once another has taken that name, which its
 * token does not open. The new name, remembered; null when it is no other.
 */
async function hiddenAt(
  { grant, deps }: Passage,
  repository: GrantedRepository,
  asked: RepositoryName,
): Promise<RepositoryName | null> {
  const current = (await deps.currentName?.(grant.taskId, repository)) ?? null;
  if (current === null || (sameName(current.owner, asked.owner) && sameName(current.name, asked.name)))
    return null;
  rememberName(deps.githubUrl, repository, current, deps.now());
  return current;
}

async function refuseRedirect({ denied }: Passage): Promise<Response> {
  return await denied({
    rule: 'github.redirect',
    status: 403,
    reason: 'GitHub answered with a redirect, which is not followed',
  });
}

function addressOf(githubUrl: string, { owner, name }: RepositoryName, endpoint: string): string {
  return `${trimSlash(githubUrl)}/${owner}/${name}.git/${endpoint}`;
}
