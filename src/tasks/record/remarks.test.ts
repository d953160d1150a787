import { aReason } from '../../../test/fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import { authorization, request } from '../../../test/fixtures/sample-task.ts';
import { maxRemarkCharacters, maxRemarks } from '../../core/remark.ts';
import {
  cancel,
  endAgent,
  finish,
  openState,
  snapshotOf,
  startWatching,
  type RecordState,
} from './record-state.ts';
import { startPublicationAttempt } from './ended-task.ts';
import { learn } from './learn.ts';
import { remarksToPass, settledBetween, settleRemark, takeRemark } from './remarks.ts';

const t0 = Date.parse(request.acceptedAt);
const opened: RecordState = { ...openState(request, 'nonce', t0), authorization };
const working = startWatching(opened, 'codex', t0);
const remark = (id: string, text = 'Mind the docs.') => ({
  id,
  by: 'mona',
  person: { slackUserId: null, githubId: 3 },
  text,
  message: text,
  lines: [{ id: 2, thread: 1 }],
});
const taken = (state: RecordState, ...ids: readonly string[]): RecordState =>
  ids.reduce((before, id) => takeRemark(before, remark(id)).state, state);
const fatesOf = ({ remarks }: RecordState) => remarks.map(({ id, fate }) => `${id} ${fate}`);
const exited = { kind: 'exited', exitCode: 0 } as const;
const outcome = { kind: 'no-change', summary: '' } as const;

describe('a remark', () => {
  it('is taken once, in order, and settled once', () => {
    const two = taken(working, 'one', 'two', 'one');
    expect(fatesOf(two)).toEqual(['one waiting', 'two waiting']);
    const read = settleRemark(two, 'one', 'reached');
    const late = settleRemark(endAgent(read, exited), 'two', 'reached');
    expect(fatesOf(late)).toEqual(['one reached', 'two missed']);
    expect([takeRemark(late, remark('one')).fate, takeRemark(late, remark('two')).fate]).toEqual([
      'reached',
      'missed',
    ]);
    expect(settleRemark(late, 'stranger', 'reached')).toBe(late);
    expect(settledBetween(two, late)).toEqual(['one', 'two']);
    expect(settledBetween(late, late)).toEqual([]);
  });

  it.each<[string, (state: RecordState) => RecordState | null]>([
    ['the end of Codex', (state) => endAgent(state, exited)],
    ['its time limit', (state) => endAgent(state, { kind: 'deadline' })],
    ['a cancellation', (state) => cancel(state, 'maria').state],
    ['the end of the task', (state) => finish(state, outcome, t0)],
  ])('is missed after %s, and none is taken from then on', (_, end) => {
    const ended = end(taken(working, 'one'));
    if (ended === null) throw new Error('not ended');
    expect(fatesOf(ended)).toEqual(['one missed']);
    expect(takeRemark(ended, remark('two'))).toEqual({ state: ended, fate: null });
  });

  it.each<[string, RecordState, string]>([
    ['before the task is authorized', { ...working, authorization: null }, ''],
    ['beyond their number', taken(working, ...Array.from({ length: maxRemarks }, (_, n) => `r${n}`)), ''],
    ['beyond their length', taken(working, 'one'), 'x'.repeat(maxRemarkCharacters)],
  ])('is not taken %s', (_, state, text) => {
    expect(takeRemark(state, remark('further', text))).toEqual({ state, fate: null });
  });

  it('waits for Codex to start, and is passed on once', () => {
    const waiting = taken(opened, 'one');
    expect(remarksToPass(waiting)).toBeNull();
    const started = startWatching(waiting, 'codex', t0);
    expect(remarksToPass(started)?.map(({ id }) => id)).toEqual(['one']);
    const passed = { ...started, remarksPassed: 1 };
    expect(remarksToPass(passed)).toBeNull();
    // The driver counts lines, so the file always has them all.
    expect(remarksToPass(taken(passed, 'two'))?.map(({ id }) => id)).toEqual(['one', 'two']);
    expect(remarksToPass(endAgent(started, exited))).toBeNull();
  });
});

it('makes what the model has read part of the request, and who wrote it one of who asked', () => {
  const read = settleRemark(taken(working, 'one', 'two'), 'one', 'reached');
  expect(snapshotOf(read).request).toMatchObject({
    instruction: `${request.instruction}\n\nMind the docs.`,
    askedBefore: [{ slackUserId: null, githubId: 3 }],
  });
  expect(snapshotOf(read).addedLines).toEqual([{ id: 2, thread: 1 }]);
  expect(snapshotOf(working).request).toBe(request);
  const held = { kind: 'held', reason: aReason('x', 'x'), changeHash: 'h' } as const;
  const policy = { ...authorization.policy, approval: 'second-person' as const };
  const state = { ...read, outcome: held, authorization: { ...authorization, requester: null, policy } };
  const asked = { ...state.request, requester: { login: 'ben', id: 4 } };
  const approve = (id: number) =>
    startPublicationAttempt(
      { ...state, request: asked },
      { by: 'x', github: { login: 'x', id }, changeHash: 'h' },
      t0,
    );
  expect(approve(3)).toMatchObject({ reason: expect.stringContaining('second person') });
  expect(approve(5)).not.toHaveProperty('reason');
});

it('is not cancelled by itself: the task that has the words is', () => {
  const given = { ...openState(request, 'nonce', t0), ahead: { taskId: 'other', steers: true } };
  expect(cancel(given, 'maria')).toEqual({ state: null, reason: expect.stringContaining('cancel that one') });
  const waits = { ...given, ahead: { taskId: 'other', steers: false } };
  expect(cancel(waits, 'maria').state?.cancelledBy).toBe('maria');
  // Of two attempts of a step, one can have given the words away.
  expect(learn(given, { authorization }, t0)).toBe(given);
  expect(learn(waits, { authorization }, t0)).toMatchObject({ authorization, ahead: null, turnAt: t0 });
});
