/**
 * What every way to an upstream has in common: what it is given, how it calls, how an answer is passed on and written down.
 * Decides no rule.
 */
import type { EgressEntry, Grant, GrantedRepository } from '../core/grant.ts';
import { responseHeaders } from './headers.ts';
import { egressLimits } from './limits.ts';
import { meterBytes, type MeteredBytes, type StreamEnd, type StreamLimits } from './metered-stream.ts';

export interface EgressDeps {
  /** The grant of the sandbox, with this request already counted; null for an id that has none. */
  admit(containerId: string): Promise<Grant | null>;
  record(containerId: string, entry: EgressEntry, tokens: number): Promise<void>;
  readToken(taskId: string, repository: GrantedRepository): Promise<string>;
  readonly openaiApiKey: string;
  readonly openaiOrganization?: string;
  readonly openaiProject?: string;
  /** GitHub's web base, e.g. `https://github.com`. */
  readonly githubUrl: string;
  /** Up to and including `/v1`. */
  readonly openaiBaseUrl: string;
  readonly fetch: typeof fetch;
  now(): number;
  /** Keeps the record of a streamed answer alive past the handler's return. */
  waitUntil(work: Promise<unknown>): void;
}

export interface Refusal {
  readonly rule: string;
  readonly status: number;
  readonly reason: string;
}

/** One admitted request on its way. */
export interface Passage {
  readonly request: Request;
  readonly containerId: string;
  readonly grant: Grant;
  readonly deps: EgressDeps;
  readonly note: (
    verdict: EgressEntry['verdict'],
    rule: string,
    more: Partial<EgressEntry>,
    tokens?: number,
  ) => Promise<void>;
  readonly denied: (refusal: Refusal) => Promise<Response>;
}

/** `redirect: 'manual'` always: following one would carry the credential wherever the upstream points. */
export async function callUpstream(
  deps: EgressDeps,
  url: string,
  init: { method: string; headers: Headers; body: BodyInit | null },
): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error('upstream sent no headers in time')),
    egressLimits.upstreamHeadersMs,
  );
  try {
    return await deps.fetch(url, { ...init, redirect: 'manual', signal: abort.signal });
  } finally {
    clearTimeout(timer);
  }
}

export const isRedirect = ({ status }: Response): boolean => status >= 300 && status < 400 && status !== 304;

/** Bytes that the task may still receive. */
export const bytesDownLeft = ({ budgets, used }: Grant): number => budgets.bytesDown - used.bytesDown;
export const bytesUpLeft = ({ budgets, used }: Grant): number => budgets.bytesUp - used.bytesUp;

/** The request's body, counted. `sent` gives what has gone up so far and how it ended. */
export function meteredBody(request: Request, grant: Grant) {
  let sent: { bytes: number; end: StreamEnd | null } = { bytes: 0, end: null };
  if (request.body === null) return { body: null, sent: () => sent };
  let passed = 0;
  const limits: StreamLimits = { maxBytes: bytesUpLeft(grant), idleMs: egressLimits.requestIdleMs };
  const body = meterBytes(
    request.body,
    limits,
    (metered) => (sent = metered),
    (chunk) => (passed += chunk.byteLength),
  );
  return { body, sent: () => ({ ...sent, bytes: Math.max(sent.bytes, passed) }) };
}

/** The answer as the sandbox gets it: status, headers of the allowlist, the body as it comes. `done` hears of its end. */
export function passOn(
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
  // These have no body; ending the meter writes the request down.
  metered.cancel().catch(() => undefined);
  return new Response(null, { status, headers });
}

/** Passes an answer on and writes it down when it has ended, with why it was cut off if it was. */
export function passOnNoted(
  passage: Passage,
  upstream: Response,
  rule: string,
  more: { readonly bytesUp: () => number; readonly location?: string },
): Response {
  const limits = { maxBytes: bytesDownLeft(passage.grant), idleMs: egressLimits.transferIdleMs };
  const { status } = upstream;
  return passOn(
    upstream,
    (stream) =>
      meterBytes(stream, limits, (metered) =>
        passage.deps.waitUntil(
          noteEnd(passage, rule, { status, bytesUp: more.bytesUp(), bytesDown: metered.bytes }, metered),
        ),
      ),
    more.location,
  );
}

/** Two lines for what was cut off: the request that was allowed, and the limit that ended it. */
export async function noteEnd(
  { note }: Passage,
  rule: string,
  more: Partial<EgressEntry>,
  { end }: MeteredBytes,
  tokens?: number,
): Promise<void> {
  await note('allowed', rule, more, tokens);
  const cut = cutReason(end);
  if (cut !== null) await note('denied', cut.rule, { reason: cut.reason, status: more.status ?? 0 });
}

function cutReason(end: StreamEnd | null): { rule: string; reason: string } | null {
  if (end === 'too-long')
    return {
      rule: 'budget.bytes-down',
      reason: 'the answer was cut off: the task’s budget of bytes received is used up',
    };
  if (end === 'idle') return { rule: 'deadline.idle', reason: 'the answer was cut off: it fell silent' };
  return null;
}

/** The address of one of a repository's endpoints at GitHub. */
export function addressOf(githubUrl: string, { owner, name }: GrantedRepository, endpoint: string): string {
  return `${trimSlash(githubUrl)}/${owner}/${name}.git/${endpoint}`;
}

export const trimSlash = (url: string): string => (url.endsWith('/') ? url.slice(0, -1) : url);

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
