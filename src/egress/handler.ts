/**
 * Looks up the grant by the sandbox's id, decides, forwards, records. Runs outside the sandbox; with the
 * `forward-*` files the only place where a credential meets a request. No error text of ours or of a library
 * reaches the sandbox.
 */
import { totalOnly } from '../core/grant.ts';
import { decideEgress } from './decide.ts';
import { arrivalOf, entryOf } from './entry.ts';
import { grantUnreadable, internalFailure } from './failure.ts';
import { forwardToGithub } from './forward-github.ts';
import { forwardToHost } from './forward-host.ts';
import { forwardLfsBatch, forwardLfsObject } from './forward-lfs.ts';
import { forwardToOpenai } from './forward-openai.ts';
import { watchPhase } from './phase-end.ts';
import { openRequest, type OpenKind } from './open-requests.ts';
import type { EgressDeps, Passage } from './upstream.ts';
import { deny, type Denial, type Failure, type Passed } from './verdict.ts';

export type { EgressDeps } from './upstream.ts';

const noGrant = deny('grant.none', 'this sandbox has no grant');
const tooManyOpen: Readonly<Record<OpenKind, Denial>> = {
  // Codex retries it: after a gap in the connection, requests that it gave up can still be open here.
  model: deny('openai.concurrency', 'too many model requests at a time', 503),
  transfer: deny('transfer.concurrency', 'too many requests at a time', 429),
};

const phaseOver = deny('phase.ended', 'the phase of the task in which this request began is over');
/** What is recorded of it. Neither an attempt nor a failure: the request was allowed, and was cut off. */
const cutOff: Passed = { kind: 'pass', rule: phaseOver.rule, status: phaseOver.status };

/** Answers one request of one sandbox. Never throws. */
export async function handleEgress(
  request: Request,
  containerId: string,
  deps: EgressDeps,
): Promise<Response> {
  // The entry carries the time of arrival even if a long answer delays its writing: the receipt names what
  // ran at that time.
  const arrival = arrivalOf(request.method, request.url, deps.now());
  const record: Passage['record'] = async (end, { tokens = totalOnly(0), ...carried } = {}) =>
    await deps.record(containerId, entryOf(arrival, end, carried), tokens);
  const refuse: Passage['refuse'] = async (end, carried) => {
    await record(end, carried);
    return answerFor(end);
  };
  let failure = grantUnreadable;
  try {
    const grant = await deps.admit(containerId);
    failure = internalFailure;
    if (grant === null) return answerFor(noGrant);
    return await carry({ request, host: arrival.host, grant, deps, record, refuse }, containerId);
  } catch {
    // The sandbox learns nothing about what broke. If the record is what broke, this failure is not recorded
    // either.
    await record(failure).catch(() => undefined);
    return answerFor(failure);
  }
}

async function carry(passage: Omit<Passage, 'ended'>, containerId: string): Promise<Response> {
  const { request, grant, deps, record, refuse } = passage;
  const upstreamHosts = hostsOf(deps);
  const head = {
    method: request.method,
    url: request.url,
    header: (name: string) => request.headers.get(name),
  };
  const verdict = decideEgress(head, grant, upstreamHosts);
  const counted = async (kind: OpenKind, forward: (open: Passage) => Promise<Response>) =>
    await whileOpen(passage, containerId, kind, forward);
  switch (verdict.kind) {
    case 'deny':
      return await refuse(verdict);
    case 'answer':
      await record({ kind: 'pass', rule: verdict.rule, status: 200 }, { bytesDown: verdict.body.length });
      return new Response(verdict.body, { headers: { 'content-type': verdict.contentType } });
    case 'allow-github':
      return await counted('transfer', (open) => forwardToGithub(open, verdict));
    case 'inspect-lfs':
      return await counted('transfer', (open) => forwardLfsBatch(open, verdict));
    case 'fetch-lfs-object':
      return await counted('transfer', (open) => forwardLfsObject(open, verdict));
    case 'inspect-openai':
      return await counted('model', forwardToOpenai);
    case 'allow-registry':
      return await counted('transfer', async (open) => {
        const { forwardToRegistry } = await import('./forward-registry.ts');
        return await forwardToRegistry(open, verdict, upstreamHosts);
      });
    case 'allow-host':
      return await counted('transfer', (open) => forwardToHost(open, verdict, upstreamHosts));
  }
}

/** Counts the request as open until it is recorded or throws; aborts it when its grant phase ends. */
async function whileOpen(
  passage: Omit<Passage, 'ended'>,
  containerId: string,
  kind: OpenKind,
  forward: (open: Passage) => Promise<Response>,
): Promise<Response> {
  const { grant, deps } = passage;
  const uncount = openRequest(containerId, kind);
  if (uncount === null) return await passage.refuse(tooManyOpen[kind]);
  const watch = watchPhase(grant.phase, async (phase) => await deps.phaseEnded(containerId, phase));
  const close = (): void => {
    uncount();
    watch.stop();
  };
  const record: Passage['record'] = async (end, carried) => {
    close();
    await passage.record(watch.ended.aborted ? cutOff : end, carried);
  };
  const refuse: Passage['refuse'] = async (end, carried) => {
    close();
    if (!watch.ended.aborted) return await passage.refuse(end, carried);
    await passage.record(cutOff, carried);
    return answerFor(phaseOver);
  };
  try {
    return await forward({ ...passage, ended: watch.ended, record, refuse });
  } catch (error) {
    close();
    throw error;
  }
}

/** The hosts that receive our credentials. */
function hostsOf({ githubUrl, openaiBaseUrl }: EgressDeps): string[] {
  return [githubUrl, openaiBaseUrl].flatMap((url) => URL.parse(url)?.hostname ?? []);
}

function answerFor({ rule, status, reason }: Denial | Failure): Response {
  // OpenAI's error shape: Codex shows `message` to the model verbatim; git and curl show the status.
  return Response.json(
    { error: { message: `Airlock: ${reason}`, type: 'airlock_egress', code: rule, param: null } },
    { status },
  );
}
