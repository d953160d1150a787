/** Waiting for a rate limit within a step. The platform retries the step. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ChatRateLimitedError } from '../../core/ports/chat-port.ts';
import { taskLimits } from '../limits.ts';
import { withRateLimitWait } from './step-runner.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function failsAfter(failure: Error): Promise<number> {
  const startedAt = Date.now();
  const work = withRateLimitWait(async () => {
    throw await Promise.resolve(failure);
  });
  const [ended] = await Promise.all([Promise.allSettled([work]), vi.runAllTimersAsync()]);
  expect(ended).toEqual([{ status: 'rejected', reason: failure }]);
  return Date.now() - startedAt;
}

it.each([
  ['as long as it asks for', new ChatRateLimitedError(20_000), 20_000],
  ['no longer than a minute', new ChatRateLimitedError(3_600_000), taskLimits.quietMs],
  ['not at all for anything else', new Error('unavailable'), 0],
])('waits %s before it fails and is retried', async (_, error, ms) => {
  expect(await failsAfter(error)).toBe(ms);
});

it('returns what the work returns', async () => {
  expect(await withRateLimitWait(async () => await Promise.resolve(7))).toBe(7);
});
