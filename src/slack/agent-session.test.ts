import { expect, it } from 'vitest';
import type { AgentStatus } from '../core/chat.ts';
import type { TaskPhase, TaskOutcome } from '../core/task.ts';
import { dueStatus } from './agent-session.ts';

const now = 1_000_000_000;
const choices = [{ owner: 'acme', name: 'shop' }];
const cancelled: TaskOutcome = { kind: 'cancelled', by: 'Jo' };
const shown = (status: AgentStatus['status'], phase: TaskPhase = 'codex', at = now): AgentStatus => ({
  status,
  phase,
  at,
});

it.each<[string, object, AgentStatus | undefined, AgentStatus['status'] | null]>([
  ['is set with the first message', {}, undefined, 'processing'],
  ['is set once', {}, shown('processing'), null],
  ['is set again in each phase', {}, shown('processing', 'slot'), 'processing'],
  ['is set again after five minutes', {}, shown('processing', 'codex', now - 300_000), 'processing'],
  ['waits while a person has to choose', { choices }, shown('processing'), 'suspended'],
  ['works again after the choice', {}, shown('suspended'), 'processing'],
  ['ends with the task', { outcome: cancelled }, shown('processing'), 'active'],
  ['ends once', { outcome: cancelled }, shown('active'), null],
  ['is not set by a task that ended at once', { outcome: cancelled }, undefined, null],
  ['works again with a publication attempt', {}, shown('active'), 'processing'],
  ['is not tried again at once', {}, shown('unknown'), null],
  ['is tried again after a minute', {}, shown('unknown', 'codex', now - 60_000), 'processing'],
  ['is tried once more at the end', { outcome: cancelled }, shown('unknown'), 'active'],
  ['is left alone where there is none', {}, shown('none', 'slot', 0), null],
  ['is left alone at the end where there is none', { outcome: cancelled }, shown('none'), null],
])('a status %s', (_, view, before, due) => {
  expect(dueStatus({ outcome: null, choices: null, phase: 'codex', ...view }, before, now)).toBe(due);
});
