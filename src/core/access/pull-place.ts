/**
 * Decides what a run that was asked for in a pull request starts from, and whether its change may go onto the
 * pull request's head. Pure. `authorize.ts` has decided before whether the person may ask.
 *
 * - The work starts from the head as it is now, and goes onto it as one commit. Publication looks again and
 *   can still be refused, by a protected branch for example.
 * - Nothing is written where Airlock may not write or where a commit would not be reviewed: a fork, the
 *   default or the configured base branch, auto-merge. The change is a patch in the answer.
 * - A closed or merged pull request gets one sentence. Only a question is still answered there.
 */
import type { PullPlace } from '../authorization.ts';
import { reasonOf } from '../reason.ts';
import type { PullRequestRef, PullRequestState, Reason, RepositoryFacts, TaskJob } from '../task.ts';

export interface PullPlaceInput {
  readonly number: number;
  readonly job: TaskJob | undefined;
  /** The requester's `--base`. */
  readonly base: string | undefined;
  readonly facts: Pick<RepositoryFacts, 'defaultBranch'>;
  /** The branch that the configuration starts from; null: the default branch. */
  readonly configuredBase: string | null;
  /** null: it does not exist. */
  readonly state: PullRequestState | null;
  /** Heads of its branches in this repository; null: there is none. A fork's head is not asked for. */
  readonly heads: { readonly head: string | null; readonly base: string | null };
}

export interface WorkInPull {
  readonly kind: 'work';
  readonly pull: PullPlace;
  /** What is checked out. */
  readonly start: { readonly branch: string; readonly sha: string };
  /** The pull request that gets the commit; null if nothing is written. */
  readonly continues: PullRequestRef | null;
  readonly readOnly: string | null;
}
export type PullVerdict = WorkInPull | { readonly kind: 'refused'; readonly reason: Reason };

const refused = (reason: Reason): PullVerdict => ({ kind: 'refused', reason });

export const questionIsReadOnly = 'A question changes nothing.';

export function placeInPull(input: PullPlaceInput): PullVerdict {
  const { job, state, heads } = input;
  const number = String(input.number);
  if (state === null) return refused(reasonOf('pull-request-gone', { number }));
  if (input.base !== undefined) return refused(reasonOf('base-in-pull-request'));
  if (job !== 'question' && !state.open)
    return refused(reasonOf(state.merged ? 'pull-request-merged' : 'pull-request-closed', { number }));

  const fork = !state.sameRepository;
  const { headRef, headSha } = state.pullRequest;
  // GitHub closes a pull request whose branch is deleted; it can be open for a moment.
  if (job !== 'question' && !fork && heads.head === null) return refused(reasonOf('branch-gone', { number }));
  const readOnly = whyReadOnly(input, state);
  if (job === 'resolve-conflicts' && readOnly !== null)
    return refused(reasonOf('pull-request-read-only', { why: readOnly }));
  if (readOnly !== null && state.locked)
    return refused(reasonOf('conversation-locked.here', { why: readOnly }));
  const sha = (fork ? null : heads.head) ?? headSha;
  const { title, url, draft } = state.pullRequest;
  return {
    kind: 'work',
    pull: {
      number: input.number,
      title,
      url,
      draft,
      author: state.author,
      baseBranch: state.baseBranch,
      baseSha: heads.base ?? state.baseSha,
      headRef,
      headSha: sha,
      fork,
    },
    // The name of a fork's branch can be that of one of ours.
    start: { branch: fork ? `pull/${number}/head` : headRef, sha },
    continues: readOnly === null ? { ...state.pullRequest, headSha: sha } : null,
    readOnly,
  };
}

/** null: a commit may go onto its head. */
function whyReadOnly(
  { number, job, facts, configuredBase }: PullPlaceInput,
  { sameRepository, pullRequest: { headRef }, autoMerge }: PullRequestState,
): string | null {
  if (job === 'question') return questionIsReadOnly;
  const branch = `The branch of pull request ${number}`;
  if (!sameRepository) return `${branch} is in another repository, to which Airlock does not write.`;
  if (headRef === facts.defaultBranch || headRef === configuredBase)
    return `${branch} is one that others start from, so Airlock does not push to it without a review.`;
  if (autoMerge)
    return `Auto-merge is enabled on pull request ${number}, so a commit would be merged without a review.`;
  return null;
}
