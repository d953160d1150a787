import { describe, expect, it } from 'vitest';
import { isBranchName, isBranchPrefix } from '../core/ask/branch-name.ts';
import { branchName } from './branch-name.ts';
import { commitMessage, titleOf } from './git-commit.ts';
import { namesTask, withoutTrailers } from './trailers.ts';

const request = { taskId: 'gh-1-c7', requester: { login: 'mona', id: 5 } };
const message = (title: string, summary: string): string => commitMessage({ title, summary }, request, null);

describe('commitMessage', () => {
  it('joins title, summary and trailers', () => {
    expect(message('Fix rounding', 'Half up.')).toBe(
      'Fix rounding\n\nHalf up.\n\nAirlock-Task: gh-1-c7\nCo-authored-by: mona <5+mona@users.noreply.github.com>',
    );
  });

  it('leaves out a missing summary, title or requester, and a malformed login', () => {
    expect(commitMessage({ title: '  ', summary: '' }, { taskId: 't', requester: null }, null)).toBe(
      'Change by Codex\n\nAirlock-Task: t',
    );
    expect(
      commitMessage(
        { title: 'x', summary: '' },
        { taskId: 't', requester: { login: 'a>\nSigned-off-by: b', id: 1 } },
        null,
      ),
    ).toBe('x\n\nAirlock-Task: t');
  });

  it.each(['[skip ci]', '[ci skip]', '[no ci]', '[skip actions]', '[Actions Skip]', '***NO_CI***'])(
    'cannot skip checks with %s',
    (order) => {
      expect(message(`Fix ${order}`, `Done ${order}`)).not.toContain(order);
    },
  );

  it('signs off last, in the name that the configuration says', () => {
    const signOff = { name: 'Acme Bot', email: 'bot@acme.example' };
    expect(commitMessage({ title: 'x', summary: 'Signed-off-by: Eve <e@x>' }, request, signOff)).toBe(
      'x\n\nAirlock-Task: gh-1-c7\nCo-authored-by: mona <5+mona@users.noreply.github.com>\nSigned-off-by: Acme Bot <bot@acme.example>',
    );
  });

  it.each([
    'Co-authored-by: evil <e@x>',
    'Signed-off-by: evil <e@x>',
    'Airlock-Task: other',
    ' co-Authored-By : evil <e@x>',
    '> - **Signed-off-by:** evil <e@x>',
    '`Reviewed-by: evil`',
    'Signed\u2011off\u2011by: evil <e@x>',
    'Signed-\u200Boff-by: evil <e@x>',
    'Helped-tested-and-approved-by\uFF1A evil',
    'On-behalf-of: @evil',
    'Change-Id: I0123',
    'skip-checks: true',
  ])('removes the line %j of the model from message, title and pull request', (line) => {
    const made = message('x', `words\n\n${line}\nmore words\n${line}`);
    expect(made).toMatch(/^x\n\nwords\n\nmore words\n\nAirlock-Task: gh-1-c7\nCo-authored-by: mona /);
    expect(made).not.toMatch(/evil|I0123|skip-checks/);
    expect(namesTask(made, 'other')).toBe(false);
    expect(titleOf({ title: line })).toBe('Change by Codex');
  });

  it.each(['Follow-up: test the other callers', 'Set `signed-off-by: x` in the form', 'Passed by: value'])(
    'keeps the words %j',
    (words) => {
      expect(withoutTrailers(words)).toBe(words);
    },
  );

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
