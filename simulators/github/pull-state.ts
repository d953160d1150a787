/** A pull request's content: it follows its branches while open; deleting the head closes it. */
import type { PullTotals } from './documents/pull-document.ts';
import { differences, lineCounts, type FileDifference } from './differences.ts';
import type { CommitObject } from './git-repository.ts';
import { timestamp, type Issue, type Pull, type Repository } from './store.ts';

export async function refreshPull(repository: Repository, issue: Issue, pull: Pull): Promise<void> {
  if (issue.state === 'closed') return;
  const [head, base] = await Promise.all([
    // The simulator cannot push to a fork, so its head does not move.
    pull.fork === null ? repository.git.headOf(pull.headRef) : pull.headSha,
    repository.git.headOf(pull.baseRef),
  ]);
  if (base !== null) pull.baseSha = base;
  if (head === null) {
    issue.state = 'closed';
    issue.closedAt = timestamp();
  } else if (head !== pull.headSha) {
    pull.headSha = head;
    issue.updatedAt = timestamp();
  }
}

/** The changes since the merge base: GitHub's three-dot comparison. */
export async function pullFiles(repository: Repository, pull: Pull): Promise<readonly FileDifference[]> {
  const from = await repository.git.mergeBase(pull.baseSha, pull.headSha);
  return differences(repository.git, from, pull.headSha);
}

/** The commits of a pull request, oldest first, at most 250 as on GitHub. */
export async function pullCommits(repository: Repository, pull: Pull): Promise<readonly CommitObject[]> {
  return (await repository.git.commits(pull.headSha, pull.baseSha, 250)).toReversed();
}

export async function pullTotals(repository: Repository, pull: Pull): Promise<PullTotals> {
  const { git } = repository;
  const from = await git.mergeBase(pull.baseSha, pull.headSha);
  const [lines, commits] = await Promise.all([
    lineCounts(git, from, pull.headSha),
    git.countCommits(pull.baseSha, pull.headSha),
  ]);
  return {
    commits,
    additions: lines.reduce((sum, [additions]) => sum + additions, 0),
    deletions: lines.reduce((sum, [, deletions]) => sum + deletions, 0),
    changedFiles: lines.length,
    mergeable: from === pull.baseSha || (await git.mergedTree(pull.baseSha, pull.headSha)) !== null,
  };
}
