/** Carries LFS downloads: the batch to GitHub with the task's read token, an object from wherever GitHub keeps it without. */
import type { GrantedRepository } from '../core/grant.ts';
import { lfsRequestHeaders } from './headers.ts';
import { batchOf, decideLfsBatch, lfsObjectOf, ownLfsAnswer, readLfsAnswer, type LfsAnswer } from './lfs.ts';
import { egressLimits } from './limits.ts';
import { readWhole } from './metered-stream.ts';
import { addressOf, callUpstream, isRedirect, passOnNoted, type Passage } from './upstream.ts';
import type { EgressVerdict } from './verdict.ts';

const mediaType = 'application/vnd.git-lfs+json';
const unavailable = {
  rule: 'github.lfs-upstream',
  status: 502,
  reason: 'GitHub did not answer the LFS request as it should',
};

export async function forwardLfsBatch(
  passage: Passage,
  { repository, rule }: Extract<EgressVerdict, { kind: 'inspect-lfs' }>,
): Promise<Response> {
  const { request, denied, note } = passage;
  const bytes = await readWhole(request.body, {
    maxBytes: egressLimits.lfsBatchBytes,
    idleMs: egressLimits.requestIdleMs,
  });
  if (bytes === null)
    return await denied({
      rule: 'github.lfs-body',
      status: 400,
      reason: 'the LFS batch is too large or broken off',
    });
  const decided = decideLfsBatch(bytes);
  if (decided.kind === 'deny') return await denied({ ...decided, status: 403 });
  const answer = await askGithub(passage, repository, decided.body);
  if (answer === null) return await denied(unavailable);
  const own = ownLfsAnswer(answer, repository);
  await note('allowed', rule, { status: 200, bytesUp: decided.body.length, bytesDown: own.length });
  return new Response(own, { headers: { 'content-type': mediaType } });
}

export async function forwardLfsObject(
  passage: Passage,
  { repository, oid, size, rule }: Extract<EgressVerdict, { kind: 'fetch-lfs-object' }>,
): Promise<Response> {
  const { deps, denied } = passage;
  const batch = batchOf([{ oid, size }]);
  const answer = await askGithub(passage, repository, batch);
  const object = answer === null ? null : lfsObjectOf(answer, oid, deps.githubUrl);
  if (object === null) return await denied(unavailable);
  const upstream = await callUpstream(deps, object.url, {
    method: 'GET',
    headers: new Headers({ ...object.header, 'accept-encoding': 'identity' }),
    body: null,
  });
  if (!isRedirect(upstream)) return passOnNoted(passage, upstream, rule, { bytesUp: () => batch.length });
  await upstream.body?.cancel();
  return await denied({ ...unavailable, rule: 'github.redirect' });
}

const endpoint = 'info/lfs/objects/batch';

/** Asks GitHub for a batch. A redirect is never followed. */
async function askGithub(
  passage: Passage,
  repository: GrantedRepository,
  body: string,
): Promise<LfsAnswer | null> {
  const { grant, deps } = passage;
  const token = await deps.readToken(grant.taskId, repository);
  const upstream = await callUpstream(deps, addressOf(deps.githubUrl, repository, endpoint), {
    method: 'POST',
    headers: lfsRequestHeaders(token),
    body,
  });
  if (upstream.status !== 200) {
    await upstream.body?.cancel();
    return null;
  }
  const bytes = await readWhole(upstream.body, {
    maxBytes: egressLimits.lfsAnswerBytes,
    idleMs: egressLimits.transferIdleMs,
  });
  return bytes === null ? null : readLfsAnswer(bytes);
}
