/** Waiting for an upstream between the steps of a task, on a virtual clock. */
import { aReason } from '../../../test/fixtures/a-reason.ts';
import { expect, it } from 'vitest';
import { request } from '../../../test/fixtures/sample-task.ts';
import { MemoryTasks } from '../../../test/memory/memory-tasks.ts';
import { ChatRateLimitedError } from '../../core/ports/chat-port.ts';
import { UpstreamError } from '../../core/ports/upstream-error.ts';
import { openState, snapshotOf } from '../record/record-state.ts';
import { retryBriefly, stepOf, UpstreamEnd } from './step-runner.ts';

const s = 1000;
const min = 60 * s;
const reason = aReason('why', 'Because.');
const transient = (waitMs: number | null) => new UpstreamError({ kind: 'transient', waitMs, reason });

/** Fails until `untilMs`. The task can wait for 30 minutes, and is cancelled at `cancelledAt`. */
async function attempts(error: Error, untilMs: number, cancelledAt = Number.POSITIVE_INFINITY) {
  const tasks = new MemoryTasks(0, () => {
    throw new Error('no record is opened');
  });
  const snapshot = async () => ({
    ...snapshotOf(openState(request, 'nonce', 0)),
    cancelledBy: tasks.now >= cancelledAt ? 'maria' : null,
    waitUntil: 30 * min,
  });
  const at: number[] = [];
  const work = async () => {
    at.push(tasks.now);
    if (tasks.now < untilMs && tasks.now < cancelledAt) throw error;
    return 'done';
  };
  const deps = { record: { snapshot }, now: () => tasks.now, log: () => undefined };
  try {
    return { at, result: await stepOf(tasks.workflow('a task'), 'authorize', retryBriefly, work, deps) };
  } catch (thrown) {
    return { at, result: thrown };
  }
}

it.each<[string, Error, number, number[]]>([
  ['exactly as long as GitHub asks', transient(60 * s), 60 * s, [0, 60 * s]],
  ['for a second limit as for the first', transient(5 * s), 9 * s, [0, 5 * s, 10 * s]],
  ['for many minutes in one go', transient(25 * min), 25 * min, [0, 25 * min]],
  ['as long as Slack asks', new ChatRateLimitedError(90 * s), 90 * s, [0, 90 * s]],
  [
    'for two minutes without GitHub with a growing delay',
    transient(null),
    2 * min,
    [0, 1, 3, 7, 15, 31, 61, 91, 121].map((seconds) => seconds * s),
  ],
])('waits %s, and uses up no retry', async (_, error, untilMs, expected) => {
  expect(await attempts(error, untilMs)).toEqual({ at: expected, result: 'done' });
});

it('asks an upstream that stays away until the task has no time left', async () => {
  const { at, result } = await attempts(transient(null), 24 * 60 * min);
  expect(at.at(-1)).toBeGreaterThan(29 * min);
  expect(at.at(-1)).toBeLessThanOrEqual(30 * min);
  expect(result).toEqual(new UpstreamEnd(reason, false));
});

it.each(['gone', 'refused', 'ours'] as const)('ends at once what is %s', async (kind) => {
  const { at, result } = await attempts(new UpstreamError({ kind, reason }), min);
  expect(at).toEqual([0]);
  expect(result).toMatchObject({ reason, isFinal: true });
});

it('ends at once when the wait would be longer than the task', async () => {
  const { at, result } = await attempts(transient(31 * min), 31 * min);
  expect(at).toEqual([0]);
  expect(result).toMatchObject({ reason, isFinal: false });
});

it('leaves errors that nothing is known about to the retries of the platform', async () => {
  const { at, result } = await attempts(new Error('unknown'), min);
  expect(at).toHaveLength(5);
  expect(result).toEqual(new Error('unknown'));
});

it('ends a long wait soon after the task is cancelled', async () => {
  const { at, result } = await attempts(transient(25 * min), 25 * min, 40 * s);
  expect(at).toEqual([0, 60 * s]);
  expect(result).toBe('done');
});
