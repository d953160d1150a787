/** Passes a local sandbox's requests from its authenticated gateway to the egress handler. */
import { totalOnly, type EgressEntry } from '../core/grant.ts';
import { sameSecret } from '../lib/same-secret.ts';
import { arrivalOf, entryOf } from '../egress/entry.ts';
import { answeredByOther } from '../egress/failure.ts';
import { handleEgress, type EgressDeps } from '../egress/handler.ts';
import { deny } from '../egress/verdict.ts';

/** The gateway removes the sandbox's own `x-airlock-` headers before it adds these. */
const idHeader = 'x-airlock-sandbox';
const tokenHeader = 'x-airlock-token';
/** Set when the gateway refused the request itself (a bad Host, a tunnel); the request is only recorded. */
const refusedHeader = 'x-airlock-refused';
/** The method that the sandbox named in a request that the gateway refused; the report may use another. */
const methodHeader = 'x-airlock-method';
/** How many more were refused in a flood, which are not reported one by one. */
const moreHeader = 'x-airlock-more';
/** Marks the handler's answers. Whatever workerd answers by itself lacks it. */
const handledHeader = 'x-airlock-handled';

export async function handleLocalEgress(
  request: Request,
  gatewayToken: string,
  deps: EgressDeps,
): Promise<Response> {
  // Without this check an empty header would match an unset token.
  if (gatewayToken === '' || !(await sameSecret(request.headers.get(tokenHeader) ?? '', gatewayToken)))
    return new Response(null, { status: 403 });
  const sandboxId = request.headers.get(idHeader);
  if (sandboxId === null || !/^[0-9a-f]{64}$/.test(sandboxId)) return new Response(null, { status: 400 });
  const refused = request.headers.get(refusedHeader);
  if (refused !== null) {
    // Counts like any other request: each report is a write, and the budget bounds the writes.
    const grant = await deps.admit(sandboxId);
    if (grant !== null && grant.used.requests < grant.budgets.requests)
      await deps.record(sandboxId, refusedEntry(request, refused.slice(0, 60), deps.now()), totalOnly(0));
    return new Response(null, { status: 204 });
  }
  const answer = await handleEgress(request, sandboxId, deps);
  answer.headers.set(handledHeader, '1');
  await drain(request);
  return answer;
}

/** Bounds for draining an unread body: the largest body that a rule accepts, and the sender's time. */
const maxUnreadBytes = 32 * 1024 * 1024;
const unreadMs = 5_000;

/** Reads on after a denial, because workerd resets a connection with over 64 KB unread. */
async function drain(request: Request): Promise<void> {
  if (request.body === null || request.bodyUsed || request.body.locked) return;
  const body: ReadableStream<unknown> = request.body;
  const reader = body.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), unreadMs);
  try {
    for (let size = 0; size <= maxUnreadBytes;) {
      const { done, value } = await reader.read();
      if (done || !(value instanceof Uint8Array)) return;
      size += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // The sandbox hung up: nobody waits for the answer.
  } finally {
    clearTimeout(timer);
  }
}

/** RFC 9110's token, up to the length that a receipt shows. */
const methodToken = /^[\w!#$%&'*+.^`|~-]{1,20}$/;

function refusedEntry(request: Request, code: string, at: number): EgressEntry {
  const named = request.headers.get(methodHeader) ?? '';
  const entry = entryOf(
    arrivalOf(methodToken.test(named) ? named : request.method, request.url, at),
    code === 'unhandled'
      ? answeredByOther
      : deny(`gateway.${code}`, 'the request was malformed or tried to get around the gateway', 400),
  );
  const more = request.headers.get(moreHeader);
  return more === null ? entry : { ...entry, more: Number(more) };
}
