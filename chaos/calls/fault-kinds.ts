/** What can happen to a call, in the words of each service. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WireFault } from '../../simulators/wire/faults.ts';
import type { CalledService } from './call-name.ts';

export const faultKinds = ['reset', 'lost', 'error', 'limited', 'slow', 'duplicate'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Seconds of `Retry-After`. */
const limitedSeconds = 2;
/** Below each caller's deadline. */
const slowMs = 3_000;

/** Whether the fault differs from none: a read that is performed twice does not. */
export function applies(kind: FaultKind, service: CalledService, method: string): boolean {
  if (kind === 'duplicate') return method !== 'GET';
  // The host's own limit is that it starts no more sandboxes.
  return kind !== 'limited' || service !== 'sandbox-host' || method === 'POST';
}

export function faultOf(kind: FaultKind, service: CalledService, method: string): WireFault {
  switch (kind) {
    case 'reset':
    case 'lost':
    case 'duplicate':
      return { kind };
    case 'slow':
      return { kind: 'hold', until: sleep(slowMs) };
    case 'error':
      return { kind: 'refuse', status: 500, headers: {}, json: errorBody(service, 'Server Error') };
    case 'limited':
      return {
        kind: 'refuse',
        status: limitStatus(service, method),
        headers: { 'retry-after': String(limitedSeconds) },
        json: errorBody(service, 'You have exceeded a secondary rate limit. Please wait.'),
      };
  }
}

/** GitHub's secondary limit on writes is a 403. */
function limitStatus(service: CalledService, method: string): number {
  if (service === 'sandbox-host') return 503;
  return service === 'github' && method !== 'GET' ? 403 : 429;
}

function errorBody(service: CalledService, message: string): unknown {
  switch (service) {
    case 'github':
      return { message, documentation_url: 'https://docs.github.com/rest' };
    case 'openai':
      return { error: { message, type: 'server_error', param: null, code: null } };
    case 'slack':
      return { ok: false, error: message.includes('limit') ? 'ratelimited' : 'internal_error' };
    case 'sandbox-host':
      return { problem: message };
  }
}
