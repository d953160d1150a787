import { aReason } from '../../test/fixtures/a-reason.ts';
import { expect, it } from 'vitest';
import { openStateOf } from './open-task.ts';
import type { TaskOutcome } from './task.ts';

const held = (changeHash: string | null): TaskOutcome => ({
  kind: 'held',
  reason: aReason('workflow-files', 'It changes a workflow.'),
  changeHash,
});

it.each([
  ['accepted', null, 'waiting'],
  ['slot', null, 'waiting'],
  ['provision', null, 'waiting'],
  ['canary', null, 'running'],
  ['codex', null, 'running'],
  ['report', null, 'running'],
  ['ended', held('c0ffee'), 'held'],
  // Nobody can approve it.
  ['ended', held(null), null],
  ['ended', { kind: 'cancelled', by: 'maria' }, null],
] as const)('counts a task in the phase %s with the outcome %j as %s', (phase, outcome, state) => {
  expect(openStateOf({ phase, outcome })).toBe(state);
});
