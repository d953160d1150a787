/** Carries a decided Responses request to OpenAI with our key, and its stream back, counting tokens. */
import { openaiRequestHeaders, responseHeaders } from './headers.ts';
import { egressLimits } from './limits.ts';
import { readWhole } from './metered-stream.ts';
import { createOpenRequests } from './open-requests.ts';
import { decideResponsesBody } from './openai-body.ts';
import { openaiErrorBody } from './openai-error.ts';
import { meterTokens } from './token-meter.ts';
import {
  bytesDownLeft,
  bytesUpLeft,
  callUpstream,
  isRedirect,
  noteEnd,
  passOn,
  trimSlash,
  type Passage,
} from './upstream.ts';

const rule = 'openai.responses';
const underWay = createOpenRequests(egressLimits.openModelRequests);

export async function forwardToOpenai(passage: Passage): Promise<Response> {
  const { containerId, denied } = passage;
  const close = underWay.open(containerId);
  if (close === null)
    return await denied({
      rule: 'openai.concurrency',
      status: 400,
      reason: 'too many model requests at a time',
    });
  try {
    const response = await decideAndCall(passage, close);
    if (response.kind === 'whole') close();
    return response.response;
  } catch (error) {
    close();
    throw error;
  }
}

/** `streaming`: `close` is called when the stream has ended. */
async function decideAndCall(
  passage: Passage,
  close: () => void,
): Promise<{ readonly kind: 'whole' | 'streaming'; readonly response: Response }> {
  const { request, grant, deps, denied } = passage;
  const refuse = async (rule: string, reason: string) => ({
    kind: 'whole' as const,
    response: await denied({ rule, status: 400, reason }),
  });
  const bytes = await readWhole(request.body, {
    maxBytes: egressLimits.openaiBodyBytes,
    idleMs: egressLimits.requestIdleMs,
  });
  if (bytes === null) return await refuse('openai.size', 'the request body is too large or broken off');
  const decided = decideResponsesBody(bytes, grant);
  if (decided.kind === 'deny') return await refuse(decided.rule, decided.reason);
  const bytesUp = decided.body.byteLength;
  if (bytesUp > bytesUpLeft(grant))
    return await refuse('budget.bytes-up', 'the task’s budget of bytes sent is used up');

  const upstream = await callUpstream(deps, `${trimSlash(deps.openaiBaseUrl)}/responses`, {
    method: 'POST',
    headers: openaiRequestHeaders(request.headers, deps),
    body: decided.body,
  });
  if (isRedirect(upstream)) {
    await upstream.body?.cancel();
    return await refuse('openai.redirect', 'OpenAI answered with a redirect, which is not followed');
  }
  // 401 from OpenAI is about our key: its text quotes part of the key, so it is replaced.
  if (upstream.status === 401 || upstream.status === 403) {
    await upstream.body?.cancel();
    return await refuse(
      'openai.unauthorized',
      'OpenAI refused the API key that this Airlock is configured with',
    );
  }
  if (!upstream.ok) return { kind: 'whole', response: await passOnError(passage, upstream, bytesUp) };
  const limits = { maxBytes: bytesDownLeft(grant), idleMs: egressLimits.modelIdleMs };
  const response = passOn(upstream, (stream) =>
    meterTokens(stream, limits, (metered) => {
      close();
      const tokens = metered.tokens ?? unreportedTokens(bytesUp + metered.bytes, metered.finished);
      const { status } = upstream;
      deps.waitUntil(noteEnd(passage, rule, { status, bytesUp, bytesDown: metered.bytes }, metered, tokens));
    }),
  );
  return { kind: 'streaming', response };
}

/**
 * What a stream without usage is charged. Four bytes a token is the usual rule of thumb; it sees nothing of hidden reasoning, so a stream
 * that ended before its response did is charged a floor as well: closing early is no way around the budget.
 */
function unreportedTokens(bytes: number, finished: boolean): number {
  const estimate = Math.ceil(bytes / 4);
  return finished ? estimate : Math.max(estimate, egressLimits.unreportedTokens);
}

async function passOnError({ note }: Passage, upstream: Response, bytesUp: number): Promise<Response> {
  const bytes = await readWhole(upstream.body, {
    maxBytes: egressLimits.openaiErrorBytes,
    idleMs: egressLimits.transferIdleMs,
  });
  const { status } = upstream;
  const body = openaiErrorBody(new TextDecoder().decode(bytes ?? new Uint8Array()), status);
  await note('allowed', rule, { status, bytesUp, bytesDown: bytes?.byteLength ?? 0 });
  const headers = responseHeaders(upstream.headers);
  headers.set('content-type', 'application/json');
  return new Response(body, { status, headers });
}
