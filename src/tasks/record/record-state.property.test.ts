/**
 * Drives the real state through every command in any order, with a Workflow that can die at any moment. What
 * always holds: a state has an exit, an exit has an answer, and nothing is granted after the end.
 */
import { aReason } from '../../../test/fixtures/a-reason.ts';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { acceptedAt, authorization, request, slackRequest } from '../../../test/fixtures/sample-task.ts';
import { grantPhases } from '../../core/grant.ts';
import { taskPhases, type TaskOutcome } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import { startPublicationAttempt } from './ended-task.ts';
import { learn } from './learn.ts';
import {
  addWaiter,
  cancel,
  choose,
  endAgent,
  enterPhase,
  failRead,
  finish,
  grantPhaseOf,
  openState,
  startWatching,
  type RecordState,
} from './record-state.ts';
import { settleRemark, takeRemark } from './remarks.ts';
import { grantOf } from './task-grant.ts';
import { watchdog } from './watchdog.ts';

const hour = 3_600_000;
const hash = 'a'.repeat(64);
const reason = aReason('x', 'x');
/** Longer than a task can take in all its phases, and its post afterwards. */
const longest = taskLimits.routeMs + taskLimits.queueMs + taskLimits.leaseMs + taskLimits.showMs + hour;

/** Mutable, as the record that holds it. */
interface Real {
  state: RecordState;
  now: number;
}
interface Model {
  /** The first outcome since the last publication attempt; null: the task lives. */
  outcome: TaskOutcome | null;
}
type Command = fc.Command<Model, Real>;

/** A command that anybody can give at any moment. It checks what always holds. */
function command(name: string, run: (real: Real, model: Model) => void): Command {
  return {
    toString: () => name,
    check: () => true,
    run: (model, real) => {
      const before = real.state;
      run(real, model);
      holds(before, real.state, model);
    },
  };
}

function holds(before: RecordState, after: RecordState, model: Model): void {
  expect(after.outcome).toEqual(model.outcome);
  const isOver = after.outcome !== null || after.cancelledBy !== null || after.closed;
  const grant = grantOf(after);
  expect(isOver ? (grant?.phase ?? 'sealed') : 'sealed').toBe('sealed');
  expect(grant === null).toBe(after.authorization === null);
  // A grant only goes forward, whatever the phases of a publication attempt are.
  if (before.attempts.length === after.attempts.length && after.phases.length > 1) {
    const at = (state: RecordState) => grantPhases.indexOf(grantPhaseOf(state));
    const opened = before.phases.some(({ phase }) => ['clone', 'setup', 'codex', 'collect'].includes(phase));
    if (opened) expect(at(after)).toBeGreaterThanOrEqual(at(before));
  }
  for (const remark of before.remarks.filter(({ fate }) => fate !== 'waiting'))
    expect(after.remarks).toContainEqual(remark);
  if (after.outcome !== null) expect(after.remarks.filter(({ fate }) => fate === 'waiting')).toEqual([]);
}

/** Only what failed, or is held and approved as it is. */
function isPublishable(outcome: TaskOutcome | null, approved: string | undefined): void {
  expect(outcome?.kind).toMatch(/^(?:failed|held)$/);
  expect(outcome?.kind === 'held' ? approved : hash).toBe(hash);
}

const ends: readonly TaskOutcome[] = [
  { kind: 'no-change', summary: '' },
  { kind: 'failed', reason, changeKept: true },
  { kind: 'failed', reason, changeKept: false },
  { kind: 'held', reason, changeHash: hash },
  { kind: 'steered', taskId: 'gh-1-c1' },
];

const commands = [
  fc.integer({ min: 1, max: 12 * hour }).map((ms) => command(`${ms} ms pass`, (real) => (real.now += ms))),
  fc.constantFrom(...taskPhases.filter((phase) => phase !== 'ended')).map((phase) =>
    command(`enter ${phase}`, (real) => {
      real.state = enterPhase(real.state, phase, real.now) ?? real.state;
    }),
  ),
  fc.constantFrom('setup' as const, 'codex' as const).map((run) =>
    command(`watch ${run}`, (real) => {
      real.state = startWatching(real.state, run, real.now);
    }),
  ),
  fc
    .constantFrom(
      { authorization },
      { facts: authorization.facts },
      { ahead: { taskId: 'gh-1-c1', steers: false } },
      { ahead: { taskId: 'gh-1-c1', steers: true } },
      { choices: [authorization.facts] },
      { queuePosition: 3 },
      { latenessMs: hour },
      { silent: true },
    )
    .map((findings) =>
      command(`learn ${Object.keys(findings).join()}`, (real) => {
        real.state = learn(real.state, findings, real.now);
      }),
    ),
  fc.constantFrom('r1', 'r2', 'r3').map((id) =>
    command(`take the remark ${id}`, (real) => {
      const person = { slackUserId: null, githubId: 1 };
      real.state = takeRemark(real.state, { id, by: 'ada', person, text: id, message: id, lines: [] }).state;
    }),
  ),
  fc.constantFrom('r1', 'r2', 'r3').map((id) =>
    command(`settle the remark ${id}`, (real) => {
      real.state = settleRemark(real.state, id, 'reached');
    }),
  ),
  fc.constantFrom(...ends).map((outcome) =>
    command(`finish as ${outcome.kind}`, (real, model) => {
      model.outcome ??= outcome;
      real.state = finish(real.state, outcome, real.now);
    }),
  ),
  fc.constantFrom(null, { by: 'ada', changeHash: hash }, { by: 'ada', changeHash: 'b' }).map((approval) =>
    command(`publish again, approved: ${approval?.changeHash.slice(0, 1)}`, (real, model) => {
      const next = startPublicationAttempt(real.state, approval, real.now);
      if ('reason' in next) return;
      isPublishable(model.outcome, approval?.changeHash);
      model.outcome = null;
      real.state = next;
    }),
  ),
  ...[
    command('fail a read', (real) => (real.state = failRead(real.state, real.now))),
    command('end of Codex', (real) => (real.state = endAgent(real.state, { kind: 'exited', exitCode: 0 }))),
    command('cancel', (real) => (real.state = cancel(real.state, 'ada').state ?? real.state)),
    command('choose', (real) => {
      real.state = choose(real.state, { owner: 'acme', name: 'app' }) ?? real.state;
    }),
    command('add a waiter', (real) => (real.state = addWaiter(real.state, 'gh-1-c9'))),
    command('close', (real) => (real.state = { ...real.state, closed: true })),
    command('show the end', (real) => {
      real.state = { ...real.state, endShown: real.state.outcome !== null };
    }),
    command('the alarm', (real, model) => act(real, model)),
  ].map((one) => fc.constant(one)),
];

/** The ordinary story, so that half of the commands meet a task that is far on its way. */
const story: readonly ((state: RecordState, now: number) => RecordState | null)[] = [
  (state, now) => enterPhase(state, 'authorize', now),
  (state, now) => learn(state, { authorization }, now),
  (state, now) => enterPhase(state, 'slot', now),
  (state, now) => enterPhase(state, 'provision', now),
  (state, now) => enterPhase(state, 'clone', now),
  (state, now) => enterPhase(state, 'setup', now),
  (state, now) => startWatching(state, 'setup', now),
  (state, now) => enterPhase(state, 'codex', now),
  (state, now) => startWatching(state, 'codex', now),
  (state) => endAgent(state, { kind: 'exited', exitCode: 0 }),
  (state, now) => enterPhase(state, 'collect', now),
  (state, now) => enterPhase(state, 'gate', now),
  (state, now) => enterPhase(state, 'publish', now),
];

/** What the record's alarm does. */
function act(real: Real, model: Model): ReturnType<typeof watchdog> {
  const due = watchdog(real.state, real.now);
  const { state, now } = real;
  if (due === 'close') real.state = { ...state, closed: true };
  if (due === 'end-run') real.state = endAgent(state, { kind: 'deadline' });
  if (due === 'give-up' || due === 'lost') {
    model.outcome ??= { kind: 'failed', reason, changeKept: false };
    real.state = { ...finish(state, { kind: 'failed', reason, changeKept: false }, now), closed: true };
  }
  return due;
}

it('has an exit from every state, an answer at each exit, and no grant after the end', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(request, slackRequest),
      fc.boolean(),
      fc.integer({ min: -story.length, max: story.length }),
      fc.commands(commands, { maxCommands: 30, size: '+1' }),
      (asked, placeTakesPosts, chapters, given) => {
        const start = Date.parse(acceptedAt);
        const real: Real = { state: openState(asked, 'nonce', start), now: start };
        const model: Model = { outcome: null };
        for (const chapter of story.slice(0, Math.max(0, chapters))) {
          real.now += 1000;
          real.state = chapter(real.state, real.now) ?? real.state;
        }
        fc.modelRun(() => ({ model, real }), given);

        // The Workflow is dead from here on, and nobody does anything: only the alarm comes.
        const from = real.now;
        const livedOn = real.state.outcome === null;
        for (let due = act(real, model); due !== 'done'; due = act(real, model)) {
          expect(real.now - from).toBeLessThan(longest);
          if (due === 'show' && placeTakesPosts) real.state = { ...real.state, endShown: true };
          real.now += due === 'nothing' || due === 'wake' || due === 'show' ? 10 * 60_000 : 0;
        }
        expect(real.state).toMatchObject({ outcome: model.outcome, closed: true });
        expect(model.outcome).not.toBeNull();
        expect(real.state.endShown || !livedOn || !placeTakesPosts).toBe(true);
        expect(grantOf(real.state)?.phase ?? 'sealed').toBe('sealed');
      },
    ),
    { numRuns: 400 },
  );
});
