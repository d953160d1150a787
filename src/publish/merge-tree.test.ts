import { describe, expect, it } from 'vitest';
import { mergeByFile, type Tree, type TreeFile } from './merge-tree.ts';

type Version = string | null;
const file = (path: string, version: string): TreeFile => ({
  path,
  mode: version.endsWith('*') ? '100755' : '100644',
  type: 'blob',
  sha: version.replace('*', ''),
});
const tree = (version: Version): Tree => new Map(version === null ? [] : [['f', file('f', version)]]);

describe('a file of a merge', () => {
  it.each<[string, before: Version, ours: Version, theirs: Version, merged: Version, both: boolean]>([
    ['nobody changed', 'a', 'a', 'a', 'a', false],
    ['the head changed', 'a', 'b', 'a', 'b', false],
    ['the base changed', 'a', 'a', 'b', 'b', false],
    ['both changed in the same way', 'a', 'b', 'b', 'b', false],
    ['both changed', 'a', 'b', 'c', 'b', true],
    ['the head added', null, 'a', null, 'a', false],
    ['the base added', null, null, 'a', 'a', false],
    ['both added in the same way', null, 'a', 'a', 'a', false],
    ['both added', null, 'a', 'b', 'a', true],
    ['the head deleted', 'a', null, 'a', null, false],
    ['the base deleted', 'a', 'a', null, null, false],
    ['both deleted', 'a', null, null, null, false],
    ['the head deleted and the base changed', 'a', null, 'b', null, true],
    ['the head changed and the base deleted', 'a', 'b', null, 'b', true],
    ['the head made executable', 'a', 'a*', 'a', 'a*', false],
    ['the head made executable and the base changed', 'a', 'a*', 'b', 'a*', true],
  ])('that %s is of the right side', (_, before, ours, theirs, merged, both) => {
    const base = tree(theirs);
    const found = mergeByFile({ ours: tree(ours), theirs: base, ancestor: tree(before) });
    const onTheirs = found.onTheirs.get('f');
    const result = onTheirs === undefined ? (base.get('f') ?? null) : onTheirs;
    expect(result).toEqual(tree(merged).get('f') ?? null);
    expect(found.both.has('f')).toBe(both);
  });
});
