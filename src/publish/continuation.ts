/**
 * May a commit go onto the branch of a pull request that is there already? Pure. Where it may not, the work becomes a pull
 * request of its own, which says why: it is never lost, and nothing of anybody's is overwritten.
 *
 * The default is the pull request of its own: only a branch that is ours to write, still belongs to an open pull request and
 * is exactly where the sandbox started from gets the commit.
 */
import type { RepositoryFacts } from '../core/task.ts';
import { inSameRepository, type PullRequest } from '../github/pull-request.ts';

export interface ContinuationInput {
  readonly facts: Pick<RepositoryFacts, 'repositoryId' | 'defaultBranch'>;
  /** The commit that the sandbox started from. */
  readonly base: string;
  /** The pull request as it is now; null when there is none of that number any more. */
  readonly pull: PullRequest | null;
  /** Where its branch is now; null when it is gone or not in this repository. */
  readonly branchHead: string | null;
}

export interface Detour {
  /** End of the note on the pull request of its own; ours, so that it is not escaped. */
  readonly why: string;
  /** Branches to open it against: the first that is still there. */
  readonly bases: readonly string[];
}

export type Continuation =
  | { readonly kind: 'add'; readonly pull: PullRequest }
  | { readonly kind: 'detour'; readonly detour: Detour };

export function decideContinuation({ facts, base, pull, branchHead }: ContinuationInput): Continuation {
  if (pull === null) return detour('it is no longer there', [facts.defaultBranch]);
  const below = [pull.base.ref, facts.defaultBranch];
  // Before anything about its branch: in a fork it may be called like a branch of ours.
  if (!inSameRepository(pull, facts)) {
    return detour('its branch lies in another repository, where nothing is written', below);
  }
  if (pull.merged_at != null) {
    return detour('it was merged meanwhile, so that some of its commits may show here once more', below);
  }
  if (pull.state !== 'open') return detour('it was closed meanwhile', below);
  const branch = pull.head.ref;
  if (branch === facts.defaultBranch) {
    return detour('its branch is the repository’s default branch, which nothing is pushed to', [branch]);
  }
  if (branchHead === null) return detour('its branch was deleted meanwhile', below);
  // A base that is gone when it comes to opening (merged and tidied up a moment later) gives way to the next one.
  const into = [branch, ...below];
  if (branchHead !== base) {
    return detour('somebody pushed to its branch meanwhile; nothing of that was overwritten', into);
  }
  if (pull.auto_merge != null) {
    return detour(
      'it is set to be merged by itself, and nobody would have looked at this part before that',
      into,
    );
  }
  return { kind: 'add', pull };
}

/** For a branch that GitHub does not let the App push to; that shows only when it is tried. */
export function protectedBranch(pull: PullRequest, { facts }: Pick<ContinuationInput, 'facts'>): Detour {
  return {
    why: 'the rules of its branch do not let the App push to it',
    bases: [pull.head.ref, pull.base.ref, facts.defaultBranch],
  };
}

function detour(why: string, bases: readonly string[]): Continuation {
  return { kind: 'detour', detour: { why, bases: [...new Set(bases)] } };
}
