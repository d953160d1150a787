/** The real record on SQLite in memory, restarted while Codex runs. */
import { expect, it } from 'vitest';
import { codex, linesOf, startLongRun, type LongRun } from '../../../test/memory/long-run.ts';
import type { TaskEvent } from '../../core/task-view.ts';

const minutes = 60_000;

/** What one process that is never restarted would log. */
function foldedAtOnce(lines: readonly string[]) {
  let progress = codex.initialProgress;
  const log = lines.flatMap((line) => {
    const folded = codex.fold(progress, line, 0);
    progress = folded.progress;
    return folded.notable;
  });
  return { progress, log };
}

/** Ends the task as the Workflow does, and expects the whole log, once. */
async function expectWholeLog(run: LongRun, lines: readonly string[]): Promise<void> {
  run.restart();
  const record = run.record();
  expect(record.snapshot()?.agentEnd).toEqual({ kind: 'exited', exitCode: 0 });
  for (let attempt = 0; attempt < 2; attempt += 1) await record.finish({ kind: 'no-change', summary: '' });
  const events = record.events(lines.length);
  const { progress, log } = foldedAtOnce(lines);
  const ownKinds = new Set<TaskEvent['body']['kind']>(['phase', 'acknowledged']);
  expect(events.map(({ body }) => body).filter(({ kind }) => !ownKinds.has(kind))).toEqual([
    ...log,
    { kind: 'ended', outcome: { kind: 'no-change', summary: '' } },
  ]);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(record.view()?.progress).toEqual(progress);
  const viewed = await new Response(record.watch(0)).text();
  expect(Array.from(viewed.matchAll(/^id: (\d+)$/gm), ([, seq]) => Number(seq))).toEqual(
    events.map(({ seq }) => seq),
  );
}

/** The same numbers in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it('keeps the log of an hour with 20,000 events whole while it is restarted every 5 minutes', async () => {
  const everyMs = (60 * minutes) / 20_000;
  const lines = linesOf(20_000, everyMs);
  const random = seeded(13);
  let restarts = 0;
  let startedAt = 0;
  const run = await startLongRun(
    lines,
    ({ tasks, record }) => {
      startedAt ||= tasks.now;
      tasks.now += Math.round(100 + random() * 1_900);
      if (tasks.now < startedAt + (restarts + 1) * 5 * minutes) return;
      restarts += 1;
      // At some write of what this read brings.
      record().storage.breakAfter(Math.floor(random() * 12), 'crash');
    },
    (now) => Math.floor((now - startedAt) / everyMs),
  );
  await run.watchToEnd();
  expect(restarts).toBe(12);
  expect(run.logged.filter((event) => event === 'agent.ended')).toHaveLength(1);
  await expectWholeLog(run, lines);
});

it.each(['crash', 'full'] as const)('stores a line of the log once, at whatever write: %s', async (how) => {
  const lines = linesOf(41, 100);
  let isBroken = true;
  let writes = 0;
  for (; isBroken; writes += 1) {
    let startedAt = 0;
    const run = await startLongRun(
      lines,
      ({ tasks }) => {
        startedAt ||= tasks.now;
        tasks.now += 900;
      },
      (now) => Math.floor((now - startedAt) / 100),
    );
    const { storage } = run.record();
    storage.breakAfter(writes, how);
    await run.watchToEnd();
    isBroken = storage.hasBroken;
    await expectWholeLog(run, lines);
  }
  expect(writes).toBeGreaterThan(40);
});

it('reports a long run about once a minute, also while no report arrives', async () => {
  const lines = linesOf(1200, 1000);
  let startedAt = 0;
  let reports = 0;
  const run = await startLongRun(
    lines,
    ({ tasks }) => {
      startedAt ||= tasks.now;
      tasks.now += 900;
    },
    (now) => Math.floor((now - startedAt) / 1000),
    async () => {
      reports += 1;
      throw await Promise.resolve(new Error('the ledger is away'));
    },
  );
  await run.watchToEnd();
  expect(reports).toBeGreaterThan(19);
  expect(reports).toBeLessThan(80);
});
