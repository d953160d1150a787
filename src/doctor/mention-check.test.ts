import { expect, it } from 'vitest';
import { judgeMention } from './mention-check.ts';
import type { Asked } from './service.ts';

const answered = (status: number): Asked => ({ answered: true, status, headers: new Headers(), body: {} });

it.each<[mention: string | null, Asked, status: string, found: RegExp]>([
  [null, answered(500), 'ok', /people mention @acme-airlock, the App itself/],
  ['acme-airlock', answered(500), 'ok', /the App itself/],
  ['Acme-Airlock', answered(500), 'ok', /the App itself/],
  ['airlock', answered(200), 'warn', /@airlock is somebody else’s account, which every mention notifies/],
  ['airlock', answered(404), 'ok', /nobody’s account; the App is @acme-airlock/],
  ['airlock', answered(401), 'warn', /is unknown: GitHub answered 401/],
  ['airlock', answered(403), 'warn', /is unknown: GitHub answered 403/],
  ['airlock', { answered: false, why: 'ECONNREFUSED' }, 'warn', /is unknown: ECONNREFUSED/],
])('judges the mention @%s when GitHub says %j about that account', async (mention, asked, status, found) => {
  const verdict = await judgeMention(mention, 'acme-airlock', () => Promise.resolve(asked));
  expect(verdict).toMatchObject({ status, found: expect.stringMatching(found) });
});
