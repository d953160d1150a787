import { describe, expect, it } from 'vitest';
import { comparisonSchema, selectChanges } from './pull-changes.ts';

const sha = (n: number): string => n.toString(16).padStart(40, '0');
const commit = (n: number, over: object = {}) => ({
  sha: sha(n),
  commit: { message: `subject ${n}\n\nbody`, author: { name: 'Mona\u202e Lisa' } },
  author: { login: 'mona' },
  ...over,
});
const file = (path: string, patch?: string) => ({
  ['filename']: path,
  status: 'modified',
  additions: 1,
  deletions: 2,
  ...(patch === undefined ? {} : { patch }),
});
const select = (over: object) =>
  selectChanges(comparisonSchema.parse({ total_commits: 0, commits: [], files: [], ...over }));

describe('selectChanges', () => {
  it('has subjects and authors of the newest fifty commits, by name if they have no account', () => {
    const commits = Array.from({ length: 60 }, (_, n) => commit(n, n === 59 ? { author: null } : {}));
    const found = select({ total_commits: 300, commits });
    expect([found?.commits.length, found?.commitsLeftOut]).toEqual([50, 250]);
    expect(found?.commits[0]).toEqual({ sha: sha(10), author: 'mona', subject: 'subject 10' });
    expect(found?.commits.at(-1)?.author).toBe('Mona Lisa');
  });

  it.each([
    ['a short one', '@@\n-a\n+b', '@@\n-a\n+b'],
    ['none, as of a binary file', undefined, null],
    ['hidden characters', '+a\u202eb', '+ab'],
    ['a long one', 'x'.repeat(10_001), `${'x'.repeat(10_000)}\n[the rest is left out here]`],
  ])('has the hunks of a file: %s', (_, patch, shown) => {
    expect(select({ files: [file('a.js', patch)] })?.files).toEqual([
      { path: 'a.js', status: 'modified', additions: 1, deletions: 2, patch: shown },
    ]);
  });

  it('names files without their hunks where there is no room, and counts what it does not name', () => {
    const found = select({
      files: Array.from({ length: 300 }, (_, n) => file(`${n}${'p'.repeat(97)}`, 'y'.repeat(9_000))),
    });
    const patches = (found?.files ?? []).map(({ patch }) => patch?.length ?? 0);
    expect(patches.slice(0, 6)).toEqual([9_000, 9_000, 9_000, 9_000, 4_028, 0]);
    const named = found?.files.length ?? 0;
    expect(named).toBeLessThan(210);
    expect([found?.filesLeftOut, found?.mayHaveMoreFiles]).toEqual([300 - named, true]);
    expect(select({ files: [file('a')] })?.mayHaveMoreFiles).toBe(false);
  });

  it('takes a line break in a name for a space', () => {
    expect(select({ files: [file('a\nb')] })?.files[0]?.path).toBe('a b');
  });
});
