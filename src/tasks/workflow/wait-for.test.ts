import { expect, it } from 'vitest';
import { taskLimits } from '../limits.ts';
import { startPollMs, waitPollMs } from './wait-for.ts';

/** The platform's limit for one Workflow instance. */
const platformSteps = 10_000;
const hour = 60 * 60_000;
/** The largest `limits.minutes` that the configuration takes. */
const maxAgentMs = 6 * hour;

function pollsWithin(ms: number, pollMs: (polls: number) => number): number {
  let polls = 0;
  for (let waited = 0; waited < ms; polls += 1) waited += pollMs(polls);
  return polls;
}

it('polls ever more slowly, up to five minutes', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1000].map(waitPollMs)).toEqual([
    15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000,
  ]);
});

it('cannot meet the platform’s limit of steps, even if every event of the longest task is lost', () => {
  // A task waits at most this long for each; the record's watchdog gives it up after that.
  const rows = [
    { what: 'routing', ms: taskLimits.routeMs, pollMs: waitPollMs },
    { what: 'slot', ms: taskLimits.queueMs, pollMs: waitPollMs },
    { what: 'start', ms: maxAgentMs + taskLimits.overheadMs, pollMs: startPollMs },
    { what: 'setup', ms: maxAgentMs + taskLimits.setupAroundMs, pollMs: waitPollMs },
    { what: 'codex', ms: maxAgentMs + taskLimits.overheadMs, pollMs: waitPollMs },
  ];
  const polls = Object.fromEntries(rows.map(({ what, ms, pollMs }) => [what, pollsWithin(ms, pollMs)]));
  expect(polls).toEqual({ routing: 172, slot: 292, start: 810, setup: 79, codex: 82 });
  // Two steps a poll: the wait and the look. All other steps of a task are fewer than a hundred.
  const steps = 2 * Object.values(polls).reduce((sum, count) => sum + count, 0) + 100;
  expect(steps).toBeLessThan(platformSteps / 3);
});
