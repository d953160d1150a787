import { describe, expect, it } from 'vitest';
import { taskLimits } from '../limits.ts';
import { sweep, type SweepDeps, type Woken } from './sweep.ts';

/** A queue and its records; what was done is written down in order. */
function world(
  records: Readonly<Record<string, Woken | 'broken'>>,
  {
    present = [],
    fresh = [],
    past = [],
  }: { present?: readonly string[]; fresh?: readonly string[]; past?: readonly string[] },
  changes: Partial<SweepDeps> = {},
) {
  const done: string[] = [];
  const logged: string[] = [];
  let working = 0;
  let mostAtOnce = 0;
  const deps: SweepDeps = {
    readDeliveries: async () => await Promise.resolve(),
    watched: async (limit) => {
      expect(limit).toBe(taskLimits.sweepAtMost);
      return await Promise.resolve({ present, fresh, past });
    },
    wakeRecord: async (taskId) => {
      working += 1;
      mostAtOnce = Math.max(mostAtOnce, working);
      await Promise.resolve();
      working -= 1;
      const woken = records[taskId] ?? 'gone';
      if (woken === 'broken') throw new Error('it cannot read what it stored');
      return woken;
    },
    destroySandbox: async (taskId) => void done.push(`destroy ${taskId}`),
    release: async (taskId) => void done.push(`release ${taskId}`),
    wakeWorkflow: async (taskId) => void done.push(`wake ${taskId}`),
    forget: async (taskId) => void done.push(`forget ${taskId}`),
    log: (event, fields) =>
      void logged.push(typeof fields['taskId'] === 'string' ? `${event} ${fields['taskId']}` : event),
    ...changes,
  };
  return { deps, done, logged, most: () => mostAtOnce };
}

describe('a task in the queue', () => {
  it.each([
    ['whose record is awake', 'watched', []],
    ['whose record had lost its alarm', 'rearmed', []],
    ['whose record cannot be asked', 'broken', []],
    ['that has no record', 'gone', ['destroy t', 'release t', 'wake t']],
  ] as const)('%s', async (_, woken, expected) => {
    const { deps, done } = world({ t: woken }, { present: ['t'] });
    await sweep(deps);
    expect(done).toEqual(expected);
  });

  it('keeps its slot when its sandbox could not be destroyed: there would be one too many', async () => {
    const { deps, done } = world(
      {},
      { present: ['t'] },
      { destroySandbox: async () => await Promise.reject(new Error('it hangs')) },
    );
    await sweep(deps);
    expect(done).toEqual([]);
  });
});

it('wakes the Workflow of a task without a record that is not in the queue yet', async () => {
  const { deps, done } = world({ a: 'watched' }, { fresh: ['a', 'b'] });
  await sweep(deps);
  expect(done).toEqual(['wake b']);
});

describe('a task that was over long ago', () => {
  it.each([
    ['whose record has expired', 'gone', ['forget t']],
    ['whose record will expire by itself', 'watched', []],
    ['whose record had lost its alarm', 'rearmed', []],
    ['whose record cannot be asked', 'broken', []],
  ] as const)('%s', async (_, woken, expected) => {
    const { deps, done } = world({ t: woken }, { past: ['t'] });
    await sweep(deps);
    expect(done).toEqual(expected);
  });
});

it('continues after a task that fails, and logs what it did', async () => {
  const { deps, done, logged } = world(
    { a: 'broken', b: 'rearmed' },
    { present: ['a', 'b', 'c'], past: ['d'] },
  );
  await sweep(deps);
  expect(done).toEqual(['destroy c', 'release c', 'wake c', 'forget d']);
  expect(logged.toSorted()).toEqual(
    ['sweep.task_failed a', 'sweep.rearmed b', 'sweep.orphan_destroyed c', 'sweep.ended'].toSorted(),
  );
});

it('asks a few records at a time', async () => {
  const present = Array.from({ length: 95 }, (_, index) => `t${index}`);
  const { deps, most } = world(Object.fromEntries(present.map((id) => [id, 'watched'])), { present });
  await sweep(deps);
  expect(most()).toBe(taskLimits.slotCallsAtOnce);
});

it('rejects when the queue does not answer', async () => {
  const { deps } = world({}, {}, { watched: async () => await Promise.reject(new Error('away')) });
  await expect(sweep(deps)).rejects.toThrow('away');
});
