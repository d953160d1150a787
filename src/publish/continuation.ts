/**
 * Decides whether a commit may go onto an existing branch: only if it is in this repository, belongs to an
 * open pull request and is exactly where the sandbox started. Else a new pull request says why, and no work
 * is lost.
 */
import type { RepositoryFacts } from '../core/task.ts';
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

export interface Detour {
  /** Ends the note on the new pull request. Our own text, so it is not escaped. */
  readonly why: string;
  /** Branches to open it against; the first that still exists counts. */
  readonly bases: readonly string[];
}

export type Continuation =
  | { readonly kind: 'add'; readonly pull: PullRequest }
  | { readonly kind: 'detour'; readonly detour: Detour };

export function decideContinuation({ facts, base, pull, branchHead }: ContinuationInput): Continuation {
  if (pull === null) return detour('it no longer exists', [facts.defaultBranch]);
  const below = [pull.base.ref, facts.defaultBranch];
  // Checked before the branch, because a fork's branch may have the name of one of ours.
  if (!inSameRepository(pull, facts)) {
    return detour('its branch is in another repository, to which Airlock does not write', below);
  }
  if (pull.merged_at != null) {
    return detour('it was merged in the meantime, so some of its commits may appear here again', below);
  }
  if (pull.state !== 'open') return detour('it was closed in the meantime', below);
  const branch = pull.head.ref;
  if (branch === facts.defaultBranch) {
    return detour('its branch is the repository’s default branch, to which Airlock does not push', [branch]);
  }
  if (branchHead === null) return detour('its branch was deleted in the meantime', below);
  // If the first base is deleted before the pull request is opened, the next one is used.
  const into = [branch, ...below];
  if (branchHead !== base) {
    return detour('somebody pushed to its branch in the meantime; nothing was overwritten', into);
  }
  if (pull.auto_merge != null) {
    return detour('auto-merge is enabled on it, so this part would be merged without a review', into);
  }
  return { kind: 'add', pull };
}

/** For a branch that GitHub does not let the App push to, which only an attempt shows. */
export function protectedBranch(pull: PullRequest, { facts }: Pick<ContinuationInput, 'facts'>): Detour {
  return {
    why: 'the rules of its branch do not let the App push to it',
    bases: [pull.head.ref, pull.base.ref, facts.defaultBranch],
  };
}

function detour(why: string, bases: readonly string[]): Continuation {
  return { kind: 'detour', detour: { why, bases: [...new Set(bases)] } };
}
