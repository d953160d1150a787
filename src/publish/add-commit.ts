/** Adds a commit to the branch of an existing pull request: looks, moves the branch, looks again. */
import type { PullRequestRef } from '../core/task.ts';
import { unlessMissing } from '../github/client.ts';
import { inSameRepository, pullSchema, type PullRequest } from '../github/pull-request.ts';
import { advanceBranch, branchHead, ownCommitUnder, type Publishing } from './branches.ts';
import { decideContinuation, protectedBranch, type Detour } from './continuation.ts';

/** Per attempt. A branch settles in well under a second; the next attempt does the rest. */
const maxLooks = 3;

/** A pull request that has the task's commit, from this attempt or an earlier one. */
export interface Added {
  readonly pull: PullRequest;
  /** The task's commit. */
  readonly commit: string;
  /** The branch's head: the commit, or what people have added on top of it. */
  readonly head: string;
}

export interface Look {
  readonly pull: PullRequest | null;
  readonly branchHead: string | null;
  /** null: the task's commit is not there. */
  readonly added: Added | null;
}

/**
 * Reads the pull request and looks for the task's commit: in an open one, on the branch, which is ahead by
 * seconds; in a closed one, at its last head. `known`: the commit, if this attempt has made it.
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
  const current = await branchHead(publishing, pull.head.ref);
  const head = pull.state === 'open' ? (current ?? pull.head.sha) : pull.head.sha;
  const commit = await ownCommitIn(publishing, head, known);
  return { pull, branchHead: current, added: commit === null ? null : { pull, commit, head } };
}

async function ownCommitIn(
  publishing: Publishing,
  head: string,
  known: string | null,
): Promise<string | null> {
  if (head === publishing.input.change.base) return null;
  return head === known ? known : await ownCommitUnder(publishing, head);
}

/** `first`: a look taken while the commit was made. */
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
    // Look again in any case. The pull request may have been closed or merged just before the branch moved;
    // and if the branch did not move, another attempt of this task may be moving it to this commit.
    look = await lookAt(publishing, continues, commit);
  }
  if (look.added !== null) return { added: look.added };
  throw new Error(`GitHub does not move the branch ${continues.headRef}, although it is where it was`);
}
