/**
 * Puts a commit onto the branch of a pull request that is there already. Whether it may go there is `continuation.ts`'s
 * question; this looks, moves the branch, and looks again when GitHub would not.
 */
import type { PullRequestRef } from '../core/task.ts';
import { unlessMissing } from '../github/client.ts';
import { inSameRepository, pullSchema, type PullRequest } from '../github/pull-request.ts';
import { advanceBranch, branchHead, ownCommitUnder, type Publishing } from './branches.ts';
import { decideContinuation, protectedBranch, type Detour } from './continuation.ts';

/** Looks before it is left to the caller's next attempt: a branch that is being written to settles in well under a second. */
const maxLooks = 3;

/** A pull request that has the task's commit, by this attempt or by an earlier one. */
export interface Added {
  readonly pull: PullRequest;
  /** The task's commit. */
  readonly commit: string;
  /** The branch's head: the commit, or what people have put on top of it since. */
  readonly head: string;
}

export interface Look {
  readonly pull: PullRequest | null;
  readonly branchHead: string | null;
  /** Not null when the task's commit is there. */
  readonly added: Added | null;
}

/**
 * While it is open its branch counts, which the pull request itself may lag behind by seconds; once it is closed or merged,
 * what it ended with: a commit that came onto the branch a moment later is in nobody's pull request.
 * `known`: the task's commit, when this attempt has made it.
 */
export async function lookAt(
  publishing: Publishing,
  continues: PullRequestRef,
  known: string | null = null,
): Promise<Look> {
  const { client, at, input } = publishing;
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...at, pull_number: continues.number }),
  );
  const pull = found === null ? null : pullSchema.parse(found.data);
  if (pull === null || !inSameRepository(pull, input.facts)) return { pull, branchHead: null, added: null };
  const standing = await branchHead(publishing, pull.head.ref);
  const head = pull.state === 'open' ? (standing ?? pull.head.sha) : pull.head.sha;
  const commit = await ownCommitIn(publishing, head, known);
  return { pull, branchHead: standing, added: commit === null ? null : { pull, commit, head } };
}

async function ownCommitIn(
  publishing: Publishing,
  head: string,
  known: string | null,
): Promise<string | null> {
  if (head === publishing.input.change.base) return null;
  return head === known ? known : await ownCommitUnder(publishing, head);
}

/** `first`: a look that was taken while the commit was being made. */
export async function addCommit(
  publishing: Publishing,
  continues: PullRequestRef,
  commit: string,
  first: Look,
): Promise<{ readonly added: Added } | { readonly detour: Detour }> {
  const { facts, change } = publishing.input;
  let look = first;
  for (let looks = 1; looks <= maxLooks; looks += 1) {
    if (look.added !== null) return { added: look.added };
    const decided = decideContinuation({ facts, base: change.base, ...look });
    if (decided.kind === 'detour') return { detour: decided.detour };
    const result = await advanceBranch(publishing, decided.pull.head.ref, commit);
    if (result === 'protected') return { detour: protectedBranch(decided.pull, { facts }) };
    // Looked at again either way: it may have been closed or merged just before the branch was moved; and when it was not
    // moved, another attempt of ours may be moving it to this very commit.
    look = await lookAt(publishing, continues, commit);
  }
  if (look.added !== null) return { added: look.added };
  throw new Error(`GitHub does not move the branch ${continues.headRef}, although it is where it was`);
}
