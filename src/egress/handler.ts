/**
 * Performs the egress decision: looks up the grant by the sandbox's id, decides, adds the credential that belongs to
 * it, calls upstream, records. Runs outside the sandbox; the only place where a credential meets a request.
 * Answers only with fixed bodies of its own: no error text of ours or of a library reaches the sandbox.
 */
import type { EgressEntry, Grant, GrantedRepository } from '../core/grant.ts';
import { decideEgress, maxOpenaiBodyBytes, type EgressVerdict, type RequestHead } from './decide.ts';
import { githubRequestHeaders, openaiRequestHeaders, responseHeaders } from './headers.ts';
import { decideResponsesBody } from './openai-body.ts';
import { meterBytes, meterTokens } from './token-meter.ts';

export interface EgressDeps {
  /** The grant of the sandbox, with this request already counted; null for an id that has none. */
  admit(containerId: string): Promise<Grant | null>;
  record(containerId: string, entry: EgressEntry, tokens: number): Promise<void>;
  readToken(taskId: string, repository: GrantedRepository): Promise<string>;
  readonly openaiApiKey: string;
  /** GitHub's web base, e.g. `https://github.com`. */
  readonly githubUrl: string;
  /** Up to and including `/v1`. */
  readonly openaiBaseUrl: string;
  readonly fetch: typeof fetch;
  now(): number;
  /** Keeps the record of a streamed answer alive past the handler's return. */
  waitUntil(work: Promise<unknown>): void;
}

/** Until the upstream's headers: a model may think for minutes, but its stream opens at once. */
const upstreamHeadersMs = 120_000;

type Denial = { readonly rule: string; readonly status: number; readonly reason: string };
const internal: Denial = { rule: 'internal', status: 502, reason: 'the request could not be carried out' };

/** One request of one sandbox. Never throws. */
export async function handleEgress(
  request: Request,
  containerId: string,
  deps: EgressDeps,
): Promise<Response> {
  const head = headOf(request);
  if (head === null)
    return refusal({ rule: 'url.invalid', status: 400, reason: 'the request URL is not valid' });
  const note = (verdict: EgressEntry['verdict'], rule: string, more: Partial<EgressEntry>, tokens = 0) =>
    deps.record(containerId, { ...entryFor(head, deps.now()), verdict, rule, ...more }, tokens);
  try {
    const grant = await deps.admit(containerId);
    if (grant === null)
      return refusal({ rule: 'grant.none', status: 403, reason: 'this sandbox has no grant' });
    const denied = async (denial: Denial): Promise<Response> => {
      await note('denied', denial.rule, { reason: denial.reason, status: denial.status });
      return refusal(denial);
    };
    const verdict = decideEgress(head, grant);
    switch (verdict.kind) {
      case 'deny':
        return await denied(verdict);
      case 'answer':
        await note('allowed', verdict.rule, { status: 200, bytesDown: verdict.body.length });
        return new Response(verdict.body, { headers: { 'content-type': 'text/plain' } });
      case 'allow-github':
        return await forwardToGithub(request, verdict, grant, deps, note, denied);
      case 'inspect-openai': {
        const text = await readCapped(request, maxOpenaiBodyBytes);
        if (text === null)
          return await denied({
            rule: 'openai.size',
            status: 400,
            reason: 'the request body is too large or broken off',
          });
        const decided = decideResponsesBody(text, grant);
        if (decided.kind === 'deny') return await denied({ ...decided, status: 400 });
        return await forwardToOpenai(request, decided.body, deps, note, denied);
      }
    }
  } catch {
    // Whatever broke, it is named in our own log by the record or the token source; the sandbox learns nothing of it.
    await note('denied', internal.rule, { reason: internal.reason, status: internal.status }).catch(
      () => undefined,
    );
    return refusal(internal);
  }
}

type Note = (
  verdict: EgressEntry['verdict'],
  rule: string,
  more: Partial<EgressEntry>,
  tokens?: number,
) => Promise<void>;

async function forwardToGithub(
  request: Request,
  verdict: Extract<EgressVerdict, { kind: 'allow-github' }>,
  grant: Grant,
  deps: EgressDeps,
  note: Note,
  denied: (denial: Denial) => Promise<Response>,
): Promise<Response> {
  const token = await deps.readToken(grant.taskId, verdict.repository);
  let bytesUp = 0;
  const body = request.body === null ? null : meterBytes(request.body, (bytes) => (bytesUp = bytes));
  const upstream = await callUpstream(deps, `${trimSlash(deps.githubUrl)}${verdict.target}`, {
    method: request.method,
    headers: githubRequestHeaders(request.headers, token),
    body,
  });
  // A renamed repository redirects; the new name is not in the grant by that name, so it is refused rather than followed.
  if (upstream.status >= 300 && upstream.status < 400)
    return denied({
      rule: 'github.redirect',
      status: 403,
      reason: 'GitHub answered with a redirect, which is not followed',
    });
  return passOn(upstream, (stream) =>
    meterBytes(stream, (bytesDown) =>
      deps.waitUntil(note('allowed', verdict.rule, { status: upstream.status, bytesUp, bytesDown })),
    ),
  );
}

async function forwardToOpenai(
  request: Request,
  body: string,
  deps: EgressDeps,
  note: Note,
  denied: (denial: Denial) => Promise<Response>,
): Promise<Response> {
  const upstream = await callUpstream(deps, `${trimSlash(deps.openaiBaseUrl)}/responses`, {
    method: 'POST',
    headers: openaiRequestHeaders(request.headers, deps.openaiApiKey),
    body,
  });
  if (upstream.status >= 300 && upstream.status < 400)
    return denied({
      rule: 'openai.redirect',
      status: 400,
      reason: 'OpenAI answered with a redirect, which is not followed',
    });
  // 401 from OpenAI is about our key: its text quotes part of the key, so it is replaced.
  if (upstream.status === 401 || upstream.status === 403) {
    await upstream.body?.cancel();
    return denied({
      rule: 'openai.unauthorized',
      status: 400,
      reason: 'OpenAI refused the API key that this Airlock is configured with',
    });
  }
  const bytesUp = body.length;
  return passOn(upstream, (stream) =>
    meterTokens(stream, ({ bytes, tokens }) => {
      // Four bytes a token is the usual rule of thumb; used only when the stream was cut before usage came.
      const charged = tokens ?? (upstream.ok ? Math.ceil((bytesUp + bytes) / 4) : 0);
      deps.waitUntil(
        note('allowed', 'openai.responses', { status: upstream.status, bytesUp, bytesDown: bytes }, charged),
      );
    }),
  );
}

/** `redirect: 'manual'` always: following one would carry the credential wherever the upstream points. */
async function callUpstream(
  deps: EgressDeps,
  url: string,
  init: { method: string; headers: Headers; body: BodyInit | null },
): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error('upstream sent no headers in time')),
    upstreamHeadersMs,
  );
  try {
    return await deps.fetch(url, { ...init, redirect: 'manual', signal: abort.signal });
  } finally {
    clearTimeout(timer);
  }
}

function passOn(
  upstream: Response,
  meter: (stream: ReadableStream<unknown>) => ReadableStream<Uint8Array>,
): Response {
  const headers = responseHeaders(upstream.headers);
  const body = upstream.body ?? new Blob([]).stream();
  return new Response(meter(body), { status: upstream.status, headers });
}

/** null when the body is larger than `maxBytes` or breaks off. */
async function readCapped(request: Request, maxBytes: number): Promise<string | null> {
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    const body: ReadableStream<unknown> = request.body;
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) return null;
      size += chunk.byteLength;
      if (size > maxBytes) return null;
      chunks.push(chunk);
    }
  } catch {
    return null; // the sandbox hung up in mid-body
  }
  return await new Blob(chunks).text();
}

function headOf(request: Request): RequestHead | null {
  const url = URL.parse(request.url);
  if (url === null) return null;
  return { method: request.method, url, header: (name) => request.headers.get(name) };
}

function entryFor(head: RequestHead, at: number): EgressEntry {
  return {
    at,
    method: head.method.slice(0, 20),
    host: head.url.hostname.slice(0, 253),
    path: head.url.pathname.slice(0, 200),
    verdict: 'denied',
    rule: 'unknown',
    reason: '',
    status: 0,
    bytesUp: 0,
    bytesDown: 0,
  };
}

function refusal({ rule, status, reason }: Denial): Response {
  // OpenAI's error shape: Codex shows `message` to the model verbatim; git and curl show the status.
  return Response.json(
    { error: { message: `Airlock: ${reason}`, type: 'airlock_egress', code: rule, param: null } },
    { status },
  );
}

function trimSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}
