/** Finds or opens the pull request from a task's own branch, labels it and requests its reviews. */
import * as z from 'zod';
import type { PullRequestRef } from '../core/task.ts';
import { GithubRefusal } from '../github/client.ts';
import { taskMarker } from '../github/progress-comment.ts';
import { pullRequestRef, pullSchema, type PullRequest } from '../github/pull-request.ts';
import { ownCommitUnder, type Publishing } from './branches.ts';
import { addLabelsAndReviewers, type Requesting } from './labels-and-reviewers.ts';
import type { Detour } from './continuation.ts';
import { titleOf } from './git-commit.ts';
import { pullRequestBody } from './pull-request-text.ts';

/**
 * Finds the pull request that an earlier attempt opened from this branch, whatever its state: by the marker,
 * which anybody can write, and its author, or by the task's commit if people have edited the body.
 */
export async function findPullRequest(publishing: Publishing, branch: string): Promise<PullRequest | null> {
  const marker = taskMarker(publishing.input.request.taskId);
  const pulls = await pullRequestsFrom(publishing, branch);
  const marked = pulls.filter((pull) => (pull.body ?? '').trimEnd().endsWith(marker));
  const bot = marked.length === 0 ? null : await publishing.bot();
  const own = marked.find(({ user }) => user?.login === bot);
  if (own !== undefined) return own;
  for (const pull of pulls) if ((await ownCommitUnder(publishing, pull.head.sha)) !== null) return pull;
  return null;
}

async function pullRequestsFrom({ client, at }: Publishing, branch: string): Promise<PullRequest[]> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/pulls', {
    ...at,
    head: `${at.owner}:${branch}`,
    state: 'all',
  });
  // Filters again, because GitHub lists everything if it does not understand the filter.
  return z
    .array(pullSchema)
    .parse(data)
    .filter((pull) => pull.head.ref === branch);
}

/** `detour`: why it is no commit on another. A concurrent attempt requests the reviews. */
export async function openPullRequest(
  publishing: Requesting,
  branch: string,
  detour: Detour | null,
): Promise<PullRequestRef> {
  const bases = detour?.bases ?? [publishing.input.baseBranch];
  for (const [index, base] of bases.entries()) {
    try {
      const { pull, opened } = await openOnto(publishing, branch, base, detour);
      if (opened) await addLabelsAndReviewers(publishing, pull);
      return pullRequestRef(pull);
    } catch (error) {
      const gone = error instanceof GithubRefusal && error.status === 422 && error.fields.includes('base');
      if (!gone || index === bases.length - 1) throw error;
    }
  }
  throw new Error('there is no branch to open the pull request against');
}

async function openOnto(
  publishing: Publishing,
  branch: string,
  base: string,
  detour: Detour | null,
): Promise<{ readonly pull: PullRequest; readonly opened: boolean }> {
  const { client, at, input } = publishing;
  const open = async (draft: boolean): Promise<{ pull: PullRequest; opened: boolean }> => {
    const { data } = await client.request('POST /repos/{owner}/{repo}/pulls', {
      ...at,
      title: titleOf(input.answer),
      body: pullRequestBody(input, detour),
      head: branch,
      base,
      draft,
    });
    return { pull: pullSchema.parse(data), opened: true };
  };
  try {
    return await open(input.draft);
  } catch (error) {
    if (!(error instanceof GithubRefusal) || error.status !== 422) throw error;
    // Another attempt has opened it. Since then people may have merged it, or deleted its branch.
    const isRace = error.fields.includes('head') || /already exists/i.test(error.details);
    if (isRace || /no commits between/i.test(error.details)) {
      const pull = await findPullRequest(publishing, branch);
      if (pull !== null) return { pull, opened: false };
      // Deleted before it was opened, or not listed yet: the next attempt sees which.
      if (isRace)
        throw new Error(`the branch ${branch} has changed during its publication`, { cause: error });
    }
    // Private repositories on free plans have no drafts. The body has the remarks in any case.
    if (input.draft && /draft/i.test(error.details)) return await open(false);
    throw error;
  }
}
