import { describe, expect, it } from 'vitest';
import type { Approval } from '../../core/authorization.ts';
import { acceptedAt, authorization, request, slackRequest } from '../../../test/fixtures/sample-task.ts';
import {
  choose,
  enterPhase,
  mayCancel,
  needsSlot,
  offer,
  openState,
  queue,
  reopen,
  restoreState,
  routedRequestOf,
  startObserving,
  viewOf,
  type TaskState,
} from './task-state.ts';
import { watchdog } from './watchdog.ts';
import { emptyReceipt } from '../../core/grant.ts';

const t0 = Date.parse(acceptedAt);
const opened = openState(request, 'nonce', t0);
const at = (changes: Partial<TaskState>): TaskState => ({ ...opened, ...changes });
const shown = (now: number) => ({ progress: null, receipt: emptyReceipt, setup: null, costUsd: null, now });
const outcome = { kind: 'no-change', summary: '' } as const;

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
    [
      'shows the end of a closed one until people have seen it',
      { outcome, closed: true, endedAt: t0 },
      minutes(100),
      'show',
    ],
    ['does not try that for ever', { outcome, closed: true, endedAt: t0 }, minutes(24 * 60 + 1), 'done'],
    [
      'is done with a closed one whose end was shown',
      { outcome, closed: true, endShown: true },
      minutes(100),
      'done',
    ],
    [
      'does not count the time in the queue',
      {
        authorization,
        phases: [
          { phase: 'authorize', at: t0 },
          { phase: 'slot', at: t0 },
        ],
      },
      minutes(23 * 60),
      'nothing',
    ],
    [
      'gives up a task that waits in the queue for more than a day',
      { authorization, phases: [{ phase: 'slot', at: t0 }] },
      minutes(24 * 60 + 1),
      'give-up',
    ],
    [
      'counts a task that waited in the queue from its slot on',
      {
        authorization,
        phases: [
          { phase: 'authorize', at: t0 },
          { phase: 'slot', at: t0 },
          { phase: 'provision', at: minutes(600) },
        ],
      },
      minutes(659),
      'nothing',
    ],
    [
      'and gives that up as well',
      {
        authorization,
        phases: [
          { phase: 'authorize', at: t0 },
          { phase: 'slot', at: t0 },
          { phase: 'provision', at: minutes(600) },
        ],
      },
      minutes(661),
      'give-up',
    ],
    [
      'lets a person think over a choice',
      { request: slackRequest, phase: 'route' },
      minutes(13 * 60),
      'nothing',
    ],
    [
      'gives up a choice that nobody makes',
      { request: slackRequest, phase: 'route' },
      minutes(15 * 60),
      'give-up',
    ],
    [
      'counts a task that waited from when it began',
      { request: slackRequest, phases: [{ phase: 'authorize', at: minutes(600) }] },
      minutes(620),
      'nothing',
    ],
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

  it('do not go back when two are entered side by side', () => {
    const far = enterPhase(enterPhase(opened, 'slot', t0), 'provision', t0 + 1);
    const late = enterPhase(far, 'acknowledge', t0 + 2);
    expect(late.phase).toBe('provision');
    expect(late.phases.map(({ phase }) => phase)).toEqual(['accepted', 'slot', 'provision', 'acknowledge']);
  });

  it('are observed once, and never after the end of the run', () => {
    const observing = startObserving(at({ authorization }), t0);
    expect(observing.agentDeadlineAt).toBe(t0 + 30 * 60_000);
    expect(startObserving(observing, t0 + 99)).toBe(observing);
    // What setup took is taken from Codex.
    const setUp = at({ authorization, phases: [{ phase: 'setup', at: t0 - 60_000 }] });
    expect(startObserving(setUp, t0).agentDeadlineAt).toBe(t0 + 29 * 60_000);
    const ended = at({ authorization, agentEnd: { kind: 'deadline' } });
    expect(startObserving(ended, t0)).toBe(ended);
  });
});

describe('the place in the queue', () => {
  const waiting = enterPhase(at({ authorization }), 'slot', t0);

  it('is shown while the task waits', () => {
    expect(viewOf(waiting, shown(t0)).queuePosition).toBeNull();
    expect(viewOf(queue(waiting, 4), shown(t0)).queuePosition).toBe(4);
    expect(queue(queue(waiting, 4), 4)).toEqual(queue(waiting, 4));
    // The comment may be posted beside it.
    expect(viewOf(enterPhase(queue(waiting, 4), 'acknowledge', t0), shown(t0)).queuePosition).toBe(4);
  });

  it.each([
    ['once its sandbox starts', enterPhase(queue(waiting, 4), 'provision', t0)],
    ['after its end', { ...queue(waiting, 4), outcome }],
  ])('is not shown %s', (_, state) => {
    expect(viewOf(state, shown(t0)).queuePosition).toBeNull();
    expect(queue(state, 3)).toBe(state);
  });

  it('needs no slot once it is closed, and when it never was', () => {
    expect(needsSlot(waiting)).toBe(true);
    expect(needsSlot({ ...waiting, outcome })).toBe(true);
    expect(needsSlot({ ...waiting, closed: true })).toBe(false);
    expect(needsSlot(null)).toBe(false);
  });
});

describe('the view', () => {
  it.each([
    [{}, 'accepted'],
    [{ phase: 'clone' }, 'running'],
    [{ phase: 'ended', outcome, endedAt: t0 + 5000 }, 'ended'],
  ] as const)('of %o is %s', (changes, status) => {
    expect(viewOf(at(changes), shown(t0 + 1000)).status).toBe(status);
  });

  it('stops the clock at the end', () => {
    expect(viewOf(at({ outcome, endedAt: t0 + 5000 }), shown(t0 + 99_000)).elapsedMs).toBe(5000);
  });
});

describe('a choice', () => {
  const shop = { owner: 'acme', name: 'shop' };
  const app = { owner: 'acme', name: 'app' };
  const offered = offer(openState(slackRequest, 'nonce', t0), [shop, app]);

  it('is between what was offered', () => {
    expect(choose(offered, { owner: 'evil', name: 'shop' })).toBeNull();
    expect(choose(offered, app)).toMatchObject({ choice: app, choices: null });
  });

  it('stays the first, however often somebody clicks', () => {
    const chosen = choose(offered, app);
    if (chosen === null) throw new Error('not chosen');
    expect(choose(chosen, app)).toBe(chosen);
    expect(choose(chosen, shop)).toBeNull();
    expect(offer(chosen, [shop])).toBe(chosen);
  });

  it.each([
    ['was cancelled', { cancelledBy: 'Maria' }],
    ['has ended', { outcome }],
    ['was never asked', { choices: null }],
  ])('cannot be made in a task that %s', (_, changes) => {
    expect(choose({ ...offered, ...changes }, app)).toBeNull();
  });
});

describe('a request from Slack', () => {
  it('has its repository from routing', () => {
    const state = openState(slackRequest, 'nonce', t0);
    expect(routedRequestOf(state)).toBeNull();
    const repository = { owner: 'acme', name: 'app' };
    expect(routedRequestOf({ ...state, routing: { repository, by: 'only' } })?.repository).toEqual(
      repository,
    );
  });
});

describe('publishing again', () => {
  const hash = 'a'.repeat(64);
  const approval: Approval = { by: 'Maria', changeHash: hash };
  const reason = { code: 'secret', message: 'a key' };
  it.each([
    ['a task that runs', {}, null, /not ended/],
    ['a task that changed nothing', { outcome }, null, /no kept change/],
    [
      'a failure without a change',
      { outcome: { kind: 'failed', reason, changeKept: false } },
      null,
      /no kept change/,
    ],
    [
      'a held change that nobody approved',
      { outcome: { kind: 'held', reason, changeHash: hash } },
      null,
      /approved/,
    ],
    [
      'a held change with an approval of another',
      { outcome: { kind: 'held', reason, changeHash: hash } },
      { ...approval, changeHash: 'b'.repeat(64) },
      /another change/,
    ],
    [
      'what no approval helps',
      { outcome: { kind: 'held', reason, changeHash: null } },
      approval,
      /cannot be approved/,
    ],
  ] as const)('%s is refused', (_, changes, given, message) => {
    expect(reopen(at(changes), given, t0)).toEqual({ reason: expect.stringMatching(message) });
  });

  it.each([
    ['a failed publication', { outcome: { kind: 'failed', reason, changeKept: true } }, null],
    ['an approved change', { outcome: { kind: 'held', reason, changeHash: hash } }, approval],
  ] as const)('%s is opened again', (_, changes, given) => {
    expect(reopen(at({ ...changes, endShown: true }), given, t0 + 7)).toMatchObject({
      outcome: null,
      endShown: false,
      reopenedAt: t0 + 7,
      reopenings: 1,
      approval: given,
    });
  });
});

describe('a state on disk', () => {
  it('of an earlier version is before its first phase', () => {
    const stored: TaskState = { ...opened, grantPhase: 'sealed' };
    expect(restoreState(stored).grantPhase).toBeNull();
    const over = { ...stored, agentEnd: { kind: 'exited', exitCode: 0 } } as const;
    expect(restoreState(over).grantPhase).toBe('sealed');
  });

  it('of an earlier version keeps its comment and gets what it did not know', () => {
    const { posted: _, endShown: __, approval: ___, choices: ____, ...before } = opened;
    const stored: unknown = JSON.parse(JSON.stringify({ ...before, commentId: 77, phase: 'clone' }));
    // oxlint-disable-next-line typescript/consistent-type-assertions, typescript/no-unsafe-type-assertion -- what that version wrote
    expect(restoreState(stored as TaskState)).toEqual({
      ...opened,
      phase: 'clone',
      posted: { surface: 'github', commentId: 77 },
    });
  });
});
