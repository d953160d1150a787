/** Carries LFS downloads: the batch with the task's read token, an object without one. */
import type { GrantedRepository } from '../core/grant.ts';
import { githubRedirect, lfsUpstream, statusFailure } from './failure.ts';
import { lfsRequestHeaders } from './headers.ts';
import { batchOf, decideLfsBatch, lfsObjectOf, ownLfsAnswer, readLfsAnswer, type LfsAnswer } from './lfs.ts';
import { egressLimits } from './limits.ts';
import { readWhole } from './metered-stream.ts';
import { addressOf, callUpstream, isRedirect, passOn, readTokenFor, type Passage } from './upstream.ts';
import { deny, type EgressVerdict, type Failure } from './verdict.ts';

const mediaType = 'application/vnd.git-lfs+json';

export async function forwardLfsBatch(
  passage: Passage,
  { repository, rule }: Extract<EgressVerdict, { kind: 'inspect-lfs' }>,
): Promise<Response> {
  const { request, ended, record, refuse } = passage;
  const bytes = await readWhole(request.body, {
    maxBytes: egressLimits.lfsBatchBytes,
    idleMs: egressLimits.requestIdleMs,
    ended,
  });
  if (bytes === null)
    return await refuse(deny('github.lfs-body', 'the LFS batch is too large or incomplete', 400));
  const decided = decideLfsBatch(bytes);
  if (decided.kind === 'deny') return await refuse(decided);
  const bytesUp = decided.body.length;
  const asked = await askGithub(passage, repository, decided.body);
  if (asked.kind === 'fail') return await refuse(asked, { bytesUp });
  const own = ownLfsAnswer(asked.answer, repository);
  await record({ kind: 'pass', rule, status: 200 }, { bytesUp, bytesDown: own.length });
  return new Response(own, { headers: { 'content-type': mediaType } });
}

export async function forwardLfsObject(
  passage: Passage,
  { repository, oid, size, rule }: Extract<EgressVerdict, { kind: 'fetch-lfs-object' }>,
): Promise<Response> {
  const { host, deps, refuse } = passage;
  const batch = batchOf([{ oid, size }]);
  const bytesUp = batch.length;
  const asked = await askGithub(passage, repository, batch);
  if (asked.kind === 'fail') return await refuse(asked, { bytesUp });
  const object = lfsObjectOf(asked.answer, oid, deps.githubUrl);
  if (object === null) return await refuse(lfsUpstream, { bytesUp });
  const upstream = await callUpstream(passage, object.url, {
    method: 'GET',
    headers: new Headers({ ...object.header, 'accept-encoding': 'identity' }),
    body: null,
  });
  if (upstream.kind === 'fail') return await refuse(upstream, { bytesUp });
  const { answer } = upstream;
  if (isRedirect(answer)) {
    await answer.body?.cancel();
    return await refuse(githubRedirect(502), { bytesUp });
  }
  const { status } = answer;
  const end = statusFailure(host, status, 'none') ?? ({ kind: 'pass', rule, status } as const);
  return passOn(passage, answer, { end, sent: { sent: () => bytesUp, cut: () => null } });
}

const endpoint = 'info/lfs/objects/batch';

/** Asks GitHub for a batch. A redirect is never followed. */
async function askGithub(
  passage: Passage,
  repository: GrantedRepository,
  body: string,
): Promise<{ readonly kind: 'batch'; readonly answer: LfsAnswer } | Failure> {
  const { host, deps } = passage;
  const token = await readTokenFor(passage, repository);
  if (token.kind === 'fail') return token;
  const upstream = await callUpstream(passage, addressOf(deps.githubUrl, repository, endpoint), {
    method: 'POST',
    headers: lfsRequestHeaders(token.token),
    body,
  });
  if (upstream.kind === 'fail') return upstream;
  const { status, body: stream } = upstream.answer;
  if (status !== 200) {
    await stream?.cancel();
    return statusFailure(host, status, 'github') ?? lfsUpstream;
  }
  const bytes = await readWhole(stream, {
    maxBytes: egressLimits.lfsAnswerBytes,
    idleMs: egressLimits.transferIdleMs,
  });
  const answer = bytes === null ? null : readLfsAnswer(bytes);
  return answer === null ? lfsUpstream : { kind: 'batch', answer };
}
