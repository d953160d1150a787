import { aReason } from '../../../test/fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import type { Approval } from '../../core/authorization.ts';
import { acceptedAt, authorization, request, slackRequest } from '../../../test/fixtures/sample-task.ts';
import { emptyReceipt } from '../../core/grant.ts';
import type { TaskPhase } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import {
  addWaiter,
  agentDeadlineAt,
  cancel,
  choose,
  endAgent,
  enterPhase,
  failRead,
  finish,
  needsSlot,
  openState,
  phaseOf,
  snapshotOf,
  startWatching,
  watchedRun,
  type RecordState,
} from './record-state.ts';
import { startPublicationAttempt } from './ended-task.ts';
import { learn } from './learn.ts';
import { viewOf } from './record-view.ts';
import { waitUntil, watchdog } from './watchdog.ts';

const t0 = Date.parse(acceptedAt);
const opened = openState(request, 'nonce', t0);
const at = (changes: Partial<RecordState>): RecordState => ({ ...opened, ...changes });
/** Entered at the task's beginning. */
const entered = (...phases: TaskPhase[]) => ({ phases: phases.map((phase) => ({ phase, at: t0 })) });
const after = (state: RecordState, phase: TaskPhase, now = t0): RecordState => {
  const next = enterPhase(state, phase, now);
  if (next === null) throw new Error(`${phase} is over`);
  return next;
};
const shown = (now: number) => ({ progress: null, receipt: emptyReceipt, setup: null, costUsd: null, now });
const outcome = { kind: 'no-change', summary: '' } as const;

describe('the watchdog', () => {
  const minutes = (n: number) => t0 + n * 60_000;
  it.each([
    ['does nothing for a young task', {}, minutes(1), 'nothing'],
    ['gives up a task that was never authorized', {}, minutes(31), 'give-up'],
    ['lets Codex work in its time', { authorization, agentStartedAt: minutes(2) }, minutes(31), 'nothing'],
    ['ends Codex when its time is up', { authorization, agentStartedAt: minutes(2) }, minutes(33), 'end-run'],
    [
      'wakes the Workflow again when it missed the end of the run',
      { authorization, ...entered('codex'), agentEnd: { kind: 'exited', exitCode: 0 } },
      minutes(5),
      'wake',
    ],
    [
      'does not disturb a Workflow that publishes',
      { authorization, ...entered('publish'), agentEnd: { kind: 'exited', exitCode: 0 } },
      minutes(5),
      'nothing',
    ],
    [
      'gives up a task whose Workflow died',
      { authorization, ...entered('publish'), agentEnd: { kind: 'exited', exitCode: 0 } },
      minutes(61),
      'give-up',
    ],
    [
      'lets it wait for an earlier task of the conversation',
      { ...entered('authorize'), ahead: { taskId: 'other', steers: true } },
      minutes(13 * 60),
      'nothing',
    ],
    [
      'gives it its own time after such a wait',
      { authorization, ...entered('authorize'), turnAt: minutes(13 * 60) },
      minutes(13 * 60 + 59),
      'nothing',
    ],
    [
      'gives it up when its own time is over',
      { authorization, ...entered('authorize'), turnAt: minutes(13 * 60) },
      minutes(13 * 60 + 61),
      'give-up',
    ],
    ['destroys the sandbox of an ended task', { authorization, outcome }, minutes(1), 'close'],
    [
      'shows the end of a closed one until people have seen it',
      { outcome, closed: true, ...entered('ended') },
      minutes(100),
      'show',
    ],
    [
      'stops retrying that after a day',
      { outcome, closed: true, ...entered('ended') },
      minutes(24 * 60 + 1),
      'done',
    ],
    ['is done with one whose end was shown', { outcome, closed: true, endShown: true }, minutes(100), 'done'],
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
      'gives up that task too when its time is over',
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
      'gives a person half a day for a choice',
      { request: slackRequest, ...entered('route') },
      minutes(13 * 60),
      'nothing',
    ],
    [
      'gives up a choice that nobody makes',
      { request: slackRequest, ...entered('route') },
      minutes(15 * 60),
      'give-up',
    ],
    [
      'counts a task that waited from its authorization',
      { request: slackRequest, phases: [{ phase: 'authorize', at: minutes(600) }] },
      minutes(620),
      'nothing',
    ],
  ] as const)('%s', (_, changes, now, expected) => {
    expect(watchdog(at(changes), now)).toBe(expected);
  });
});

describe('a run that cannot be read', () => {
  const codexRuns = { authorization, agentStartedAt: t0 };
  it.each<[string, Partial<RecordState>, readonly number[], 'nothing' | 'lost']>([
    ['is waited for', codexRuns, [0, 60, 120, 180, 240, 299], 'nothing'],
    ['loses its sandbox after five minutes', codexRuns, [0, 60, 120, 180, 240, 300], 'lost'],
    ['loses its sandbox in setup too', { setupRun: 'runs' }, [9, 99, 199, 309], 'lost'],
    ['is read again after a pause in which nobody looked', codexRuns, [0, 900], 'nothing'],
    ['counts from the end of such a pause', codexRuns, [0, 900, 1000, 1100, 1199], 'nothing'],
    ['is lost after such a pause too', codexRuns, [0, 900, 1000, 1100, 1200], 'lost'],
    ['does not matter after its end', { agentEnd: { kind: 'deadline' } }, [0, 100, 200, 300], 'nothing'],
  ])('%s', (_, changes, seconds, expected) => {
    const failed = seconds.reduce((state, second) => failRead(state, t0 + second * 1000), at(changes));
    expect(watchdog(failed, t0 + (seconds.at(-1) ?? 0) * 1000)).toBe(expected);
  });
});

it.each<[string, Partial<RecordState>, number]>([
  ['for GitHub’s hourly limit while nothing is held', entered('authorize'), 70],
  ['in the overhead alone while Codex is still to run', { authorization, ...entered('provision') }, 25],
  ['in all of the time that is left after Codex', { authorization, agentEnd: { kind: 'deadline' } }, 55],
  ['as long as the task is in the queue', { authorization, ...entered('slot') }, 24 * 60 - 5],
])('a step waits for an upstream %s', (_, changes, minutes) => {
  expect(waitUntil(at(changes)) - t0).toBe(minutes * 60_000);
});

describe('a cancellation', () => {
  it.each([
    ['is accepted while the task waits', {}, true],
    ['is accepted while Codex runs', entered('codex'), true],
    ['is accepted a second time', { ...entered('codex'), cancelledBy: 'maria' }, true],
    ['is refused while the pull request is made', entered('publish'), false],
    ['is refused while the task is reported', entered('report'), false],
    ['is refused after the end', { ...entered('ended'), outcome }, false],
  ] as const)('%s', (_, changes, may) => {
    expect(cancel(at(changes), 'ada').state !== null).toBe(may);
  });

  it('keeps the first name, and ends the run', () => {
    const once = cancel(opened, 'maria').state;
    expect(once).toMatchObject({ cancelledBy: 'maria', agentEnd: { kind: 'cancelled', by: 'maria' } });
    expect(cancel(once ?? opened, 'ada').state).toBe(once);
  });
});

describe('phases', () => {
  it('are entered once, however often a step is retried', () => {
    const once = after(opened, 'clone', t0 + 5);
    expect(enterPhase(once, 'clone', t0 + 9)).toBe(once);
    expect(once.phases.map(({ phase }) => phase)).toEqual(['accepted', 'clone']);
  });

  it('do not go back when two are entered concurrently', () => {
    const late = after(after(after(opened, 'slot'), 'provision'), 'acknowledge');
    expect(phaseOf(late)).toBe('provision');
    expect(late.phases.map(({ phase }) => phase)).toEqual(['accepted', 'slot', 'provision', 'acknowledge']);
  });
});

describe('the watch of a run', () => {
  it('starts once, with a deadline that counts setup', () => {
    const watching = startWatching(at({ authorization }), 'codex', t0);
    expect(agentDeadlineAt(watching)).toBe(t0 + 30 * 60_000);
    expect(startWatching(watching, 'codex', t0 + 99)).toBe(watching);
    const setUp = at({ authorization, phases: [{ phase: 'setup', at: t0 - 60_000 }] });
    expect(agentDeadlineAt(startWatching(setUp, 'codex', t0))).toBe(t0 + 29 * 60_000);
    expect(agentDeadlineAt(opened)).toBeNull();
  });

  it.each<[string, Partial<RecordState>, 'setup' | 'codex' | null]>([
    ['is on nothing before a run', {}, null],
    ['is on setup while it runs', { setupRun: 'runs' }, 'setup'],
    ['is on nothing after setup', { setupRun: 'ended' }, null],
    ['is on Codex while it runs', { setupRun: 'ended', agentStartedAt: t0 }, 'codex'],
    ['is over with Codex', { agentStartedAt: t0, agentEnd: { kind: 'deadline' } }, null],
    ['is over with the task', { agentStartedAt: t0, outcome }, null],
    ['is over with a cancellation', { setupRun: 'runs', cancelledBy: 'maria' }, null],
  ])('%s', (_, changes, run) => {
    expect(watchedRun(at(changes))).toBe(run);
  });

  it('keeps the first end', () => {
    const ended = endAgent(opened, { kind: 'deadline' });
    expect(endAgent(ended, { kind: 'exited', exitCode: 0 })).toBe(ended);
  });
});

describe('a task in the queue', () => {
  const waiting = after(at({ authorization }), 'slot');
  const fourth = learn(waiting, { queuePosition: 4 }, t0);

  it('shows its place while it waits', () => {
    expect(viewOf(waiting, shown(t0)).queuePosition).toBeNull();
    expect(viewOf(fourth, shown(t0)).queuePosition).toBe(4);
    // The post can be created meanwhile.
    expect(viewOf(after(fourth, 'acknowledge'), shown(t0)).queuePosition).toBe(4);
  });

  it.each([
    ['once its sandbox starts', after(fourth, 'provision')],
    ['after its end', { ...fourth, outcome }],
  ])('shows no place %s', (_, state) => {
    expect(viewOf(state, shown(t0)).queuePosition).toBeNull();
    expect(learn(state, { queuePosition: 3 }, t0)).toBe(state);
  });

  it('needs its slot until its record is closed', () => {
    expect(needsSlot(waiting)).toBe(true);
    expect(needsSlot({ ...waiting, outcome })).toBe(true);
    expect(needsSlot({ ...waiting, closed: true })).toBe(false);
    expect(needsSlot(null)).toBe(false);
  });
});

describe('the view', () => {
  it.each([
    [{}, 'accepted'],
    [entered('clone'), 'running'],
    [{ ...entered('ended'), outcome }, 'ended'],
  ] as const)('of %o is %s', (changes, status) => {
    expect(viewOf(at(changes), shown(t0 + 1000)).status).toBe(status);
  });

  it('stops the clock at the end', () => {
    expect(viewOf(finish(opened, outcome, t0 + 5000), shown(t0 + 99_000)).elapsedMs).toBe(5000);
  });
});

describe('the end', () => {
  it('keeps the first outcome', () => {
    const ended = finish(opened, outcome, t0);
    expect(finish(ended, { kind: 'cancelled', by: 'maria' }, t0 + 1)).toBe(ended);
  });
});

describe('the tasks that wait for this one', () => {
  it('are kept once each, up to a limit', () => {
    const one = addWaiter(opened, 'b');
    expect(addWaiter(one, 'b')).toBe(one);
    let many = opened;
    for (let n = 0; n < taskLimits.waiters + 5; n += 1) many = addWaiter(many, `task-${n}`);
    expect(many.waiters).toHaveLength(taskLimits.waiters);
  });
});

describe('a choice', () => {
  const shop = { owner: 'acme', name: 'shop' };
  const app = { owner: 'acme', name: 'app' };
  const offered = learn(openState(slackRequest, 'nonce', t0), { choices: [shop, app] }, t0);

  it('has to be one of the offered repositories', () => {
    expect(choose(offered, { owner: 'evil', name: 'shop' })).toBeNull();
    expect(choose(offered, app)).toMatchObject({ choice: app, choices: null });
  });

  it('keeps the first click', () => {
    const chosen = choose(offered, app);
    if (chosen === null) throw new Error('not chosen');
    expect(choose(chosen, app)).toBe(chosen);
    expect(choose(chosen, shop)).toBeNull();
    expect(learn(chosen, { choices: [shop] }, t0)).toBe(chosen);
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
  it('gets its repository from routing', () => {
    const state = openState(slackRequest, 'nonce', t0);
    expect(snapshotOf(state).routed).toBeNull();
    const repository = { owner: 'acme', name: 'app' };
    const routing = { routing: { repository, by: 'only' }, requesterName: 'Maria' } as const;
    const routed = learn(state, { routing }, t0);
    expect(snapshotOf(routed).routed?.repository).toEqual(repository);
    const second = {
      routing: { repository: { owner: 'x', name: 'y' }, by: 'only' },
      requesterName: 'Ada',
    } as const;
    expect(learn(routed, { routing: second }, t0)).toBe(routed);
  });
});

describe('a publication attempt', () => {
  const hash = 'a'.repeat(64);
  const approval: Approval = { by: 'Maria', changeHash: hash };
  const reason = aReason('secret', 'a key');
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
    [
      'an approval by who asked, where a second person has to',
      {
        outcome: { kind: 'held', reason, changeHash: hash },
        authorization: { ...authorization, policy: { ...authorization.policy, approval: 'second-person' } },
      },
      { ...approval, github: { login: 'renamed', id: 3 } },
      /second person/,
    ],
  ] as const)('is refused for %s', (_, changes, given, message) => {
    expect(startPublicationAttempt(at(changes), given, t0)).toEqual({
      reason: expect.stringMatching(message),
    });
  });

  it.each([
    ['a failed publication', { outcome: { kind: 'failed', reason, changeKept: true } }, null],
    ['an approved change', { outcome: { kind: 'held', reason, changeHash: hash } }, approval],
  ] as const)('reopens %s', (_, changes, given) => {
    const ended = at({ ...entered('codex', 'collect', 'gate', 'publish', 'report', 'ended'), ...changes });
    const state = startPublicationAttempt({ ...ended, endShown: true }, given, t0 + 7);
    if ('reason' in state) throw new Error(state.reason);
    expect(state).toMatchObject({
      outcome: null,
      endShown: false,
      attempts: [{ at: t0 + 7, approval: given, after: { kind: changes.outcome.kind, code: reason.code } }],
    });
    expect(phaseOf(state)).toBe('collect');
    expect(snapshotOf(state).approval).toEqual(given);
  });

  it('keeps an approval for later attempts', () => {
    const held = at({ outcome: { kind: 'held', reason, changeHash: hash } });
    const approved = startPublicationAttempt(held, approval, t0);
    if ('reason' in approved) throw new Error(approved.reason);
    const failed = finish(approved, { kind: 'failed', reason, changeKept: true }, t0);
    const again = startPublicationAttempt(failed, null, t0);
    if ('reason' in again) throw new Error(again.reason);
    expect(again.attempts).toHaveLength(2);
    expect(snapshotOf(again).approval).toEqual(approval);
  });
});
