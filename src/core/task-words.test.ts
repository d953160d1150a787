import { describe, expect, it } from 'vitest';
import { taskPhases } from './task.ts';
import {
  ageText,
  capitalized,
  clockText,
  durationText,
  phaseText,
  runningText,
  standingText,
} from './task-words.ts';

const waitsForNothing = { phase: 'codex', queuePosition: null, choices: null } as const;

describe('the words for where a task is', () => {
  it.each([...taskPhases])('are plain text for the phase %s', (phase) => {
    expect(phaseText(phase)).toMatch(/^[A-Za-z][\w ]+$/);
    expect(capitalized(phaseText(phase))).toMatch(/^[A-Z]/);
  });

  it.each([
    [waitsForNothing, 'Codex is working'],
    [
      { ...waitsForNothing, phase: 'slot', queuePosition: 14 },
      'waiting for a free sandbox, place 14 in the queue',
    ],
    [
      { ...waitsForNothing, phase: 'slot', queuePosition: 1 },
      'waiting for a free sandbox, next in the queue',
    ],
    [{ ...waitsForNothing, phase: 'slot' }, 'preparing a sandbox'],
    [{ ...waitsForNothing, phase: 'route', choices: [] }, 'waiting for a repository to be chosen'],
  ] as const)('say what the task waits for: %j', (standing, text) => {
    expect(standingText(standing)).toBe(text);
  });
});

it.each([
  [-5, '0 s'],
  [0, '0 s'],
  [Number.NaN, '0 s'],
  [Number.POSITIVE_INFINITY, '0 s'],
  [400, '1 s'],
  [59_400, '59 s'],
  [59_600, '1 min 0 s'],
  [60_000, '1 min 0 s'],
  [3_599_000, '59 min 59 s'],
  [3_720_000, '1 h 2 min'],
])('a duration of %d ms is %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

it.each([
  [-1, 'just now'],
  [59_999, 'just now'],
  [60_000, '1 min ago'],
  [59 * 60_000, '59 min ago'],
  [60 * 60_000, '1 h ago'],
  [47 * 3_600_000, '47 h ago'],
  [48 * 3_600_000, '2 days ago'],
])('an age of %d ms is %s', (ms, text) => {
  expect(ageText(ms)).toBe(text);
});

it('a command has been running until its view was made', () => {
  const view = { acceptedAt: '2026-11-21T10:00:00.000Z', elapsedMs: 65_000 };
  const startedAt = Date.parse('2026-11-21T10:00:53.000Z');
  expect(runningText({ startedAt }, view)).toBe('12 s');
});

it.each([
  [0, '0:00'],
  [5_999, '0:05'],
  [760_000, '12:40'],
  [3_723_000, '1:02:03'],
  [-1, '0:00'],
  [Number.NaN, '0:00'],
])('shows %d ms since the beginning as %s', (ms, text) => {
  expect(clockText(ms)).toBe(text);
});
