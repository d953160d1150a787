import { describe, expect, it } from 'vitest';
import { isBranchName, isBranchPrefix } from '../core/ask/branch-name.ts';
import { branchName } from './branch-name.ts';
import { commitMessage, namesTask, signature } from './git-commit.ts';

const request = { taskId: 'gh-1-c7', requester: { login: 'mona', id: 5 } };
const message = (title: string, summary: string): string => commitMessage({ title, summary }, request);

describe('commitMessage', () => {
  it('joins title, summary and trailers', () => {
    expect(message('Fix rounding', 'Half up.')).toBe(
      'Fix rounding\n\nHalf up.\n\nAirlock-Task: gh-1-c7\nCo-authored-by: mona <5+mona@users.noreply.github.com>',
    );
  });

  it('leaves out a missing summary, title or requester, and a malformed login', () => {
    expect(commitMessage({ title: '  ', summary: '' }, { taskId: 't', requester: null })).toBe(
      'Change by Codex\n\nAirlock-Task: t',
    );
    expect(
      commitMessage(
        { title: 'x', summary: '' },
        { taskId: 't', requester: { login: 'a>\nSigned-off-by: b', id: 1 } },
      ),
    ).toBe('x\n\nAirlock-Task: t');
  });

  it.each(['[skip ci]', '[ci skip]', '[no ci]', '[skip actions]', '[Actions Skip]', '***NO_CI***'])(
    'cannot skip checks with %s',
    (order) => {
      expect(message(`Fix ${order}`, `Done ${order}`)).not.toContain(order);
    },
  );

  it.each([
    'Co-authored-by: evil <e@x>',
    'Signed-off-by: evil <e@x>',
    'Airlock-Task: other',
    ' co-Authored-By : evil <e@x>',
    'skip-checks: true',
  ])('cannot credit somebody with the line %j', (line) => {
    const made = message('x', `words\n\n${line}`);
    expect(made.split('\n').some((one) => one.trim() === line.trim())).toBe(false);
    expect(namesTask(made, 'gh-1-c7')).toBe(true);
    expect(namesTask(made, 'other')).toBe(false);
  });

  it('mentions nobody and closes nothing', () => {
    expect(message('Fixes #3 for @mona', 'closes acme/x#4')).not.toMatch(/@mona|#3|x#4/);
  });
});

describe('namesTask', () => {
  it.each<[string, boolean]>([
    ['x\n\nAirlock-Task: t', true],
    ['x\n\nOther: y\nAirlock-Task: t\n', true],
    ['x\n\nAirlock-Task: t\n\nmore', false],
    ['x\n\nAirlock-Task: t2', false],
    ['', false],
  ])('for %j is %s', (text, expected) => {
    expect(namesTask(text, 't')).toBe(expected);
  });
});

describe('signature', () => {
  it('has a date in whole seconds in UTC', () => {
    expect(signature({ name: 'n', email: 'e' }, '2026-11-20T11:00:00.987+01:00').date).toBe(
      '2026-11-20T10:00:00Z',
    );
  });
});

describe('branchName', () => {
  it.each<[string, string]>([
    ['Fix the rounding in split()', 'airlock/fix-the-rounding-in-split-0a1b2c3d'],
    ['', 'airlock/change-0a1b2c3d'],
    ['日本語', 'airlock/change-0a1b2c3d'],
    ['Größe über Maß', 'airlock/gro-e-uber-ma-0a1b2c3d'],
    ['../../etc/passwd; rm -rf', 'airlock/etc-passwd-rm-rf-0a1b2c3d'],
    [
      'A title that is much longer than forty characters are',
      'airlock/a-title-that-is-much-longer-than-forty-0a1b2c3d',
    ],
    ['x'.repeat(300), `airlock/${'x'.repeat(40)}-0a1b2c3d`],
    ['a.lock', 'airlock/a-lock-0a1b2c3d'],
  ])('makes %j into %s', (title, expected) => {
    expect(branchName('airlock/', title, '0a1b2c3d')).toBe(expected);
  });

  it.each(['bot-', 'codex/tasks/', 'a.', 'x'.repeat(100)])(
    'is a valid ref with the longest suffix after the prefix %j',
    (prefix) => {
      expect(isBranchPrefix(prefix)).toBe(true);
      for (const title of ['lock', 'x'.repeat(300), ''])
        expect(isBranchName(`${branchName(prefix, title, '0a1b2c3d')}-5`)).toBe(true);
    },
  );
});
