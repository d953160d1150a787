/**
 * The door through which the local sandboxes' gateway hands every request to the egress decision. It takes
 * the place that `ctx.containerId` has on Cloudflare: the gateway, outside the sandbox, says whose request it
 * is and proves with a token of this run that it is the gateway.
 */
import type { EgressEntry } from '../core/grant.ts';
import { sameSecret } from '../lib/same-secret.ts';
import { arrivalOf, entryOf } from '../egress/entry.ts';
import { handleEgress, type EgressDeps } from '../egress/handler.ts';
import { deny } from '../egress/verdict.ts';

/** `x-airlock-` headers of the sandbox itself are removed by the gateway before it adds these. */
const idHeader = 'x-airlock-sandbox';
const tokenHeader = 'x-airlock-token';
/** Set when the gateway has refused the request itself (a bad Host, a tunnel): only to be recorded. */
const refusedHeader = 'x-airlock-refused';
/**
 * Of such a report: the method that the sandbox named, which may be one that no report could be sent with.
 */
const methodHeader = 'x-airlock-method';

export async function handleLocalEgress(
  request: Request,
  gatewayToken: string,
  deps: EgressDeps,
): Promise<Response> {
  // An unset token opens nothing: the empty header would otherwise match it.
  if (gatewayToken === '' || !(await sameSecret(request.headers.get(tokenHeader) ?? '', gatewayToken)))
    return new Response(null, { status: 403 });
  const sandboxId = request.headers.get(idHeader);
  if (sandboxId === null || !/^[0-9a-f]{64}$/.test(sandboxId)) return new Response(null, { status: 400 });
  const refused = request.headers.get(refusedHeader);
  if (refused !== null) {
    // Counted like any other request: each report is a write, and the budget is what bounds those.
    const grant = await deps.admit(sandboxId);
    if (grant !== null && grant.used.requests < grant.budgets.requests)
      await deps.record(sandboxId, refusedEntry(request, refused.slice(0, 60), deps.now()), 0);
    return new Response(null, { status: 204 });
  }
  const answer = await handleEgress(request, sandboxId, deps);
  await readToItsEnd(request);
  return answer;
}

/** Of what nobody read: the largest body that a rule lets in, and how long its sender may take. */
const maxUnreadBytes = 32 * 1024 * 1024;
const unreadMs = 5_000;

/**
 * A request that is refused by its head has a body that nobody has read. workerd reads 64 KB of such a body
 * and then resets the connection, and the gateway, in mid-sending, sees a broken Worker instead of the
 * refusal. A sender beyond the bounds still does.
 */
async function readToItsEnd(request: Request): Promise<void> {
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
    // The sandbox hung up; there is nobody to be answered.
  } finally {
    clearTimeout(timer);
  }
}

/** RFC 9110's token, of the length that a receipt shows. */
const methodToken = /^[\w!#$%&'*+.^`|~-]{1,20}$/;

function refusedEntry(request: Request, code: string, at: number): EgressEntry {
  const named = request.headers.get(methodHeader) ?? '';
  return entryOf(
    arrivalOf(methodToken.test(named) ? named : request.method, request.url, at),
    deny(`gateway.${code}`, 'the request was malformed or tried to get around the gateway', 400),
  );
}
