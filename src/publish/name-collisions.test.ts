import { describe, expect, it } from 'vitest';
import type { ChangedFile } from '../core/change-set.ts';
import { nameCollisions } from './name-collisions.ts';

const nfc = '\u00e9';
const nfd = 'e\u0301';

describe('nameCollisions', () => {
  it.each<[string, string[], string[], [string, string][]]>([
    ['a name in other letters', ['README.md'], ['Readme.md'], [['Readme.md', 'README.md']]],
    ['a name in another Unicode form', [`${nfc}.md`], [`${nfd}.md`], [[`${nfd}.md`, `${nfc}.md`]]],
    ['a folder in other letters, once', ['src/a.ts'], ['Src/b.ts', 'Src/c/d.ts'], [['Src', 'src']]],
    ['a file like a folder', ['src/a.ts'], ['SRC'], [['SRC', 'src']]],
    ['two new names', [], ['a/x', 'a/X'], [['a/X', 'a/x']]],
    ['a name that NTFS cuts', ['a/b.'], ['a/b'], [['a/b', 'a/b.']]],
    ['a name that takes another form, and the old one stays', ['a', 'b'], ['A', '-b'], [['A', 'a']]],
    ['a name that takes another form', ['Readme.md'], ['-Readme.md', 'README.md'], []],
    ['a folder that takes another form', ['Src/a', 'Src/b'], ['-Src/a', '-Src/b', 'src/a', 'src/b'], []],
    ['a folder that moves in part', ['Src/a', 'Src/b'], ['-Src/a', 'src/a'], [['src', 'Src']]],
    ['names that the base has in both forms', ['a', 'A'], ['A', 'a'], []],
    ['a new file in a folder that the base has in both forms', ['a/x', 'A/x'], ['A/y', 'a/z'], []],
    [
      'what macOS folds',
      ['straße', 'ﬁ'],
      ['STRASSE', 'fi'],
      [
        ['STRASSE', 'straße'],
        ['fi', 'ﬁ'],
      ],
    ],
    ['another name', ['a²'], ['a2'], []],
  ])('finds %s', (_, base, changes, expected) => {
    const folders = base.flatMap((path) => (path.includes('/') ? [path.slice(0, path.indexOf('/'))] : []));
    const tree = [
      ...base.map((path) => ({ path, type: 'blob' })),
      ...folders.map((path) => ({ path, type: 'tree' })),
    ];
    const files = changes.map((change): ChangedFile =>
      change.startsWith('-')
        ? { type: 'deletion', path: change.slice(1) }
        : { type: 'file', path: change, mode: '100644', content: '' },
    );
    expect(nameCollisions(tree, files)).toEqual(expected);
  });
});
