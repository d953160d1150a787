import { expect, it } from 'vitest';
import type { CaseResult } from './case.ts';
import { caseLine, reportOf, tableOf } from './report.ts';

const result = (more: Partial<CaseResult>): CaseResult => ({
  id: 'kill/comment/after/gate-1/worker',
  group: 'kills',
  phase: 'after gate-1',
  injected: 'workerd is killed',
  met: [],
  answers: 1,
  pullRequests: 1,
  sandboxesLeft: 0,
  tokensLeft: 0,
  recoveryMs: 2_000,
  cancelMs: null,
  outcome: 'pull-request',
  ok: true,
  problems: [],
  ...more,
});
const results = [
  result({ injected: 'nothing', recoveryMs: 100 }),
  result({}),
  result({ recoveryMs: 9_000, ok: false, answers: 2, problems: ['it has 2 answers'] }),
  result({ recoveryMs: 3_000, cancelMs: 400 }),
];

it('counts kill points and violations, and says how long recoveries and cancellations took', () => {
  const report = reportOf(results);
  expect(report).toMatchObject({ cases: 4, killPoints: 3, violations: 1 });
  const table = tableOf(report);
  expect(table).toMatch(/kills: workerd is killed +3 +1 +p50 3\.0 s, max 9\.0 s/);
  expect(table).toContain('recovery: p50 2.0 s, max 9.0 s');
  expect(table).toContain('cancel to sandbox gone: p50 0.4 s, max 0.4 s');
  expect(table).toContain('4 cases, 3 kill points, 1 violations');
});

it('says of each case what does not hold', () => {
  expect(results.slice(2, 3).map(caseLine)).toEqual([
    '✗ kill/comment/after/gate-1/worker  9 s  after gate-1: workerd is killed → pull-request\n    it has 2 answers',
  ]);
});
