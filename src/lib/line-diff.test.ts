import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { diffLines, linesOf, type LineEdit } from './line-diff.ts';

const side = (edits: readonly LineEdit[], other: LineEdit['kind']): string =>
  edits.flatMap(({ kind, line }) => (kind === other ? [] : [line])).join('');
const sums = (edits: readonly LineEdit[]) => ({
  inserted: edits.filter(({ kind }) => kind === 'insert').length,
  deleted: edits.filter(({ kind }) => kind === 'delete').length,
});

/** Length of the longest common subsequence, the slow and obvious way. */
function commonLines(a: readonly string[], b: readonly string[]): number {
  const rows = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (const [i, one] of a.entries())
    for (const [j, other] of b.entries()) {
      const next = rows[i + 1] ?? [];
      next[j + 1] = one === other ? (rows[i]?.[j] ?? 0) + 1 : Math.max(rows[i]?.[j + 1] ?? 0, next[j] ?? 0);
    }
  return rows[a.length]?.[b.length] ?? 0;
}

it('turns one text into the other with as few lines as possible', () => {
  const text = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', 'd'), { maxLength: 30 });
  fc.assert(
    fc.property(text, text, (one, other) => {
      const [before, after] = [linesOf(one.join('')), linesOf(other.join(''))];
      const edits = diffLines(before, after);
      expect(side(edits, 'insert')).toBe(one.join(''));
      expect(side(edits, 'delete')).toBe(other.join(''));
      const common = commonLines(before, after);
      expect(sums(edits)).toEqual({ inserted: after.length - common, deleted: before.length - common });
    }),
  );
});

it('counts texts that differ almost everywhere as replaced', () => {
  const before = Array.from({ length: 9000 }, (_, index) => `old ${index}\n`);
  const after = Array.from({ length: 9000 }, (_, index) => `new ${index}\n`);
  expect(sums(diffLines(before, after))).toEqual({ inserted: 9000, deleted: 9000 });
  expect(sums(diffLines(before, before))).toEqual({ inserted: 0, deleted: 0 });
});
