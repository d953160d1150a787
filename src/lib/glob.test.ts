import { describe, expect, it } from 'vitest';
import { globProblem, leadsThrough, matchesGlob } from './glob.ts';

describe('matchesGlob', () => {
  it.each<[string, string, boolean]>([
    ['LICENSE', 'LICENSE', true],
    ['LICENSE', 'docs/LICENSE', false],
    ['**/LICENSE', 'LICENSE', true],
    ['**/LICENSE', 'a/b/LICENSE', true],
    ['infra', 'infra', true],
    ['infra', 'infra/a/b.tf', true],
    ['infra', 'infra2/a', false],
    ['infra/', 'infra/a', true],
    ['infra/**', 'infra', true],
    ['infra/**', 'infra/a/b.tf', true],
    ['infra/*', 'infra', false],
    ['infra/*', 'infra/a/b.tf', true],
    ['infra/*.tf', 'infra/a/b.tf', false],
    ['docs/**/AGENTS.md', 'docs/AGENTS.md', true],
    ['docs/**/AGENTS.md', 'docs/a/b/AGENTS.md', true],
    ['docs/**/AGENTS.md', 'AGENTS.md', false],
    ['a/**/b/**/c', 'a/x/b/y/z/c', true],
    ['a/**/b/**/c', 'a/x/y/z/c', false],
    ['**/*.key', 'a/.key', true],
    ['v?.txt', 'v1.txt', true],
    ['v?.txt', 'v🦀.txt', true],
    ['v?.txt', 'v10.txt', false],
    ['*a*b*', 'xaxbx', true],
    ['*a*b', 'xaxbx', false],
    ['a.c', 'abc', false],
  ])('%s and %s: %s', (glob, path, expected) => {
    expect(matchesGlob(glob, path)).toBe(expected);
  });

  it('does not explode on a hostile path', () => {
    expect(matchesGlob(`**/${'*a'.repeat(60)}b`, 'a'.repeat(255))).toBe(false);
    expect(matchesGlob(`${'**/a/'.repeat(30)}b`, 'a/'.repeat(2000))).toBe(false);
  });
});

it.each<[string, string, boolean]>([
  ['infra/prod/**', 'infra', true],
  ['infra/prod/*.tf', 'infra/prod', true],
  ['infra/**', 'infra', false],
  ['*/prod/**', 'infra', true],
  ['**/prod', 'infra', false],
  ['infra/prod/a', 'docs', false],
  ['infra/prod/a', 'infra/prod/a/b', false],
])('says whether %s names paths below %s: %s', (glob, folder, expected) => {
  expect(leadsThrough(glob, folder)).toBe(expected);
});

it.each(['', '/a', 'a//b', '../a', 'a/.', 'a/**b', '!a', '{a,b}', '[ab]', 'a\\b', 'C:a', 'x'.repeat(201)])(
  'refuses the glob %j',
  (glob) => {
    expect(globProblem(glob)).toEqual(expect.any(String));
  },
);
it.each(['a', 'a/', '**', '**/a', 'a/**', 'a/*.b', '.github/**'])('accepts the glob %j', (glob) => {
  expect(globProblem(glob)).toBeNull();
});
