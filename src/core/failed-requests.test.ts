import { expect, it } from 'vitest';
import { failedRequestLines } from './failed-requests.ts';
import { emptyReceipt, type Receipt } from './grant.ts';

const row = (changes: Partial<Receipt['failed'][number]> = {}): Receipt['failed'][number] => ({
  host: 'api.openai.com',
  fault: 'upstream',
  rule: 'upstream.status',
  reason: 'api.openai.com answered 503',
  count: 2,
  ...changes,
});
const lines = (failed: Receipt['failed'], failedTotal = failed.reduce((sum, { count }) => sum + count, 0)) =>
  failedRequestLines({ ...emptyReceipt, failed, failedTotal });

it('counts the requests that failed for one reason', () => {
  expect(lines([row()])).toEqual(['2 requests failed: api.openai.com answered 503']);
  expect(lines([row({ count: 1 })])).toEqual(['1 request failed: api.openai.com answered 503']);
});

it('says when the failure is our own', () => {
  expect(lines([row({ fault: 'ours', reason: 'OpenAI refused our API key', count: 1 })])).toEqual([
    '1 request failed on our side: OpenAI refused our API key',
  ]);
});

it('lists the three latest reasons and counts the others', () => {
  const reasons = ['a', 'b', 'c', 'd'].map((reason) => row({ reason, count: 1 }));
  expect(lines(reasons, 9)).toEqual([
    '1 request failed: b',
    '1 request failed: c',
    '1 request failed: d',
    '6 more requests failed',
  ]);
});

it('has nothing to say when no request failed', () => {
  expect(lines([])).toEqual([]);
});
