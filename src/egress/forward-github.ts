/** Carries a git fetch to GitHub with the task's read token, both ways as streams. */
import { githubRequestHeaders } from './headers.ts';
import { addressOf, callUpstream, isRedirect, meteredBody, passOnNoted, type Passage } from './upstream.ts';
import type { GithubVerdict } from './verdict.ts';

export async function forwardToGithub(passage: Passage, verdict: GithubVerdict): Promise<Response> {
  const { request, grant, deps, denied } = passage;
  const { repository, endpoint, rule } = verdict;
  const { body, sent } = meteredBody(request, grant);
  const token = await deps.readToken(grant.taskId, repository);
  let upstream: Response;
  try {
    upstream = await callUpstream(deps, addressOf(deps.githubUrl, repository, endpoint), {
      method: request.method,
      headers: githubRequestHeaders(request.headers, token),
      body,
    });
  } catch (error) {
    if (sent().end !== 'too-long') throw error;
    return await denied({
      rule: 'budget.bytes-up',
      status: 400,
      reason: 'the request was cut off: the task’s budget of bytes sent is used up',
    });
  }
  // A redirect is never followed, not even to the repository's new name: the grant is for the old one.
  if (isRedirect(upstream)) {
    await upstream.body?.cancel();
    return await denied({
      rule: 'github.redirect',
      status: 403,
      reason: 'GitHub answered with a redirect, which is not followed',
    });
  }
  return passOnNoted(passage, upstream, rule, { bytesUp: () => sent().bytes });
}
