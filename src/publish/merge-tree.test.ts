import { describe, expect, it } from 'vitest';
import { treesOf, type Files } from '../../test/fixtures/tree-listings.ts';
import { entryAt, mergeByFile } from './merge-tree.ts';

async function merged(ancestor: Files, ours: Files, theirs: Files) {
  const { ids, trees } = treesOf(ancestor, ours, theirs);
  const [before = '', head = '', base = ''] = ids;
  const read: string[] = [];
  const readTree = async (sha: string) => (read.push(sha), trees.get(sha) ?? null);
  const found = await mergeByFile({ ours: head, theirs: base, ancestor: before }, readTree);
  return { found, read, readTree, head, base };
}

describe('a file of a merge', () => {
  const one = (version: string | null): Files => (version === null ? {} : { f: version });
  type Version = string | null;
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
    ['the head made executable', 'a', '100755 a', 'a', '100755 a', false],
    ['the head made executable and the base changed', 'a', '100755 a', 'b', '100755 a', true],
    ['both moved the submodule', '160000 a', '160000 b', '160000 c', '160000 b', true],
  ])('that %s is of the right side', async (_, before, ours, theirs, expected, inBoth) => {
    const { found, readTree, head, base } = await merged(one(before), one(ours), one(theirs));
    const change = found?.onTheirs.get('f');
    const result = change === undefined ? await entryAt(readTree, base, 'f') : change;
    const wanted = expected === null ? null : { ...(await entryAt(readTree, head, 'f')) };
    const side = expected === theirs ? await entryAt(readTree, base, 'f') : wanted;
    expect(result).toEqual(expected === null ? null : side);
    expect(found?.both.has('f')).toBe(inBoth);
  });

  it('is looked for only in folders that both sides changed', async () => {
    const before = { 'a/x': '1', 'b/x': '1', 'c/d/x': '1', 'c/d/y': '1', 'gone/x': '1', 'gone/y/z': '1' };
    const ours = { 'a/x': '2', 'b/x': '1', 'c/d/x': '2', 'c/d/y': '1' };
    const theirs = { ...before, 'b/x': '2', 'c/d/y': '2', 'gone/x': '2' };
    const { found, read } = await merged(before, ours, theirs);
    const entries = [...(found?.onTheirs ?? [])].map(
      ([path, entry]) => `${path} ${entry?.type ?? 'deleted'}`,
    );
    expect(entries.toSorted()).toEqual(['a tree', 'c/d/x blob', 'gone/x deleted', 'gone/y/z deleted']);
    expect([...(found?.both.keys() ?? [])]).toEqual(['gone/x']);
    // Three roots, three times `c` and `c/d`, and `gone` and `gone/y` of those that have them.
    expect(read).toHaveLength(13);
  });
});
