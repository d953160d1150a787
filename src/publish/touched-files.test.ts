import { expect, it } from 'vitest';
import { treesOf, type Files } from '../../test/fixtures/tree-listings.ts';
import { differingPaths } from './touched-files.ts';

async function touched(paths: readonly string[], from: Files, to: Files) {
  const { ids, trees } = treesOf(from, to);
  const read: string[] = [];
  const found = await differingPaths(paths, { from: ids[0] ?? '', to: ids[1] ?? '' }, async (sha) => {
    read.push(sha);
    return trees.get(sha) ?? null;
  });
  return { found, reads: read.length };
}

const base = { 'a.js': '1', 'src/b.js': '1', 'src/deep/c.js': '1', 'docs/d.md': '1' };

it.each<[string, string[], Files, string[]]>([
  ['others changed another file', ['a.js', 'src/b.js'], { ...base, 'docs/d.md': '2', 'src/new.js': 'x' }, []],
  ['others changed the same file', ['a.js'], { ...base, 'a.js': '2' }, ['a.js']],
  [
    'others changed one of them deep down',
    ['a.js', 'src/deep/c.js'],
    { ...base, 'src/deep/c.js': '2' },
    ['src/deep/c.js'],
  ],
  ['others deleted the file', ['src/b.js'], { 'a.js': '1', 'src/deep/c.js': '1' }, ['src/b.js']],
  ['others deleted its folder', ['docs/d.md'], { 'a.js': '1' }, ['docs/d.md']],
  ['others deleted the folder of a new file', ['docs/new.md'], { 'a.js': '1' }, []],
  ['others added the same new file', ['new.js'], { ...base, 'new.js': 'x' }, ['new.js']],
  ['others added a file to the folder of a new file', ['lib/new.js'], { ...base, 'lib/x.js': 'x' }, []],
  [
    'others put a file where the change needs a folder',
    ['lib/new.js'],
    { ...base, lib: 'x' },
    ['lib/new.js'],
  ],
  [
    'others put a submodule where the change needs a folder',
    ['lib/new.js'],
    { ...base, lib: '160000 x' },
    ['lib/new.js'],
  ],
  ['others put a folder where the change has a file', ['new'], { ...base, 'new/x.js': 'x' }, ['new']],
  ['others made it executable', ['a.js'], { ...base, 'a.js': '100755 1' }, ['a.js']],
  [
    'others added a file to a folder that becomes a file',
    ['docs', 'docs/d.md'],
    { ...base, 'docs/e.md': '1' },
    ['docs'],
  ],
])('compares by path: %s', async (_, paths, to, expected) => {
  expect((await touched(paths, base, to)).found).toEqual(expected);
});

it('reads only folders that differ and hold a file of the change', async () => {
  const wide = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}/x`, '1']));
  const paths = Object.keys(wide);
  expect(await touched(paths, wide, { ...wide, 'f7/y': '2', z: '1' })).toEqual({ found: [], reads: 4 });
});

it('gives up if there is too much to compare, or GitHub does not list a folder whole', async () => {
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`f${n}/x`, '1']));
  const more = Object.fromEntries(
    Object.keys(many).flatMap((path) => [
      [path, '1'],
      [path.replace('x', 'y'), '1'],
    ]),
  );
  expect((await touched(Object.keys(many), many, more)).found).toBeNull();
  expect(await differingPaths(['a'], { from: '1', to: '2' }, async () => null)).toBeNull();
});
