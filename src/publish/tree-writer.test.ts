import { describe, expect, it } from 'vitest';
import { treeCalls } from './tree-writer.ts';

type Entry = Parameters<typeof treeCalls>[0][number];
const text = (path: string, content = 'x'): Entry => ({ path, mode: '100644', type: 'blob', content });
const gone = (path: string): Entry => ({ path, mode: '100644', type: 'blob', sha: null });
const calls = (...entries: Entry[]): string[][] =>
  treeCalls(entries).map((call) => call.map(({ path }) => path));

describe('treeCalls', () => {
  it('puts a small change into one call', () => {
    expect(calls(text('a'), gone('b'), text('c'))).toEqual([['b', 'a', 'c']]);
  });
  it('deletes first if a file becomes a folder or a folder a file', () => {
    expect(calls(text('a/b'), gone('a'))).toEqual([['a'], ['a/b']]);
    expect(calls(text('d'), gone('d/e/f'), text('z'))).toEqual([['d/e/f'], ['d', 'z']]);
  });
  it('splits a change that is too large for one call', () => {
    const many = Array.from({ length: 1100 }, (_, index) => text(`f${index}`));
    expect(treeCalls(many).map((call) => call.length)).toEqual([500, 500, 100]);
    const large = Array.from({ length: 5 }, (_, index) => text(`f${index}`, 'x'.repeat(500_000)));
    expect(treeCalls(large).map((call) => call.length)).toEqual([4, 1]);
  });
});
