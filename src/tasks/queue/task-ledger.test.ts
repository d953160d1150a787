import { expect, it } from 'vitest';
import { MemoryStorage } from '../../../test/memory/memory-storage.ts';
import type { LedgerEntry, LedgerQuery } from '../../core/ledger.ts';
import { TaskLedgerBase } from './task-ledger.ts';

class TaskLedger extends TaskLedgerBase<null> {}
// @ts-expect-error -- the storage is all that it uses of its state
const ledger = (storage = new MemoryStorage()) => new TaskLedger({ storage }, null);

const at = Date.parse('2026-11-30T10:00:00Z');
const entry: LedgerEntry = {
  taskId: 'gh-1-c1',
  shortId: '0a1b2c3d',
  acceptedAt: at,
  endedAt: null,
  place: 'github',
  repository: 'Acme/Shop',
  repositoryId: 1,
  installationId: 1,
  title: 'Fix rounding',
  issue: 5,
  person: 'github:3',
  requester: 'Maria',
  state: 'running',
  outcome: null,
  asked: 'change',
  code: null,
  tokens: 100,
  dollars: 1,
  pull: null,
};
const asker = { taskId: 'other', repositoryId: 1, person: 'github:3' };

it('counts a task once, however often and in whatever order its record reports', async () => {
  const storage = new MemoryStorage();
  await ledger(storage).report(entry, at);
  await ledger(storage).report({ ...entry, tokens: 300, dollars: 3 }, at + 2);
  await ledger(storage).report({ ...entry, tokens: 200, dollars: 2 }, at + 1);
  await ledger(storage).report({ ...entry, tokens: 300, dollars: 3 }, at + 2);
  expect(ledger(storage).spent('2026-11', asker).everything).toEqual({ tokens: 300, dollars: 3 });
});

it('sums a month by repository and person, without the task that asks', async () => {
  const it = ledger();
  const rows: Partial<LedgerEntry>[] = [
    {},
    { taskId: 'a', repositoryId: 2 },
    { taskId: 'b', person: 'slack:T1:U1', dollars: null },
    { taskId: 'other' },
    { taskId: 'c', acceptedAt: Date.parse('2026-12-01T00:00:00Z') },
  ];
  for (const row of rows) await it.report({ ...entry, ...row }, at);
  expect(it.spent('2026-11', asker)).toEqual({
    everything: { tokens: 300, dollars: 2 },
    repository: { tokens: 200, dollars: 1 },
    person: { tokens: 200, dollars: 2 },
    personInRepository: { tokens: 100, dollars: 1 },
  });
  expect(it.spent('2026-11', { ...asker, person: null })).toMatchObject({ person: null });
  expect(it.spent('2026-10', asker).everything.tokens).toBe(0);
});

it('lists the newest first, page by page, by state, repository, person, place and time', async () => {
  const it = ledger();
  const rows: Partial<LedgerEntry>[] = [
    { state: 'held' },
    { repository: 'acme/docs' },
    { requester: 'ben', person: 'slack:T1:U1', place: 'slack' },
    { acceptedAt: at },
    {},
  ];
  for (const [n, more] of rows.entries())
    await it.report({ ...entry, taskId: `t${n}`, acceptedAt: at + n * 1000, ...more }, at);
  const ids = (query: Partial<LedgerQuery>) => it.list({ limit: 10, ...query }).map(({ taskId }) => taskId);
  expect(ids({})).toEqual(['t4', 't2', 't1', 't3', 't0']);
  expect(ids({ limit: 2 })).toEqual(['t4', 't2']);
  expect(ids({ after: { acceptedAt: at + 1000, taskId: 't1' } })).toEqual(['t3', 't0']);
  expect(ids({ after: { acceptedAt: at, taskId: 't3' } })).toEqual(['t0']);
  expect(ids({ state: 'held' })).toEqual(['t0']);
  expect(ids({ repository: 'ACME/docs' })).toEqual(['t1']);
  expect(ids({ person: 'BEN' })).toEqual(ids({ person: 'slack:T1:U1' }));
  expect(ids({ place: 'slack' })).toEqual(['t2']);
  expect(ids({ from: at + 1000, until: at + 3000 })).toEqual(['t2', 't1']);
  expect(ids({ repositoryIds: [] })).toEqual([]);
  expect(ids({ repositoryIds: [1], limit: 1 })).toEqual(['t4']);
});

it.each<[search: string, found: boolean]>([
  ['RUNDUNG mari', true],
  ['#12 größe', true],
  ['acme/shop 0a1b', true],
  ['#1', false],
  ['#8', true],
  ['größe docs', false],
  ['10_%', false],
  ['100%', true],
  ['" OR 1', false],
  ['  ', true],
])('finds by words, names and numbers: %s', async (search, found) => {
  const it = ledger();
  await it.report({ ...entry, title: 'Rundung der GRÖSSE „größe“ auf 100%', issue: 12, pull: 8 }, at);
  expect(it.list({ search, limit: 1 })).toHaveLength(found ? 1 : 0);
});

it('knows each repository with the installation of its newest task', async () => {
  const it = ledger();
  const rows: Partial<LedgerEntry>[] = [
    { acceptedAt: at + 1, installationId: 6 },
    { installationId: 5 },
    { acceptedAt: at + 2, repositoryId: 2, installationId: 6 },
    { repositoryId: null, installationId: null },
  ];
  for (const [n, more] of rows.entries()) await it.report({ ...entry, taskId: `t${n}`, ...more }, at);
  const [second, first] = [
    { repositoryId: 2, installationId: 6 },
    { repositoryId: 1, installationId: 6 },
  ];
  expect(it.repositories(9)).toEqual([second, first]);
  expect(it.repositories(1)).toEqual([second]);
});

it('shows what became of a pull request, also of one closed before its task’s report', async () => {
  const it = ledger();
  const pull = { repositoryId: 1, number: 7, state: 'merged', at: at + 5 } as const;
  const shown = () => it.list({ limit: 1 }).map(({ closedAt, merged }) => [closedAt, merged]);
  it.pullEnded(pull);
  await it.report(entry, at);
  it.pullEnded(pull);
  await it.report({ ...entry, state: 'ended', pull: 7 }, at + 1);
  expect(shown()).toEqual([[at + 5, true]]);
  // A redelivery that arrives late.
  it.pullEnded({ ...pull, state: 'closed', at: at + 2 });
  it.pullEnded({ ...pull, number: 8 });
  expect(shown()).toEqual([[at + 5, true]]);
  it.pullEnded({ ...pull, state: 'open', at: at + 9 });
  expect(shown()).toEqual([[null, false]]);
});
