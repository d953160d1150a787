/** Carries a git fetch to GitHub with the task's read token, both ways as streams. */
import { githubRequestHeaders } from './headers.ts';
import { addressOf, hiddenAt, renamedTo } from './present-repository.ts';
import { presentName, type RepositoryName } from './renames.ts';
import { callUpstream, isRedirect, meteredBody, passOnNoted, type Passage } from './upstream.ts';
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
    const renamed = await renamedTo(passage, repository, endpoint, upstream);
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

async function refuseRedirect({ denied }: Passage): Promise<Response> {
  return await denied({
    rule: 'github.redirect',
    status: 403,
    reason: 'GitHub answered with a redirect, which is not followed',
  });
}
