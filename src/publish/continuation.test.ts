import { aReason } from '../../test/fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import type { PullRequest } from '../github/pull-request.ts';
import {
  decideContinuation,
  movedBranch,
  protectedBranch,
  unwrittenReason,
  type ContinuationInput,
} from './continuation.ts';

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
  base: { ref: 'release', sha: other },
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
    expect(decide({})).toEqual({ kind: 'add', pull, onto: base });
  });

  it('applies the change again onto a branch that has moved', () => {
    expect(decide({ branchHead: other })).toEqual({ kind: 'reapply', pull, onto: other });
  });

  it('trusts the branch, not the head that the pull request reports a moment later', () => {
    expect(decide({ pull: { ...pull, head: { ...pull.head, sha: other } } }).kind).toBe('add');
  });

  it.each<[string, Partial<ContinuationInput>, string, string[]]>([
    ['there is no pull request', { pull: null }, 'pull-request-gone', ['main']],
    [
      'it comes from a fork',
      { pull: { ...pull, head: { ...pull.head, repo: { id: 6 } } } },
      'pull-request-from-fork',
      ['release', 'main'],
    ],
    [
      'it came from a fork that was deleted',
      { pull: { ...pull, head: { ...pull.head, repo: null } } },
      'pull-request-from-fork',
      ['release', 'main'],
    ],
    [
      'GitHub does not say where it comes from',
      { pull: { ...pull, head: { ref: 'airlock/first', sha: base } } },
      'pull-request-from-fork',
      ['release', 'main'],
    ],
    [
      'it was merged',
      { pull: { ...pull, state: 'closed', merged_at: '2026-11-20T11:00:00Z' } },
      'pull-request-merged',
      ['release', 'main'],
    ],
    ['it was closed', { pull: { ...pull, state: 'closed' } }, 'pull-request-closed', ['release', 'main']],
    [
      'it is in an unknown state',
      { pull: { ...pull, state: 'locked' } },
      'pull-request-closed',
      ['release', 'main'],
    ],
    [
      'its branch is the default branch',
      { pull: { ...pull, head: { ...pull.head, ref: 'main' } } },
      'head-is-default-branch',
      ['main'],
    ],
    ['its branch is gone', { branchHead: null }, 'branch-deleted', ['release', 'main']],
    [
      'auto-merge is enabled',
      { pull: { ...pull, auto_merge: { merge_method: 'squash' } } },
      'auto-merge-enabled',
      ['airlock/first', 'release', 'main'],
    ],
    [
      'auto-merge is enabled, and its branch has moved',
      { branchHead: other, pull: { ...pull, auto_merge: { merge_method: 'squash' } } },
      'auto-merge-enabled',
      ['airlock/first', 'release', 'main'],
    ],
    [
      'its base is the default branch, which is then listed once',
      { branchHead: null, pull: { ...pull, base: { ref: 'main', sha: other } } },
      'branch-deleted',
      ['main'],
    ],
  ])('adds nothing if %s', (_, changes, code, bases) => {
    const decided = decide(changes);
    expect(decided).toEqual({ kind: 'detour', detour: { code, why: expect.any(String), bases } });
    if (decided.kind !== 'detour') return;
    // Where it was asked, people read why, and what they can do with the patch.
    const said = unwrittenReason(decided.detour, false);
    expect(said.code).toBe(code);
    expect(said.message).toMatch(/^No commit was added to this pull request: .+\.$/);
    expect(said.next).toMatch(/patch|issue/);
    expect(unwrittenReason(decided.detour, true).message).toMatch(
      /^The commit reached the branch .* too late: /,
    );
  });
});

it('names what others have changed, as far as there is room', () => {
  const facts = { repositoryId: 5, defaultBranch: 'main' };
  const why = (touched: string[] | null) => movedBranch(pull, facts, touched).why;
  expect(why(null)).toBe('somebody pushed to its branch in the meantime; nothing was overwritten');
  expect(why(['a', '`b`'])).toMatch(/^somebody changed `a`, `b` on its branch/);
  expect(why(['a', 'b', 'c', 'd', 'e'])).toMatch(/^somebody changed `a`, `b`, `c`, 2 more on its branch/);
});

it('says in GitHub’s words what the rules of a branch forbid', () => {
  const reason = aReason('ruleset-history', 'No merges. Rebase it. GitHub says: `No`');
  const words = 'Repository rule violations found: `No`';
  const detour = protectedBranch(pull, { repositoryId: 5, defaultBranch: 'main' }, { reason, words });
  expect(detour.bases).toEqual(['airlock/first', 'release', 'main']);
  expect(detour.why).toBe('the rules of its branch do not let the App push to it (`` `No` ``)');
  expect(unwrittenReason(detour, false)).toEqual({
    ...reason,
    message: `No commit was added to this pull request. ${reason.message}`,
    next: 'Ask again. Or apply the patch.',
  });
});
