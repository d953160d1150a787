import { describe, expect, it } from 'vitest';
import { guidanceIn, isGuidance, replacementOf, type Tree } from './guidance-tree.ts';
import type { IndexEntry } from './index-changes.ts';

describe('isGuidance', () => {
  it.each([
    ['AGENTS.md', true],
    ['AGENTS.override.md', true],
    ['agents.md', true],
    ['src/deep/AGENTS.md', true],
    ['.codex/config.toml', true],
    ['.codex', true],
    ['.agents/skills/x/SKILL.md', true],
    ['src/.codex/skills/x/scripts/run.sh', true],
    ['.claude-plugin/plugin.json', true],
    ['README.md', false],
    ['docs/AGENTS.md.txt', false],
    ['src/agents.ts', false],
    ['agents/a.md', false],
    ['.codexrc', false],
  ])('of %s: %s', (path, expected) => expect(isGuidance(path)).toBe(expected));
});

/** Content by path; a symlink's begins with `->`. The content serves as the object id. */
const tree = (files: Readonly<Record<string, string>>): Tree =>
  new Map(
    Object.entries(files).map(([path, text]): [string, IndexEntry] => [
      path,
      { mode: text.startsWith('->') ? '120000' : '100644', object: text },
    ]),
  );
const read = (files: Tree) => guidanceIn(files, ({ object }) => object.slice(2));
const texts = (files: Tree) => Object.fromEntries([...files].map(([path, { object }]) => [path, object]));

describe('guidanceIn', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    [
      'a document and its folder’s',
      { 'AGENTS.md': 'a', 'x/AGENTS.md': 'b', c: 'c' },
      { 'AGENTS.md': 'a', 'x/AGENTS.md': 'b' },
    ],
    ['a symlink to a file', { 'AGENTS.md': '->CLAUDE.md', 'CLAUDE.md': 'a' }, { 'AGENTS.md': 'a' }],
    ['a chain of symlinks', { 'AGENTS.md': '->a', a: '->b/../c', c: 'x' }, { 'AGENTS.md': 'x' }],
    [
      'a symlink to a folder',
      { '.codex': '->tools', 'tools/skills/SKILL.md': 'a' },
      { '.codex/skills/SKILL.md': 'a' },
    ],
    [
      'a folder of symlinks',
      { '.agents/skills/a': '->../../lib/a', 'lib/a/SKILL.md': 'a' },
      { '.agents/skills/a/SKILL.md': 'a' },
    ],
    [
      'a symlink below a symlink',
      { 'AGENTS.md': '->d/a.md', d: '->docs', 'docs/a.md': 'x' },
      { 'AGENTS.md': 'x' },
    ],
    ['no absolute symlink', { 'AGENTS.md': '->/etc/passwd' }, { 'AGENTS.md': '->/etc/passwd' }],
    ['no symlink out of the repository', { 'x/AGENTS.md': '->../../y' }, { 'x/AGENTS.md': '->../../y' }],
    ['no symlink to nothing', { 'AGENTS.md': '->no' }, { 'AGENTS.md': '->no' }],
    ['no symlink to the repository itself', { '.codex': '->.', a: 'x' }, { '.codex': '->.' }],
    ['no circle', { 'AGENTS.md': '->b', b: '->AGENTS.md' }, { 'AGENTS.md': '' }],
    ['a folder in itself', { '.codex/x': '->../.codex', '.codex/a': 'a' }, { '.codex/a': 'a' }],
  ])('follows %s', (_, files, found) => {
    expect(texts(read(tree(files)))).toMatchObject(found);
    expect(read(tree(files)).has('.codex/x')).toBe(false);
  });
});

it('compares no commit of which it would see only a part', () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`.agents/${at}`, 'x']));
  expect(() => read(tree({ ...many, 'AGENTS.md': 'evil' }))).toThrow('more than 20000 files of guidance');
});

describe('replacementOf', () => {
  it.each<[string, Record<string, string>, Record<string, string>, string[], string[]]>([
    ['the same guidance', { 'AGENTS.md': 'a', b: '1' }, { 'AGENTS.md': 'a', b: '2' }, [], []],
    ['another document', { 'AGENTS.md': 'a' }, { 'AGENTS.md': 'b' }, ['AGENTS.md'], ['AGENTS.md']],
    ['a new one in the head', { 'x/AGENTS.md': 'a' }, {}, ['x/AGENTS.md'], []],
    ['one that the head deleted', {}, { 'AGENTS.md': 'a' }, [], ['AGENTS.md']],
    [
      'only one of two',
      { 'AGENTS.md': 'a', 'x/AGENTS.md': 'c' },
      { 'AGENTS.md': 'b', 'x/AGENTS.md': 'c' },
      ['AGENTS.md'],
      ['AGENTS.md'],
    ],
    ['a new skill', { '.codex/skills/a/SKILL.md': 'a' }, {}, ['.codex/skills/a/SKILL.md'], []],
    [
      'the target of a symlink',
      { 'AGENTS.md': '->c', c: '1' },
      { 'AGENTS.md': '->c', c: '2' },
      ['AGENTS.md'],
      ['AGENTS.md'],
    ],
    ['a symlink in place of a file', { 'AGENTS.md': '->c', c: 'a' }, { 'AGENTS.md': 'a', c: 'x' }, [], []],
    [
      'a symlink to another folder',
      { '.codex': '->x', 'x/a': '1' },
      { '.codex/a': '2', '.codex/b': '3' },
      ['.codex'],
      ['.codex/a', '.codex/b'],
    ],
    ['a file in place of a folder', { '.codex': 'x' }, { '.codex/a': '2' }, ['.codex'], ['.codex/a']],
    [
      'one file of a folder behind a symlink',
      { '.codex': '->x', 'x/a': '1', 'x/b': '3' },
      { '.codex': '->x', 'x/a': '2', 'x/b': '3' },
      ['.codex'],
      ['.codex/a', '.codex/b'],
    ],
    ...['/workspace/repository/c', '../repository/c', '/proc/self/cwd/c'].map(
      (target): [string, Record<string, string>, Record<string, string>, string[], string[]] => [
        `a symlink to ${target}`,
        { 'x/AGENTS.md': `->${target}`, c: '1' },
        {},
        ['x/AGENTS.md'],
        [],
      ],
    ),
    ['a symlink to the repository itself', { '.codex': '->.', 'config.toml': '1' }, {}, ['.codex'], []],
    [
      'a symlink to nothing that the base has too',
      { 'AGENTS.md': '->made-by-setup' },
      { 'AGENTS.md': '->made-by-setup' },
      ['AGENTS.md'],
      [],
    ],
    [
      'a chain of twenty symlinks',
      {
        'AGENTS.md': '->l1',
        ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`l${at + 1}`, `->l${at + 2}`])),
        l21: 'evil',
      },
      {},
      ['AGENTS.md'],
      [],
    ],
  ])('replaces %s', (_, head, base, away, laid) => {
    const found = replacementOf({ tree: tree(head), guidance: read(tree(head)) }, read(tree(base)));
    expect([[...found.away.keys()], [...found.laid.keys()]]).toEqual([away, laid]);
  });
});
