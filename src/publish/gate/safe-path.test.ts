import { describe, expect, it } from 'vitest';
import { pathProblem, plainPath } from './safe-path.ts';

describe('pathProblem', () => {
  it.each([
    'a',
    'a/b.c',
    '.github/x',
    '.gitignore',
    '.gitattributes',
    'a/.gitmodules',
    'git',
    'x.git',
    'a b',
    'ü/日本/🦀',
    '...x',
    '-rf',
    'git~',
    'ab:c',
    '"q"',
  ])('accepts %j', (path) => {
    expect(pathProblem(path)).toBeNull();
  });

  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    './a',
    'a/./b',
    '../a',
    'a/../b',
    '..',
    'a/.. /b',
    'C:/x',
    'c:x',
    'a\\b',
    'a\0b',
    'a\nb',
    'a\u007fb',
    'a\u0085b',
    'a\u202eb',
    'a\u200db',
    '\ud800',
    '.git',
    '.git/config',
    'a/.git/hooks/x',
    '.GIT/x',
    '.Git',
    '.git ',
    '.git.',
    '.git . .',
    '.git::$INDEX_ALLOCATION/x',
    '.git:x',
    '.git :x',
    '.git . .::$INDEX_ALLOCATION/config',
    'git~1 /config',
    'git~1::$INDEX_ALLOCATION',
    '.g\u206ait. /config',
    'git~1',
    'GIT~1/config',
    'git~2',
    '.g\u200cit',
    '.\u200bgit/x',
    '.gi\ufefft',
    '\uff0egit',
    '.ｇit',
    'x'.repeat(256),
    'x/'.repeat(2100).concat('x'),
  ])('refuses %j', (path) => {
    expect(pathProblem(path)).not.toBeNull();
  });
});

describe('plainPath', () => {
  it.each([
    ['a/b.c', 'a/b.c'],
    ['.GitHub/Workflows', '.github/workflows'],
    ['.github . /workflows.', '.github/workflows'],
    ['.github::$INDEX_ALLOCATION/x:y', '.github/x'],
    ['.g\u200cithub', '.github'],
    ['\uff0egithub', '.github'],
    ['a. b', 'a. b'],
  ])('reads %j as %j', (path, plain) => {
    expect(plainPath(path)).toBe(plain);
  });
});
