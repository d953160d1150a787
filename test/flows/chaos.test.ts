/** A fixed subset of `npm run chaos`, in which each kind of kill is there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allCases } from '../../chaos/all-cases.ts';
import type { CaseResult } from '../../chaos/case.ts';
import { startLane, type Lane } from '../../chaos/lane.ts';
import { runCase } from '../../chaos/run-cases.ts';

/** The first one proves the list of steps. */
const alone = [
  'kill/comment/baseline',
  'kill/comment/middle/wait-for-Codex-1/all',
  'kill/comment/middle/wait-for-Codex-1/agent',
  'kill/comment/middle/collect-1/sandbox',
  'kill/again/worker',
];
/** GitHub keeps the answer of each; workerd is killed once all of them wait. */
const together = [
  'kill/call/GET-collaborators/worker',
  'kill/call/POST-issues-comments/worker',
  'kill/call/POST-git-upload-pack/worker',
  'kill/call/POST-git-trees/worker',
  'kill/call/POST-git-refs/worker',
  'kill/call/POST-pulls/worker',
];

let lane: Lane;
beforeAll(async () => {
  lane = await startLane();
});
afterAll(async () => await lane.close());

async function resultOf(id: string, where = lane): Promise<CaseResult> {
  const one = allCases().find((candidate) => candidate.id === id);
  if (one === undefined) throw new Error(`there is no case ${id}`);
  return await runCase(one, where, new AbortController().signal);
}
const good = { ok: true, problems: [] };

describe('a task whose bot is harmed', () => {
  it.each(alone)('ends once and leaves nothing behind: %s', async (id) => {
    expect(await resultOf(id)).toMatchObject(good);
  });
});

describe('tasks whose Worker is killed in the middle of a call', () => {
  let results: readonly CaseResult[];

  beforeAll(async () => {
    let waiting = 0;
    const all = Promise.withResolvers<void>();
    let blow: Promise<number> | null = null;
    const sharing: Lane = {
      ...lane,
      kill: async (target) => {
        waiting += 1;
        if (waiting === together.length) all.resolve();
        await all.promise;
        return await (blow ??= lane.kill(target));
      },
    };
    results = await Promise.all(together.map(async (id) => await resultOf(id, sharing)));
  });

  it.each(together)('end once and leave nothing behind: %s', (id) => {
    expect(results.find((result) => result.id === id)).toMatchObject(good);
  });
});
