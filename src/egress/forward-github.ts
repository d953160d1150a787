/** Carries a git fetch to GitHub with the task's read token, both ways as streams. */
import { githubRedirect, statusFailure } from './failure.ts';
import { githubRequestHeaders } from './headers.ts';
import {
  addressOf,
  callUpstream,
  isRedirect,
  meteredBody,
  noBody,
  passOn,
  readTokenFor,
  type Passage,
} from './upstream.ts';
import type { GithubVerdict } from './verdict.ts';

export async function forwardToGithub(passage: Passage, verdict: GithubVerdict): Promise<Response> {
  const { request, host, deps, refuse } = passage;
  const { repository, endpoint, rule } = verdict;
  const token = await readTokenFor(passage, repository);
  if (token.kind === 'fail') return await refuse(token);
  const upload = rule === 'github.upload-pack' ? meteredBody(passage) : noBody;
  const upstream = await callUpstream(passage, addressOf(deps.githubUrl, repository, endpoint), {
    method: request.method,
    headers: githubRequestHeaders(request.headers, token.token),
    body: upload.body,
  });
  if (upstream.kind === 'fail') return await refuse(upload.cut() ?? upstream, { bytesUp: upload.sent() });
  const answer = withLimitAs429(upstream.answer);
  // A redirect is never followed, not even to the repository's new name: the grant is for the old one.
  if (isRedirect(answer)) {
    await answer.body?.cancel();
    return await refuse(githubRedirect(403), { bytesUp: upload.sent() });
  }
  const { status } = answer;
  const end = statusFailure(host, status, 'github') ?? { kind: 'pass', rule, status };
  return passOn(passage, answer, { end, sent: upload });
}

/** GitHub's secondary limit is a 403 with `Retry-After`, which git would take for a final refusal. */
function withLimitAs429(answer: Response): Response {
  if (answer.status !== 403 || !answer.headers.has('retry-after')) return answer;
  return new Response(answer.body, { status: 429, headers: answer.headers });
}
