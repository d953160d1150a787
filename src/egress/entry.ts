/** What is written down about a request. Never a query, a header or a body; of a path only its class. */
import type { EgressEntry } from '../core/grant.ts';

/** GitHub's longest path, an LFS batch, has six segments. */
const maxSegments = 6;
/** Longer than names of repositories and endpoints usually are; what is longer is more likely data than a name. */
const maxSegmentCharacters = 40;

export function entryFor(method: string, rawUrl: string, at: number): EgressEntry {
  const url = URL.parse(rawUrl);
  return {
    at,
    method: method.slice(0, 20),
    host: (url?.hostname ?? 'unknown.invalid').slice(0, 253),
    path: pathClass(url?.pathname ?? '/'),
    verdict: 'denied',
    rule: 'unknown',
    reason: '',
    status: 0,
    bytesUp: 0,
    bytesDown: 0,
  };
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
