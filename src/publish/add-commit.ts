/** Adds a commit to the branch of an existing pull request: looks, moves the branch, looks again. */
import type { PullRequestRef } from '../core/task.ts';
import { unlessMissing } from '../github/client.ts';
import { inSameRepository, pullSchema, type PullRequest } from '../github/pull-request.ts';
import { advanceBranch, branchHead, ownCommitUnder, type Publishing } from './branches.ts';
import { decideContinuation, movedBranch, protectedBranch, type Detour } from './continuation.ts';
import { touchedFiles } from './touched-files.ts';

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
  /** A pull request that takes no commit any more; its branch got the task's commit too late. */
  readonly isLate: boolean;
}

/**
 * Reads the pull request and looks for the task's commit: in an open one, on the branch, which is ahead by
 * seconds; in a closed one, at its last head. `known`: the commit, if this attempt has made it. Reads the
 * branch first: what it has then is part of a pull request that is open afterwards.
 */
export async function lookAt(
  publishing: Publishing,
  continues: PullRequestRef,
  known: string | null = null,
): Promise<Look> {
  const { client, at, input } = publishing;
  const before = await branchHead(publishing, continues.headRef);
  const found = await unlessMissing(
    client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', { ...at, pull_number: continues.number }),
  );
  const pull = found === null ? null : pullSchema.parse(found.data);
  if (pull === null || !inSameRepository(pull, input.facts))
    return { pull, branchHead: null, added: null, isLate: false };
  const isRenamed = pull.head.ref !== continues.headRef;
  const current = isRenamed ? await branchHead(publishing, pull.head.ref) : before;
  const head = pull.state === 'open' ? (current ?? pull.head.sha) : pull.head.sha;
  const commit = await ownCommitIn(publishing, head, known);
  const isLate =
    commit === null &&
    head !== current &&
    current !== null &&
    (await ownCommitIn(publishing, current, known)) !== null;
  return { pull, branchHead: current, added: commit === null ? null : { pull, commit, head }, isLate };
}

async function ownCommitIn(
  publishing: Publishing,
  head: string,
  known: string | null,
): Promise<string | null> {
  if (head === publishing.input.change.base) return null;
  return head === known ? known : await ownCommitUnder(publishing, head);
}

/** Where no commit could be added to the pull request. */
export interface NotAdded {
  readonly detour: Detour;
  readonly isLate: boolean;
}

/** `first`: an earlier look. `commitOnto` writes the task's commit, which depends on its parent alone. */
export async function addCommit(
  publishing: Publishing,
  continues: PullRequestRef,
  first: Look,
  commitOnto: (parent: string) => Promise<string>,
): Promise<{ readonly added: Added } | NotAdded> {
  const { facts, change } = publishing.input;
  const decide = (look: Look) => decideContinuation({ facts, base: change.base, ...look });
  let look = first;
  let refusal: Error | null = null;
  for (let looks = 1; looks <= maxLooks; looks += 1) {
    if (look.added !== null) return { added: look.added };
    const decided = decide(look);
    if (decided.kind === 'detour') return { detour: decided.detour, isLate: look.isLate };
    const { pull, onto } = decided;
    if (decided.kind === 'reapply') {
      const touched = await touchedFiles(publishing, onto);
      if (touched === null || touched.length > 0)
        return { detour: movedBranch(pull, facts, touched), isLate: false };
    }
    const commit = await commitOnto(onto);
    // Writing a large change takes seconds, in which the pull request can be merged or its branch move.
    look = await lookAt(publishing, continues, commit);
    const again = decide(look);
    if (look.added !== null || again.kind === 'detour' || again.onto !== onto) continue;
    const result = await advanceBranch(publishing, pull.head.ref, commit);
    if (result.kind === 'forbidden') return { detour: protectedBranch(pull, facts, result), isLate: false };
    refusal = result.kind === 'moved' ? result.refusal : null;
    // Look again in any case. The pull request may have been closed or merged just before the branch moved;
    // and if the branch did not move, another attempt of this task may be moving it to this commit.
    look = await lookAt(publishing, continues, commit);
  }
  if (look.added !== null) return { added: look.added };
  if (refusal !== null) throw refusal;
  throw new Error(`GitHub does not move the branch ${continues.headRef}, although it is where it was`);
}
