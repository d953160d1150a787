/**
 * Performs the egress decision: looks up the grant by the sandbox's id, decides, hands the request to who carries it, records.
 * Runs outside the sandbox; with the `forward-*` files the only place where a credential meets a request.
 * Answers only with fixed bodies of its own: no error text of ours or of a library reaches the sandbox.
 */
import { decideEgress } from './decide.ts';
import { entryFor } from './entry.ts';
import { forwardToGithub } from './forward-github.ts';
import { forwardToHost } from './forward-host.ts';
import { forwardLfsBatch, forwardLfsObject } from './forward-lfs.ts';
import { forwardToOpenai } from './forward-openai.ts';
import { egressLimits } from './limits.ts';
import { createOpenRequests } from './open-requests.ts';
import type { EgressDeps, Passage, Refusal } from './upstream.ts';

export type { EgressDeps } from './upstream.ts';

const tooManyOpen: Refusal = {
  rule: 'transfer.concurrency',
  status: 429,
  reason: 'too many requests at a time',
};
const transfers = createOpenRequests(egressLimits.openTransfers);
const internal: Refusal = { rule: 'internal', status: 502, reason: 'the request could not be carried out' };

/** One request of one sandbox. Never throws. */
export async function handleEgress(
  request: Request,
  containerId: string,
  deps: EgressDeps,
): Promise<Response> {
  // Of its arrival, also where it is written down at the end of a long answer: what the sandbox did then is asked by it.
  const arrived = entryFor(request.method, request.url, deps.now());
  const note: Passage['note'] = async (verdict, rule, more, tokens = 0) =>
    await deps.record(containerId, { ...arrived, verdict, rule, ...more }, tokens);
  const denied: Passage['denied'] = async (refusal) => {
    await note('denied', refusal.rule, { reason: refusal.reason, status: refusal.status });
    return answerFor(refusal);
  };
  try {
    const grant = await deps.admit(containerId);
    if (grant === null)
      return answerFor({ rule: 'grant.none', status: 403, reason: 'this sandbox has no grant' });
    const passage: Passage = { request, containerId, grant, deps, note, denied };
    return await carry(passage);
  } catch {
    // Whatever broke, it is named in our own log by the record or the token source; the sandbox learns nothing of it.
    await note('denied', internal.rule, { reason: internal.reason, status: internal.status }).catch(
      () => undefined,
    );
    return answerFor(internal);
  }
}

async function carry(passage: Passage): Promise<Response> {
  const { request, grant, deps, note, denied } = passage;
  const upstreamHosts = hostsOf(deps);
  const head = {
    method: request.method,
    url: request.url,
    header: (name: string) => request.headers.get(name),
  };
  const verdict = decideEgress(head, grant, upstreamHosts);
  switch (verdict.kind) {
    case 'deny':
      return await denied(verdict);
    case 'answer':
      await note('allowed', verdict.rule, { status: 200, bytesDown: verdict.body.length });
      return new Response(verdict.body, { headers: { 'content-type': verdict.contentType } });
    case 'allow-github':
      return await transfer(passage, (open) => forwardToGithub(open, verdict));
    case 'inspect-lfs':
      return await transfer(passage, (open) => forwardLfsBatch(open, verdict));
    case 'fetch-lfs-object':
      return await transfer(passage, (open) => forwardLfsObject(open, verdict));
    case 'inspect-openai':
      return await forwardToOpenai(passage);
    case 'allow-host':
      return await transfer(passage, (open) => forwardToHost(open, verdict, upstreamHosts));
  }
}

/** Open until it is written down, which is at the end of its answer, or fails. */
async function transfer(passage: Passage, forward: (open: Passage) => Promise<Response>): Promise<Response> {
  const close = transfers.open(passage.containerId);
  if (close === null) return await passage.denied(tooManyOpen);
  const note: Passage['note'] = async (...noted) => {
    close();
    await passage.note(...noted);
  };
  const denied: Passage['denied'] = async (refusal) => {
    close();
    return await passage.denied(refusal);
  };
  try {
    return await forward({ ...passage, note, denied });
  } catch (error) {
    close();
    throw error;
  }
}

/** Where our credentials go, by name. */
function hostsOf({ githubUrl, openaiBaseUrl }: EgressDeps): string[] {
  return [githubUrl, openaiBaseUrl].flatMap((url) => URL.parse(url)?.hostname ?? []);
}

function answerFor({ rule, status, reason }: Refusal): Response {
  // OpenAI's error shape: Codex shows `message` to the model verbatim; git and curl show the status.
  return Response.json(
    { error: { message: `Airlock: ${reason}`, type: 'airlock_egress', code: rule, param: null } },
    { status },
  );
}
