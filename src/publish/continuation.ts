/**
 * Decides whether a commit may go onto an existing branch: only if it is in this repository, belongs to an
 * open pull request, and nobody has changed the same files since the sandbox started. An obstacle becomes a
 * new pull request that says why, or, for a task that was asked in the pull request, a sentence and a patch.
 */
import { reasonOf } from '../core/reason.ts';
import type { Reason, RepositoryFacts } from '../core/task.ts';
import { codeSpan } from '../github/markdown.ts';
import { inSameRepository, type PullRequest } from '../github/pull-request.ts';

export interface ContinuationInput {
  readonly facts: Pick<RepositoryFacts, 'repositoryId' | 'defaultBranch'>;
  /** The commit that the sandbox started from. */
  readonly base: string;
  /** The pull request as it is now; null if it no longer exists. */
  readonly pull: PullRequest | null;
  /** The current head of its branch; null if the branch is gone or in another repository. */
  readonly branchHead: string | null;
}

/** Why it is no commit: the middle of a sentence. `reasons.ts` has what to do next, where it is a patch. */
const obstacles = {
  'pull-request-gone': 'it no longer exists',
  'pull-request-from-fork': 'its branch is in another repository, to which Airlock does not write',
  'pull-request-merged': 'it was merged in the meantime',
  'pull-request-closed': 'it was closed in the meantime',
  'head-is-default-branch': 'its branch is the repository’s default branch, to which Airlock does not push',
  'branch-deleted': 'its branch was deleted in the meantime',
  'branch-moved': 'somebody pushed to its branch in the meantime; nothing was overwritten',
  'auto-merge-enabled': 'auto-merge is enabled on it, so this part would be merged without a review',
  'branch-protected': 'the rules of its branch do not let the App push to it',
} as const;
type Obstacle = keyof typeof obstacles;

export interface Detour {
  readonly code: Obstacle;
  /** The middle of a sentence: our own text, and file names as inline code. */
  readonly why: string;
  /** Branches to open a new pull request against; the first that still exists counts. */
  readonly bases: readonly string[];
  /** GitHub's own refusal, with its remedy. */
  readonly refusal?: Reason;
}

export type Continuation =
  | { readonly kind: 'add'; readonly pull: PullRequest; readonly onto: string }
  /** The branch has moved to `onto`: the change applies if nobody has touched a file of it. */
  | { readonly kind: 'reapply'; readonly pull: PullRequest; readonly onto: string }
  | { readonly kind: 'detour'; readonly detour: Detour };

export function decideContinuation({ facts, base, pull, branchHead }: ContinuationInput): Continuation {
  if (pull === null) return detour('pull-request-gone', [facts.defaultBranch]);
  const below = [pull.base.ref, facts.defaultBranch];
  // Checked before the branch, because a fork's branch may have the name of one of ours.
  if (!inSameRepository(pull, facts)) return detour('pull-request-from-fork', below);
  if (pull.merged_at != null) return detour('pull-request-merged', below);
  if (pull.state !== 'open') return detour('pull-request-closed', below);
  const branch = pull.head.ref;
  if (branch === facts.defaultBranch) return detour('head-is-default-branch', [branch]);
  if (branchHead === null) return detour('branch-deleted', below);
  // If the first base is deleted before the pull request is opened, the next one is used.
  if (pull.auto_merge != null) return detour('auto-merge-enabled', [branch, ...below]);
  return { kind: branchHead === base ? 'add' : 'reapply', pull, onto: branchHead };
}

/** For a branch that GitHub does not let the App push to, which only an attempt shows. */
export function protectedBranch(
  pull: PullRequest,
  facts: ContinuationInput['facts'],
  { reason, words }: { readonly reason: Reason; readonly words: string },
): Detour {
  const found = detourFrom('branch-protected', [pull.head.ref, pull.base.ref, facts.defaultBranch]);
  const shown = codeSpan(words.replace(/^Repository rule violations found: /, ''));
  return { ...found, why: `${found.why} (${shown})`, refusal: reason };
}

/** For a branch on which others changed the same files. `touched`: null if there is too much to compare. */
export function movedBranch(
  pull: PullRequest,
  facts: ContinuationInput['facts'],
  touched: readonly string[] | null,
): Detour {
  const found = detourFrom('branch-moved', [pull.head.ref, pull.base.ref, facts.defaultBranch]);
  if (touched === null) return found;
  const names = touched.slice(0, 3).map((path) => `\`${path.slice(0, 120).replaceAll('`', '')}\``);
  const more = touched.length > names.length ? [`${touched.length - names.length} more`] : [];
  const files = [...names, ...more].join(', ');
  return {
    ...found,
    why: `somebody changed ${files} on its branch in the meantime; nothing was overwritten`,
  };
}

const notAdded = 'No commit was added to this pull request';

/** What is said where it was asked. `isLate`: the commit got onto the branch at the same moment. */
export function unwrittenReason({ code, why, refusal }: Detour, isLate: boolean): Reason {
  if (refusal !== undefined)
    return {
      ...refusal,
      message: `${notAdded}. ${refusal.message}`,
      next: `${refusal.next} Or apply the patch.`,
    };
  const said = isLate
    ? `The commit reached the branch of this pull request too late: ${why}.`
    : `${notAdded}: ${why}.`;
  return reasonOf(`${code}.meanwhile`, { said });
}

function detour(code: Obstacle, bases: readonly string[]): Continuation {
  return { kind: 'detour', detour: detourFrom(code, bases) };
}

function detourFrom(code: Obstacle, bases: readonly string[]): Detour {
  return { code, why: obstacles[code], bases: [...new Set(bases)] };
}
