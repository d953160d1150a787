import { expect, it } from 'vitest';
import { canaryReport, judgeCanary, type CanaryRound, type CanaryVerdict } from './canary-verdict.ts';

type Results = Readonly<Record<string, 'expected' | 'wrong' | 'unanswered'>>;
const platform = [{ name: 'PID 1', got: 'sandbox', open: false }];
const report = (results: Results) => ({
  platform,
  probes: Object.entries(results).map(([name, result]) => ({ name, result, got: `${name} got` })),
});
const first: CanaryRound = { pending: 'all', report: null, exitCode: 0, roundsLeft: 3 };
const last = { ...first, roundsLeft: 0 };
const got = (...names: string[]) => names.map((name) => ({ name, got: `${name} got` }));
const noReport = [{ name: 'canary', got: 'no report' }];

it.each<[what: string, round: CanaryRound, verdict: CanaryVerdict]>([
  [
    'is sealed when every probe got what is expected',
    { ...first, report: report({ a: 'expected', b: 'expected' }) },
    { kind: 'sealed', platform },
  ],
  [
    'is sealed when the last pending probe got what is expected',
    { ...last, pending: ['b'], report: report({ b: 'expected' }) },
    { kind: 'sealed', platform },
  ],
  [
    'is breached by one wrong answer',
    { ...first, report: report({ a: 'expected', b: 'wrong' }), exitCode: 1 },
    { kind: 'breached', wrong: got('b') },
  ],
  [
    'is breached by a wrong answer next to one that did not come',
    { ...first, report: report({ a: 'unanswered', b: 'wrong' }), exitCode: 1 },
    { kind: 'breached', wrong: got('b') },
  ],
  [
    'is breached by a wrong answer in a later round',
    { ...first, pending: ['b'], report: report({ b: 'wrong' }), exitCode: 1 },
    { kind: 'breached', wrong: got('b') },
  ],
  [
    'is breached by a wrong answer of a probe that was not asked for',
    { ...last, pending: ['b'], report: report({ a: 'wrong', b: 'expected' }), exitCode: 1 },
    { kind: 'breached', wrong: got('a') },
  ],
  [
    'repeats only the probes without an answer',
    { ...first, report: report({ a: 'expected', b: 'unanswered', c: 'unanswered' }), exitCode: 1 },
    { kind: 'retry', pending: ['b', 'c'], unanswered: got('b', 'c') },
  ],
  [
    'repeats fewer probes each time',
    { ...first, pending: ['b', 'c'], report: report({ b: 'unanswered', c: 'expected' }), exitCode: 1 },
    { kind: 'retry', pending: ['b'], unanswered: got('b') },
  ],
  [
    'repeats a pending probe that the report leaves out',
    { ...first, pending: ['b', 'c'], report: report({ b: 'expected' }) },
    { kind: 'retry', pending: ['c'], unanswered: [{ name: 'c', got: 'not in the report' }] },
  ],
  [
    'repeats everything when the first round has no report',
    { ...first, exitCode: 137 },
    { kind: 'retry', pending: 'all', unanswered: noReport },
  ],
  [
    'repeats everything when there is no report in spite of success',
    first,
    { kind: 'retry', pending: 'all', unanswered: noReport },
  ],
  [
    'repeats what was pending when a later round could not be run',
    { ...first, pending: ['b'], exitCode: null },
    { kind: 'retry', pending: ['b'], unanswered: noReport },
  ],
  [
    'repeats when the exit code contradicts the report',
    { ...first, report: report({ a: 'expected' }), exitCode: 1 },
    { kind: 'retry', pending: 'all', unanswered: [{ name: 'canary', got: 'exit code 1' }] },
  ],
  [
    'is unknown when no round is left for a probe without an answer',
    { ...last, report: report({ a: 'expected', b: 'unanswered' }), exitCode: 1 },
    { kind: 'unknown', unanswered: got('b') },
  ],
  ['is unknown when no round is left and none had a report', last, { kind: 'unknown', unanswered: noReport }],
  [
    'is unknown when no round is left and the exit code contradicts the report',
    { ...last, report: report({ a: 'expected' }), exitCode: null },
    { kind: 'unknown', unanswered: [{ name: 'canary', got: 'exit code unknown' }] },
  ],
  [
    'is breached, not unknown, by a wrong answer in the last round',
    { ...last, report: report({ a: 'unanswered', b: 'wrong' }), exitCode: 1 },
    { kind: 'breached', wrong: got('b') },
  ],
])('a sandbox %s', (_, round, verdict) => {
  expect(judgeCanary(round)).toEqual(verdict);
});

it.each([
  ['an empty report', { probes: [] }],
  ['a report of the earlier form', { probes: [{ name: 'a', ok: true, got: '' }] }],
  ['a result with another name', { probes: [{ name: 'a', result: 'fine', got: '' }] }],
])('takes %s for no report', (_, text) => {
  expect(canaryReport.safeParse(text).success).toBe(false);
});
