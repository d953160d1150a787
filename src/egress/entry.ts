/** What is recorded of a request: never a query, a header or a body; of a path only its class. Pure. */
import type { EgressEntry } from '../core/grant.ts';
import type { RequestEnd } from './verdict.ts';

/** What a request looked like when it arrived. */
export type Arrival = Pick<EgressEntry, 'at' | 'method' | 'host' | 'path'>;

export interface Carried {
  readonly bytesUp?: number;
  readonly bytesDown?: number;
  readonly refusal?: string | null;
}

/** GitHub's longest path, an LFS batch, has six segments. */
const maxSegments = 6;
/** Names are rarely longer; a longer segment is more likely data. */
const maxSegmentCharacters = 40;

export function arrivalOf(method: string, rawUrl: string, at: number): Arrival {
  const url = URL.parse(rawUrl);
  return {
    at,
    method: method.slice(0, 20),
    host: (url?.hostname ?? 'unknown.invalid').slice(0, 253),
    path: pathClass(url?.pathname ?? '/'),
  };
}

export function entryOf(
  arrival: Arrival,
  end: RequestEnd,
  { bytesUp = 0, bytesDown = 0, refusal = null }: Carried = {},
): EgressEntry {
  const { rule, status } = end;
  const entry = { ...arrival, rule, status, bytesUp, bytesDown };
  switch (end.kind) {
    case 'pass':
      return { ...entry, ...(refusal === null ? {} : { refusal }), verdict: 'allowed', reason: '' };
    case 'deny':
      return { ...entry, verdict: 'denied', reason: end.reason };
    case 'fail':
      return { ...entry, verdict: 'failed', fault: end.fault, reason: end.reason };
  }
}

/** `/drop/<4 KB of base64>/x` → `/drop/…/x`: enough to know what was tried, too little to carry a file in. */
function pathClass(path: string): string {
  const segments = path.split('/').slice(1);
  const kept = segments
    .slice(0, maxSegments)
    .map((segment) => (segment.length > maxSegmentCharacters ? '…' : segment));
  const whole = `/${kept.join('/')}${segments.length > maxSegments ? '/…' : ''}`;
  return whole.slice(0, 200);
}
