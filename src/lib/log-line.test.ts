import { expect, it } from 'vitest';
import { logLine } from './log-line.ts';

const at = new Date('2026-11-30T02:00:00.000Z');
const time = '2026-11-30T02:00:00.000Z';

it.each<[string, string, Record<string, unknown>, Record<string, unknown>]>([
  ['adds time and level', 'task.ended', { taskId: 't' }, { time, level: 'info', taskId: 't' }],
  [
    'keeps the event when a field has its name',
    'webhook.unreadable',
    { event: 'push' },
    { time, level: 'warn' },
  ],
  ['keeps the time when a field has its name', 'slot.granted', { time: 'noon' }, { time, level: 'info' }],
  ['takes the level that a library reported', 'slack.bolt', { level: 'error' }, { time, level: 'error' }],
  ['derives the level when the field is none', 'slack.bolt', { level: 'loud' }, { time, level: 'info' }],
  ['calls a failure an error', 'sandbox.start_failed', {}, { time, level: 'error' }],
  ['calls a refusal a warning', 'webhook.refused', {}, { time, level: 'warn' }],
  ['calls what was not done a warning', 'setup_cache.not_stored', {}, { time, level: 'warn' }],
])('%s', (_, event, fields, rest) => {
  const line = logLine(event, fields, at);
  expect(JSON.parse(line)).toEqual({ event, ...rest });
  expect(line).toMatch(/^\{"event":"[a-z._]+","time":"[^"]+","level":"[a-z]+"/);
});
