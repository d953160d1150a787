import { describe, expect, it } from 'vitest';
import { aReason } from '../../test/fixtures/a-reason.ts';
import { request, slackRequest } from '../../test/fixtures/sample-task.ts';
import { repeatedTaskId, shortIdOf } from '../core/ids.ts';
import type { TaskOutcome, TaskRequest } from '../core/task.ts';
import { claimRetry } from './record/ended-task.ts';
import { finish, openState, snapshotOf, type RecordState } from './record/record-state.ts';
import { claimRepetition, runAgain } from './run-again.ts';

const failed: TaskOutcome = { kind: 'failed', reason: aReason('x', 'y'), changeKept: false };
const refused: TaskOutcome = { kind: 'refused', reason: aReason('no-write-access', 'y') };
const ben = { login: 'ben', id: 4 };
const slack: TaskRequest = { ...slackRequest, repository: { owner: 'acme', name: 'shop' } };
const api: TaskRequest = { ...request, taskId: 'api-1', trigger: { kind: 'api' }, requester: null };

/** Records as the Durable Objects keep them. */
function world() {
  const records = new Map<string, RecordState>();
  const started: TaskRequest[] = [];
  const put = (asked: TaskRequest, outcome: TaskOutcome | null) => {
    const state = openState(asked, 'n', 0);
    records.set(asked.taskId, outcome === null ? state : finish(state, outcome, 1));
  };
  const recordOf = (taskId: string) => ({
    snapshot: async () => {
      const state = records.get(taskId);
      return await Promise.resolve(state === undefined ? null : { ...snapshotOf(state), waitUntil: 0 });
    },
    claimRetry: async (by: string, instead: string | null) => {
      const state = records.get(taskId);
      if (state === undefined) throw new Error(`no record of ${taskId}`);
      const next = claimRetry(state, by, instead);
      records.set(taskId, next);
      return await Promise.resolve(next.retriedBy);
    },
  });
  const start = async (asked: TaskRequest) => {
    await Promise.resolve();
    if (records.has(asked.taskId)) return 'exists';
    started.push(asked);
    put(asked, null);
    return 'started';
  };
  return { records, started, put, recordOf, deps: { recordOf, start, now: () => 60_000 } };
}

describe('a task that is run again on its page', () => {
  it.each([
    ['GitHub, by a person', request, ben, 'person', [{ slackUserId: null, githubId: 3 }]],
    ['GitHub, by the operator', request, null, 'operator', [{ slackUserId: null, githubId: 3 }]],
    ['Slack, by a person', slack, ben, 'person', [{ slackUserId: 'U1', githubId: null }]],
    ['the API, by a person', api, ben, 'person', [{ slackUserId: null, githubId: null }]],
  ] as const)('keeps words and place of %s', async (_, asked, requester, by, askedBefore) => {
    const { deps, started, put } = world();
    put(asked, failed);
    const taskId = await repeatedTaskId(asked.taskId, null);
    expect(await runAgain(asked.taskId, requester, deps)).toEqual({ started: true, taskId });
    const again = { by: 'retry', taskId: asked.taskId };
    expect(started).toEqual([
      {
        ...asked,
        taskId,
        shortId: await shortIdOf(taskId),
        acceptedAt: '1970-01-01T00:01:00.000Z',
        requester,
        askedBefore,
        onPage: {
          repeats: asked.taskId,
          by,
          place: asked === request ? { installationId: 1, repositoryId: 1 } : null,
        },
        trigger: asked.trigger.kind === 'slack' ? { ...asked.trigger, again } : asked.trigger,
      },
    ]);
  });

  it('is one task after a double click, and after a crash between claim and start', async () => {
    const { deps, started, put, recordOf } = world();
    put(request, failed);
    const claimed = await claimRepetition(request.taskId, recordOf);
    const both = await Promise.all([
      runAgain(request.taskId, ben, deps),
      runAgain(request.taskId, null, deps),
    ]);
    expect(both.map((one) => 'taskId' in one && one.taskId)).toEqual([claimed, claimed]);
    expect(new Set(started.map(({ taskId }) => taskId))).toEqual(new Set([claimed]));
  });

  it('is the one that a comment repeated already', async () => {
    const { deps, started, put, recordOf } = world();
    put(request, failed);
    put({ ...request, taskId: 'gh-1-c9' }, null);
    await recordOf(request.taskId).claimRetry('gh-1-c9', null);
    expect(await runAgain(request.taskId, ben, deps)).toEqual({ started: true, taskId: 'gh-1-c9' });
    expect(started).toEqual([]);
  });

  it('takes the place of repetitions that were refused', async () => {
    const { deps, put } = world();
    put(request, failed);
    const ids = new Set<string>();
    for (let times = 0; times < 3; times += 1) {
      const again = await runAgain(request.taskId, ben, deps);
      if (!again.started) throw new Error(again.reason);
      ids.add(again.taskId);
      put({ ...request, taskId: again.taskId }, refused);
    }
    expect(ids.size).toBe(3);
  });

  it.each<[string, TaskRequest | null, TaskOutcome | null, RegExp]>([
    ['runs', request, null, /still running/],
    ['was refused', request, refused, /nothing to run again/],
    ['was a command', { ...request, ask: { kind: 'status' } }, failed, /nothing to run again/],
    ['never got a repository', { ...slack, repository: null }, failed, /nothing to run again/],
    ['is forgotten', null, null, /no longer kept/],
  ])('is none where the task %s', async (_, asked, outcome, words) => {
    const { deps, started, put } = world();
    if (asked !== null) put(asked, outcome);
    const again = await runAgain(asked?.taskId ?? 'gh-1-c2', ben, deps);
    expect(again).toEqual({ started: false, reason: expect.stringMatching(words) });
    expect(started).toEqual([]);
  });
});
