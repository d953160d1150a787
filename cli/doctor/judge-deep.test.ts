import { describe, expect, it } from 'vitest';
import type { TaskOutcome } from '../../src/core/task.ts';
import { contractResultOf, judgeContract, judgeDeployment, judgeTask, type MidTask } from './judge-deep.ts';

const report = (rows: readonly (readonly [string, string])[], message?: string) =>
  JSON.stringify({
    testResults: [{ message, assertionResults: rows.map(([status, title]) => ({ status, title })) }],
  });
const pull: TaskOutcome = {
  kind: 'pull-request',
  pullRequest: {
    number: 7,
    url: 'https://github.com/acme/scratch/pull/7',
    title: 'Add the date',
    headRef: 'airlock/1',
    headSha: 'a'.repeat(40),
    draft: false,
  },
};
const cancelled: TaskOutcome = { kind: 'cancelled', by: 'maria' };

describe('the contract of a deployment', () => {
  it.each([
    [
      'holds',
      report([
        ['passed', 'a'],
        ['skipped', 'b'],
      ]),
      'ok',
      /all 1 rules hold/,
    ],
    [
      'breaks',
      report([
        ['passed', 'a'],
        ['failed', 'kills orphans'],
      ]),
      'fail',
      /1 of 2 rules do not hold: kills orphans/,
    ],
    ['is not checked because nothing ran', report([]), 'fail', /no rule was checked/],
    [
      'is not checked because the tests did not load',
      report([], 'no such module\nat x'),
      'fail',
      /: no such module$/,
    ],
    ['is not checked because all was left out', report([['skipped', 'a']]), 'fail', /no rule was checked/],
    ['is not checked because there is no report', '', 'fail', /wrote no report/],
  ])('%s', (_, text, status, found) => {
    const verdict = judgeContract(contractResultOf(text));
    expect(verdict.status).toBe(status);
    expect(verdict.found).toMatch(found);
  });
});

describe('the task of a deep check', () => {
  it.each<[string, TaskOutcome | null, string, RegExp]>([
    ['a pull request', pull, 'ok', /pull request #7 in .*: close it \(https:/],
    ['no change', { kind: 'no-change', summary: 'Nothing.' }, 'warn', /without a pull request \(no-change\)/],
    ['a cancellation', cancelled, 'warn', /without a pull request \(cancelled\)/],
    ['no outcome', null, 'fail', /without an outcome/],
  ])('is judged by its end in %s', (_, outcome, status, found) => {
    const verdict = judgeTask(outcome, 85_000);
    expect(verdict.status).toBe(status);
    expect(verdict.found).toMatch(found);
  });
});

describe('a deployment while Codex works', () => {
  it.each<[string, MidTask, string]>([
    ['that was not wanted', { kind: 'not-wanted' }, 'skip'],
    ['during which Codex ran no command', { kind: 'no-command' }, 'skip'],
    ['that failed', { kind: 'failed', why: 'no engine' }, 'fail'],
    ['that the task outlived', { kind: 'deployed', broken: [], outcome: pull }, 'ok'],
    ['whose doctor found a fault', { kind: 'deployed', broken: ['github.app'], outcome: pull }, 'fail'],
    ['that the task did not outlive', { kind: 'deployed', broken: [], outcome: cancelled }, 'fail'],
    ['whose task has no end', { kind: 'deployed', broken: [], outcome: null }, 'fail'],
  ])('%s is judged', (_, deployment, status) => {
    expect(judgeDeployment(deployment).status).toBe(status);
  });
});
