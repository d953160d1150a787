/** A fixed subset of `npm run chaos`, in which each kind of harm is there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allCases } from '../../chaos/all-cases.ts';
import { callCase } from '../../chaos/calls/call-cases.ts';
import type { CaseResult, ChaosCase } from '../../chaos/case.ts';
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

/** These harm only their own task. Without the recorded run that finds out about all calls. */
const atOnce = [
  callCase(
    'issue',
    { service: 'github', method: 'POST', name: 'github POST /git/git-upload-pack', nth: 1 },
    'limited',
  ),
  callCase('issue', { service: 'github', method: 'POST', name: 'github POST /pulls', nth: 1 }, 'duplicate'),
  callCase(
    'issue',
    { service: 'sandbox-host', method: 'POST', name: 'sandbox-host POST /start', nth: 1 },
    'reset',
  ),
];

let lane: Lane;
let cases: readonly ChaosCase[];
beforeAll(async () => {
  cases = await allCases(['kills', 'cancels'], never);
  lane = await startLane('alone');
});
afterAll(async () => await lane.close());

const never = new AbortController().signal;
const good = { ok: true, problems: [] };

async function resultOf(id: string, where = lane): Promise<CaseResult> {
  const one = cases.find((candidate) => candidate.id === id);
  if (one === undefined) throw new Error(`there is no case ${id}`);
  return await runCase(one, where, never);
}

describe('a task whose bot is harmed', () => {
  it.each(alone)('ends once and leaves nothing behind: %s', async (id) => {
    expect(await resultOf(id)).toMatchObject(good);
  });

  it('ends once and leaves nothing behind when it is cancelled, or a call of it fails', async () => {
    const results = await Promise.all([
      resultOf('cancel/codex/comment'),
      ...atOnce.map(async (one) => await runCase(one, lane, never)),
    ]);
    expect(results).toMatchObject(results.map(() => good));
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
