/** Carries an inspected Responses request to OpenAI with our key, and its stream back, counting tokens. */
import { totalOnly } from '../core/grant.ts';
import { keyRefused, openaiRedirect, statusFailure } from './failure.ts';
import { openaiRequestHeaders, responseHeaders } from './headers.ts';
import { egressLimits } from './limits.ts';
import { readWhole } from './metered-stream.ts';
import { decideResponsesBody } from './openai-body.ts';
import { openaiErrorBody } from './openai-error.ts';
import { meterTokens } from './token-meter.ts';
import {
  answerWith,
  bytesDownLeft,
  bytesUpLeft,
  bytesUpSpent,
  callUpstream,
  endOfAnswer,
  isRedirect,
  trimSlash,
  type Passage,
} from './upstream.ts';
import { deny, type Passed } from './verdict.ts';

const rule = 'openai.responses';

export async function forwardToOpenai(passage: Passage): Promise<Response> {
  const { request, host, grant, deps, ended, record, refuse } = passage;
  const bytes = await readWhole(request.body, {
    maxBytes: egressLimits.openaiBodyBytes,
    idleMs: egressLimits.requestIdleMs,
    ended,
  });
  if (bytes === null)
    return await refuse(deny('openai.size', 'the request body is too large or incomplete', 400));
  const decided = decideResponsesBody(bytes, grant);
  if (decided.kind === 'deny') return await refuse(decided);
  const bytesUp = decided.body.byteLength;
  if (bytesUp > bytesUpLeft(grant)) return await refuse(bytesUpSpent);

  const upstream = await callUpstream(passage, `${trimSlash(deps.openaiBaseUrl)}/responses`, {
    method: 'POST',
    headers: openaiRequestHeaders(request.headers, deps),
    body: decided.body,
  });
  // How much of the body went out before the connection failed is unknown: all of it counts.
  if (upstream.kind === 'fail') return await refuse(upstream, { bytesUp });
  const { answer } = upstream;
  const { status } = answer;
  const failure = isRedirect(answer) ? openaiRedirect : statusFailure(host, status, 'openai');
  if (failure === openaiRedirect || failure === keyRefused) {
    await answer.body?.cancel();
    return await refuse(failure, { bytesUp });
  }
  const end: Passed = { kind: 'pass', rule, status };
  if (!answer.ok) {
    const error = await readError(answer);
    await record(failure ?? end, { bytesUp, bytesDown: error.bytes });
    return error.response;
  }
  const limits = { maxBytes: bytesDownLeft(grant), idleMs: egressLimits.modelIdleMs, ended };
  return answerWith(answer, (stream) =>
    meterTokens(stream, limits, (metered) => {
      const bytesDown = metered.bytes;
      const tokens = metered.tokens ?? totalOnly(unreportedTokens(bytesUp + bytesDown, metered.finished));
      deps.waitUntil(
        record(endOfAnswer(host, end, metered.end), { bytesUp, bytesDown, tokens, refusal: metered.refusal }),
      );
    }),
  );
}

/** Charges a stream without usage: four bytes a token, and a floor if unfinished: reasoning is hidden. */
function unreportedTokens(bytes: number, finished: boolean): number {
  const estimate = Math.ceil(bytes / 4);
  return finished ? estimate : Math.max(estimate, egressLimits.unreportedTokens);
}

/** Without our account's ids. Codex retries all but 400 for minutes, so what is final becomes 400. */
async function readError(
  upstream: Response,
): Promise<{ readonly response: Response; readonly bytes: number }> {
  const bytes = await readWhole(upstream.body, {
    maxBytes: egressLimits.openaiErrorBytes,
    idleMs: egressLimits.transferIdleMs,
  });
  const { status } = upstream;
  const body = openaiErrorBody(new TextDecoder().decode(bytes ?? new Uint8Array()), status);
  const headers = responseHeaders(upstream.headers);
  headers.set('content-type', 'application/json');
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429;
  const response = new Response(body, { status: isFinal ? 400 : status, headers });
  return { response, bytes: bytes?.byteLength ?? 0 };
}
