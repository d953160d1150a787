/** What every forwarder needs: one request's passage, the call with its deadline, the metered answer. */
import type { EgressEntry, Grant, GrantedRepository, GrantPhase, TokenUsage } from '../core/grant.ts';
import type { Carried } from './entry.ts';
import { closedEarly, fellSilent, noReadToken, timedOut, unreachable } from './failure.ts';
import { responseHeaders } from './headers.ts';
import { egressLimits } from './limits.ts';
import { meterBytes, type Sieve, type StreamEnd } from './metered-stream.ts';
import { deny, type Denial, type Failure, type Passed, type RequestEnd } from './verdict.ts';

export interface EgressDeps {
  /** Counts the request and returns the sandbox's grant; null for an id that has none. */
  admit(containerId: string): Promise<Grant | null>;
  record(containerId: string, entry: EgressEntry, tokens: TokenUsage): Promise<void>;
  /** Waits a while for the end of the grant's phase; false when it has not ended by then. */
  phaseEnded(containerId: string, phase: GrantPhase): Promise<boolean>;
  readToken(taskId: string, repository: GrantedRepository): Promise<string>;
  /** A token that can read the repository's packages at GitHub, and nothing else. */
  packageToken(taskId: string, repository: GrantedRepository): Promise<string>;
  /** The secret of a private registry; null if no such setting exists. */
  registrySecret(name: string): string | null;
  readonly openaiApiKey: string;
  readonly openaiOrganization?: string;
  readonly openaiProject?: string;
  /** GitHub's web base, e.g. `https://github.com`. */
  readonly githubUrl: string;
  /** Up to and including `/v1`. */
  readonly openaiBaseUrl: string;
  readonly fetch: typeof fetch;
  now(): number;
  /** Keeps the record of a streamed answer alive after the handler has returned. */
  waitUntil(work: Promise<unknown>): void;
}

/** One admitted request on its way. Either `record` or `refuse` is called for it, once. */
export interface Passage {
  readonly request: Request;
  /** As the sandbox named it. */
  readonly host: string;
  readonly grant: Grant;
  readonly deps: EgressDeps;
  /** Aborted when the phase of the grant has ended: nothing of this request is carried any further. */
  readonly ended: AbortSignal;
  readonly record: (end: RequestEnd, carried?: Carried & { readonly tokens?: TokenUsage }) => Promise<void>;
  /** Records the denial or the failure, and answers the sandbox with it. */
  readonly refuse: (end: Denial | Failure, carried?: Carried) => Promise<Response>;
}

/** `redirect: 'manual'` always: following one would carry the credential to wherever the upstream points. */
export async function callUpstream(
  { deps, host, ended }: Passage,
  url: string,
  init: { method: string; headers: Headers; body: BodyInit | null },
): Promise<{ readonly kind: 'answered'; readonly answer: Response } | Failure> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error('upstream sent no headers in time')),
    egressLimits.upstreamHeadersMs,
  );
  const signal = AbortSignal.any([abort.signal, ended]);
  try {
    const answer = await deps.fetch(url, { ...init, redirect: 'manual', signal });
    return { kind: 'answered', answer };
  } catch {
    return abort.signal.aborted ? timedOut(host) : unreachable(host);
  } finally {
    clearTimeout(timer);
  }
}

export async function readTokenFor(
  { deps, grant }: Passage,
  repository: GrantedRepository,
): Promise<{ readonly kind: 'token'; readonly token: string } | Failure> {
  try {
    return { kind: 'token', token: await deps.readToken(grant.taskId, repository) };
  } catch {
    return noReadToken;
  }
}

export const isRedirect = ({ status }: Response): boolean => status >= 300 && status < 400 && status !== 304;

/** Bytes that the task may still receive. */
export const bytesDownLeft = ({ budgets, used }: Grant): number => budgets.bytesDown - used.bytesDown;
export const bytesUpLeft = ({ budgets, used }: Grant): number => budgets.bytesUp - used.bytesUp;

export const bytesUpSpent = deny(
  'budget.bytes-up',
  'the request was cut off: the task’s budget of bytes sent is used up',
  400,
);

export interface MeteredBody {
  readonly body: ReadableStream<Uint8Array> | null;
  /** Bytes that have gone up so far. */
  sent(): number;
  /** The denial, if the body did not come to its end through the sandbox's doing. */
  cut(): Denial | null;
}

/** The request's body as it is sent upstream, counted and bounded. */
export function meteredBody({ request, grant, ended }: Passage): MeteredBody {
  if (request.body === null) return noBody;
  let sent = 0;
  let end: StreamEnd | null = null;
  const limits = { maxBytes: bytesUpLeft(grant), idleMs: egressLimits.requestIdleMs, ended };
  const body = meterBytes(
    request.body,
    limits,
    (metered) => (end = metered.end),
    (chunk) => (sent += chunk.byteLength),
  );
  return { body, sent: () => sent, cut: () => uploadDenial(end) };
}
export const noBody: MeteredBody = { body: null, sent: () => 0, cut: () => null };

function uploadDenial(end: StreamEnd | null): Denial | null {
  switch (end) {
    case 'too-long':
      return bytesUpSpent;
    case 'broken':
    case 'silent':
      return deny('http.body-cut', 'the request body was not sent to its end', 400);
    case 'complete':
    case 'cancelled':
    case 'stalled':
    case 'ended':
    case null:
      return null;
  }
}

/** The answer as the sandbox gets it: status, headers of the allowlist, the body as it comes. */
export function answerWith(
  upstream: Response,
  meter: (stream: ReadableStream<unknown>) => ReadableStream<Uint8Array>,
  location?: string,
): Response {
  const headers = responseHeaders(upstream.headers);
  if (location !== undefined) headers.set('location', location);
  const { status } = upstream;
  const metered = meter(upstream.body ?? emptyStream());
  if (upstream.body !== null && status !== 204 && status !== 205 && status !== 304)
    return new Response(metered, { status, headers });
  // These have no body; ending the meter records the request.
  metered.cancel().catch(() => undefined);
  return new Response(null, { status, headers });
}

/** Passes an answer on, and records the request when the answer has ended. */
export function passOn(
  passage: Passage,
  upstream: Response,
  about: {
    /** How the request ends if its answer arrives whole. */
    readonly end: Passed | Failure;
    /** `cut`: why the answer broke, where that is known. */
    readonly sent: { sent(): number; cut(): Denial | Failure | null };
    readonly location?: string;
    readonly sieve?: Sieve;
  },
): Response {
  const { ended } = passage;
  const limits = { maxBytes: bytesDownLeft(passage.grant), idleMs: egressLimits.transferIdleMs, ended };
  return answerWith(
    upstream,
    (stream) =>
      meterBytes(
        stream,
        limits,
        ({ bytes, end }) => {
          const requestEnd = endOfAnswer(passage.host, about.end, end, about.sent.cut());
          passage.deps.waitUntil(
            passage.record(requestEnd, { bytesUp: about.sent.sent(), bytesDown: bytes }),
          );
        },
        undefined,
        about.sieve,
      ),
    about.location,
  );
}

/** How a request ended. `cut`: an answer that breaks because the request's body did, or that we broke. */
export function endOfAnswer(
  host: string,
  whole: Passed | Failure,
  stream: StreamEnd,
  cut: Denial | Failure | null = null,
): RequestEnd {
  switch (stream) {
    case 'complete':
    // The sandbox left, or took nothing more.
    case 'cancelled':
    case 'stalled':
    case 'ended':
      return whole;
    case 'too-long':
      return deny(
        'budget.bytes-down',
        'the answer was cut off: the task’s budget of bytes received is used up',
        whole.status,
      );
    case 'silent':
      return cut ?? fellSilent(host, whole.status);
    case 'broken':
      return cut ?? closedEarly(host, whole.status);
  }
}

/** The address of one of a repository's endpoints at GitHub. */
export function addressOf(githubUrl: string, { owner, name }: GrantedRepository, endpoint: string): string {
  return `${trimSlash(githubUrl)}/${owner}/${name}.git/${endpoint}`;
}

export const trimSlash = (url: string): string => (url.endsWith('/') ? url.slice(0, -1) : url);

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
