/** What a step does when the place where it was asked wants quiet. How steps are tried again is the platform's. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ChatRateLimitedError } from '../../core/ports/chat-port.ts';
import { taskLimits } from '../limits.ts';
import { leavingAlone } from './step-runner.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function failsAfter(failure: Error): Promise<number> {
  const startedAt = Date.now();
  const work = leavingAlone(async () => {
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
])('waits %s, and fails then, to be tried again', async (_, error, ms) => {
  expect(await failsAfter(error)).toBe(ms);
});

it('gives what the work gives', async () => {
  expect(await leavingAlone(async () => await Promise.resolve(7))).toBe(7);
});
