/** The pull request that a task opens from a branch of its own: found again, opened, and a review asked for. */
import * as z from 'zod';
import type { PullRequestRef } from '../core/task.ts';
import { GithubRefusal } from '../github/client.ts';
import { taskMarker } from '../github/progress-comment.ts';
import { pullRequestRef, pullSchema, type PullRequest } from '../github/pull-request.ts';
import { isLogin } from '../github/write-permission.ts';
import type { Head, Publishing } from './branches.ts';
import type { Detour } from './continuation.ts';
import { pullRequestBody, pullRequestTitle } from './pull-request-text.ts';

export type Log = (event: string, fields: Record<string, unknown>) => void;

/** A pull request that an earlier attempt opened from this branch, in whatever state people have put it since. */
export async function findPullRequest(publishing: Publishing, branch: string): Promise<PullRequest | null> {
  const marker = taskMarker(publishing.input.request.taskId);
  const pulls = await pullRequestsFrom(publishing, branch);
  return pulls.find((pull) => (pull.body ?? '').trimEnd().endsWith(marker)) ?? null;
}

async function pullRequestsFrom({ client, at }: Publishing, branch: string): Promise<PullRequest[]> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/pulls', {
    ...at,
    head: `${at.owner}:${branch}`,
    state: 'all',
  });
  // GitHub ignores a filter that it does not understand, and then lists everything.
  return z
    .array(pullSchema)
    .parse(data)
    .filter((pull) => pull.head.ref === branch);
}

/**
 * Opens it and asks for a review, or finds the one that another attempt has just opened and leaves the asking to that one.
 * `detour`: it should have been a commit on another pull request, but could not be.
 */
export async function openPullRequest(
  publishing: Publishing,
  head: Head,
  detour: Detour | null,
  log: Log,
): Promise<PullRequestRef> {
  const bases = detour?.bases ?? [publishing.input.baseBranch];
  for (const [index, base] of bases.entries()) {
    try {
      const { pull, opened } = await openOnto(publishing, head, base, detour);
      if (opened) await askForReview(publishing, pull, log);
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
  head: Head,
  base: string,
  detour: Detour | null,
): Promise<{ readonly pull: PullRequest; readonly opened: boolean }> {
  const { client, at, input } = publishing;
  const open = async (draft: boolean): Promise<{ pull: PullRequest; opened: boolean }> => {
    const { data } = await client.request('POST /repos/{owner}/{repo}/pulls', {
      ...at,
      title: pullRequestTitle(input),
      body: pullRequestBody(input, detour),
      head: head.branch,
      base,
      draft,
    });
    return { pull: pullSchema.parse(data), opened: true };
  };
  try {
    return await open(input.draft);
  } catch (error) {
    if (!(error instanceof GithubRefusal) || error.status !== 422) throw error;
    if (/already exists/i.test(error.details)) {
      const pull = (await pullRequestsFrom(publishing, head.branch)).find(({ state }) => state === 'open');
      if (pull !== undefined) return { pull, opened: false };
    }
    // Private repositories of free plans have no drafts; the remarks are in the body either way.
    if (input.draft && /draft/i.test(error.details)) return await open(false);
    throw error;
  }
}

/**
 * Asks the person named in the input. Best effort: nobody's change waits for it, and GitHub refuses whoever is no
 * collaborator. On a pull request that an earlier attempt opened, only while nothing has happened to it since: GitHub
 * forgets a request once it is answered, and asking again would call the same person twice.
 */
export async function askForReview(
  { client, at, input }: Publishing,
  pull: PullRequest,
  log: Log,
): Promise<void> {
  const { reviewer } = input;
  if (reviewer === null || !isLogin(reviewer)) return;
  const asked = (pull.requested_reviewers ?? []).some(
    ({ login }) => login.toLowerCase() === reviewer.toLowerCase(),
  );
  if (asked || pull.state !== 'open' || pull.updated_at !== pull.created_at) return;
  try {
    await client.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers', {
      ...at,
      pull_number: pull.number,
      reviewers: [reviewer],
    });
  } catch (error) {
    const status = error instanceof GithubRefusal ? error.status : null;
    log('review.not_requested', { taskId: input.request.taskId, pullRequest: pull.number, status });
  }
}
