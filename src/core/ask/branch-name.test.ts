import { expect, it } from 'vitest';
import { isBranchName, isBranchPrefix } from './branch-name.ts';

it.each(['main', 'release/1.x', 'feature/a-b_c', 'äöü', 'a@b', 'v1.0'])('%j is a branch name', (name) => {
  expect(isBranchName(name)).toBe(true);
});

it.each([
  ['', 'empty'],
  ['-x', 'an option to git'],
  ['a b', 'space'],
  ['a..b', 'a range'],
  ['a~1', 'an ancestor'],
  ['a^', 'a parent'],
  ['a:b', 'a refspec'],
  ['a?', 'a glob'],
  ['a*', 'a glob'],
  ['a[b', 'a glob'],
  ['a\\b', 'backslash'],
  ['a\u0000b', 'control character'],
  ['a\nb', 'line break'],
  ['/a', 'empty part'],
  ['a/', 'empty part'],
  ['a//b', 'empty part'],
  ['.a', 'hidden part'],
  ['a/.b', 'hidden part'],
  ['a.lock', 'lock file'],
  ['a.lock/b', 'lock file'],
  ['a.', 'dot at the end'],
  ['a@{1}', 'reflog'],
  ['@', 'HEAD'],
  ['HEAD', 'HEAD'],
  ['refs/heads/main', 'a full ref'],
  ['x'.repeat(256), 'too long'],
])('%j is not a branch name: %s', (name) => {
  expect(isBranchName(name)).toBe(false);
});

it.each(['airlock/', 'bot-', 'codex/tasks/', 'a', 'a.', 'ä/', 'x'.repeat(100)])(
  '%j is a prefix of branches',
  (prefix) => {
    expect(isBranchPrefix(prefix)).toBe(true);
  },
);

it.each([
  ['', 'empty'],
  ['/', 'empty part'],
  ['airlock//', 'empty part'],
  ['-bot/', 'an option to git'],
  ['my bot/', 'space'],
  ['a..', 'a range'],
  ['a~', 'an ancestor'],
  ['.bot/', 'hidden part'],
  ['bot/.', 'hidden part'],
  ['bot.lock/', 'lock file'],
  ['a@{', 'reflog'],
  ['refs/heads/', 'a full ref'],
  ['x'.repeat(101), 'too long'],
  ['ä'.repeat(51), 'too long in bytes'],
])('%j is not a prefix of branch names: %s', (prefix) => {
  expect(isBranchPrefix(prefix)).toBe(false);
});
