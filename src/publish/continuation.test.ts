import { describe, expect, it } from 'vitest';
import type { PullRequest } from '../github/pull-request.ts';
import { decideContinuation, type ContinuationInput } from './continuation.ts';

const base = 'a'.repeat(40);
const other = 'b'.repeat(40);
const pull: PullRequest = {
  number: 7,
  title: 'First',
  html_url: 'https://github.com/acme/split/pull/7',
  state: 'open',
  created_at: '2026-11-20T10:00:00Z',
  updated_at: '2026-11-20T10:00:00Z',
  head: { ref: 'airlock/first', sha: base, repo: { id: 5 } },
  base: { ref: 'release' },
  auto_merge: null,
};
const decide = (changes: Partial<ContinuationInput>): ReturnType<typeof decideContinuation> =>
  decideContinuation({
    facts: { repositoryId: 5, defaultBranch: 'main' },
    base,
    pull,
    branchHead: base,
    ...changes,
  });

describe('decideContinuation', () => {
  it('adds to the branch of an open pull request that is where the sandbox started', () => {
    expect(decide({})).toEqual({ kind: 'add', pull });
  });

  it('trusts the branch, not the head that the pull request reports a moment later', () => {
    expect(decide({ pull: { ...pull, head: { ...pull.head, sha: other } } }).kind).toBe('add');
  });

  it.each<[string, Partial<ContinuationInput>, RegExp, string[]]>([
    ['there is no pull request', { pull: null }, /no longer exists/, ['main']],
    [
      'it comes from a fork',
      { pull: { ...pull, head: { ...pull.head, repo: { id: 6 } } } },
      /another repository/,
      ['release', 'main'],
    ],
    [
      'it came from a fork that was deleted',
      { pull: { ...pull, head: { ...pull.head, repo: null } } },
      /another repository/,
      ['release', 'main'],
    ],
    [
      'GitHub does not say where it comes from',
      { pull: { ...pull, head: { ref: 'airlock/first', sha: base } } },
      /another repository/,
      ['release', 'main'],
    ],
    [
      'it was merged',
      { pull: { ...pull, state: 'closed', merged_at: '2026-11-20T11:00:00Z' } },
      /merged in the meantime/,
      ['release', 'main'],
    ],
    ['it was closed', { pull: { ...pull, state: 'closed' } }, /closed in the meantime/, ['release', 'main']],
    ['it is in an unknown state', { pull: { ...pull, state: 'locked' } }, /closed/, ['release', 'main']],
    [
      'its branch is the default branch',
      { pull: { ...pull, head: { ...pull.head, ref: 'main' } } },
      /default branch/,
      ['main'],
    ],
    ['its branch is gone', { branchHead: null }, /deleted/, ['release', 'main']],
    [
      'its branch has moved',
      { branchHead: other },
      /pushed to its branch/,
      ['airlock/first', 'release', 'main'],
    ],
    [
      'auto-merge is enabled',
      { pull: { ...pull, auto_merge: { merge_method: 'squash' } } },
      /auto-merge/,
      ['airlock/first', 'release', 'main'],
    ],
    [
      'its base is the default branch, which is then listed once',
      { branchHead: other, pull: { ...pull, base: { ref: 'main' } } },
      /pushed/,
      ['airlock/first', 'main'],
    ],
  ])('makes a new pull request if %s', (_, changes, why, bases) => {
    expect(decide(changes)).toEqual({ kind: 'detour', detour: { why: expect.stringMatching(why), bases } });
  });
});
