import { describe, expect, it } from 'vitest';
import type { Authorization } from '../core/ports.ts';
import type { TaskRequest } from '../core/task.ts';
import { taskLimits } from './limits.ts';
import {
  enterPhase,
  grantOf,
  mayCancel,
  openState,
  startObserving,
  viewOf,
  watchdog,
  type TaskState,
} from './task-state.ts';
import { emptyReceipt } from '../core/grant.ts';

const acceptedAt = '2026-11-21T10:00:00.000Z';
const t0 = Date.parse(acceptedAt);
const request: TaskRequest = {
  taskId: 'gh-1-c2',
  shortId: '0a1b2c3d',
  acceptedAt,
  repository: { owner: 'acme', name: 'app' },
  trigger: {
    kind: 'github',
    event: 'issue_comment',
    installationId: 1,
    repositoryId: 1,
    issueNumber: 7,
    onPullRequest: false,
    commentId: 2,
    triggeredAt: acceptedAt,
  },
  requester: { login: 'maria', id: 3 },
  ask: { kind: 'run' },
  instruction: 'fix it',
  options: {},
};
const authorization: Authorization = {
  facts: {
    owner: 'acme',
    name: 'app',
    repositoryId: 1,
    installationId: 1,
    defaultBranch: 'main',
    private: false,
  },
  baseBranch: 'main',
  baseSha: 'a'.repeat(40),
  model: 'm',
  effort: 'medium',
  models: ['m'],
  limits: { minutes: 30, tokens: 1000 },
  draft: false,
};
const opened = openState(request, 'nonce', t0);
const at = (changes: Partial<TaskState>): TaskState => ({ ...opened, ...changes });
const outcome = { kind: 'no-change', summary: '' } as const;

describe('the grant', () => {
  it.each([
    ['before anything was authorized', {}, null],
    ['while cloning', { authorization, grantPhase: 'clone' }, 'clone'],
    ['while Codex runs', { authorization, grantPhase: 'run' }, 'run'],
    ['after a cancellation', { authorization, grantPhase: 'run', cancelledBy: 'maria' }, 'sealed'],
    ['after the end', { authorization, grantPhase: 'run', outcome }, 'sealed'],
    ['once the sandbox is destroyed', { authorization, grantPhase: 'run', closed: true }, 'sealed'],
  ] as const)('%s is %s', (_, changes, phase) => {
    expect(grantOf(at(changes))?.phase ?? null).toBe(phase);
  });

  it('names the one repository, its limits and nothing else', () => {
    expect(grantOf(at({ authorization, grantPhase: 'run' }))).toEqual({
      taskId: 'gh-1-c2',
      phase: 'run',
      repositories: [{ owner: 'acme', name: 'app', installationId: 1, repositoryId: 1 }],
      models: ['m'],
      canaryNonce: 'nonce',
      budgets: { requests: taskLimits.requests, tokens: 1000 },
      used: { requests: 0, tokens: 0 },
    });
  });
});

describe('the watchdog', () => {
  const minutes = (n: number) => t0 + n * 60_000;
  it.each([
    ['lets a young task be', {}, minutes(1), 'nothing'],
    ['gives up a task that was never authorized', {}, minutes(31), 'give-up'],
    [
      'lets Codex work within its time',
      { authorization, observing: true, agentDeadlineAt: minutes(32) },
      minutes(31),
      'nothing',
    ],
    [
      'ends Codex when its time is up',
      { authorization, observing: true, agentDeadlineAt: minutes(32) },
      minutes(33),
      'end-run',
    ],
    [
      'tells the Workflow again when it did not hear',
      { authorization, phase: 'codex', agentEnd: { kind: 'exited', exitCode: 0 } },
      minutes(5),
      'notify-again',
    ],
    [
      'leaves a Workflow that is publishing alone',
      { authorization, phase: 'publish', agentEnd: { kind: 'exited', exitCode: 0 } },
      minutes(5),
      'nothing',
    ],
    [
      'gives up a task whose Workflow died',
      { authorization, phase: 'publish', agentEnd: { kind: 'exited', exitCode: 0 } },
      minutes(61),
      'give-up',
    ],
    ['destroys the sandbox of an ended task', { authorization, outcome }, minutes(1), 'close'],
    ['is done with a closed one', { authorization, outcome, closed: true }, minutes(100), 'nothing'],
  ] as const)('%s', (_, changes, now, expected) => {
    expect(watchdog(at(changes), now)).toBe(expected);
  });
});

describe('a cancellation', () => {
  it.each([
    ['while it waits', { phase: 'accepted' }, true],
    ['while Codex runs', { phase: 'codex' }, true],
    ['a second time', { phase: 'codex', cancelledBy: 'maria' }, true],
    ['while the pull request is being made', { phase: 'publish' }, false],
    ['while it is reported', { phase: 'report' }, false],
    ['after the end', { phase: 'ended', outcome }, false],
  ] as const)('%s: %s', (_, changes, may) => {
    expect(mayCancel(at(changes)).may).toBe(may);
  });
});

describe('phases', () => {
  it('are entered once, however often a step is tried', () => {
    const once = enterPhase(opened, 'clone', t0 + 5);
    expect(enterPhase(once, 'clone', t0 + 9)).toBe(once);
    expect(once.phases.map(({ phase }) => phase)).toEqual(['accepted', 'clone']);
  });

  it('are observed once, and never after the end of the run', () => {
    const observing = startObserving(at({ authorization }), t0);
    expect(observing.agentDeadlineAt).toBe(t0 + 30 * 60_000);
    expect(startObserving(observing, t0 + 99)).toBe(observing);
    const ended = at({ authorization, agentEnd: { kind: 'deadline' } });
    expect(startObserving(ended, t0)).toBe(ended);
  });
});

describe('the view', () => {
  it.each([
    [{}, 'accepted'],
    [{ phase: 'clone' }, 'running'],
    [{ phase: 'ended', outcome, endedAt: t0 + 5000 }, 'ended'],
  ] as const)('of %o is %s', (changes, status) => {
    expect(viewOf(at(changes), null, emptyReceipt, t0 + 1000).status).toBe(status);
  });

  it('stops the clock at the end', () => {
    expect(viewOf(at({ outcome, endedAt: t0 + 5000 }), null, emptyReceipt, t0 + 99_000).elapsedMs).toBe(5000);
  });
});
