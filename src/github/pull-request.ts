/** Parses a pull request as GitHub's REST API returns it. Decides nothing about what may be done to it. */
import * as z from 'zod';
import type { PullRequestRef, PullRequestState, RepositoryFacts } from '../core/task.ts';

const sha = z.string().regex(/^[0-9a-f]{40}$/);

export const pullSchema = z.object({
  number: z.number().int().positive(),
  title: z.string(),
  html_url: z.url(),
  draft: z.boolean().optional(),
  state: z.string(),
  body: z.string().nullish(),
  merged_at: z.string().nullish(),
  created_at: z.string(),
  updated_at: z.string(),
  /** `repo` is null if the fork was deleted. */
  head: z.object({ ref: z.string(), sha, repo: z.object({ id: z.number().int() }).nullish() }),
  base: z.object({ ref: z.string(), sha }),
  user: z.object({ login: z.string() }).nullish(),
  locked: z.boolean().optional(),
  auto_merge: z.unknown(),
  requested_reviewers: z.array(z.object({ login: z.string() })).nullish(),
  requested_teams: z.array(z.object({ slug: z.string() })).nullish(),
  labels: z.array(z.object({ name: z.string() })).nullish(),
});
/** Its title, body and branch names are untrusted. */
export type PullRequest = z.infer<typeof pullSchema>;

export function pullRequestRef(pull: PullRequest): PullRequestRef {
  return {
    number: pull.number,
    title: pull.title,
    url: pull.html_url,
    headRef: pull.head.ref,
    headSha: pull.head.sha,
    draft: pull.draft ?? false,
  };
}

/** Compares repository ids, because a fork's branch may have the name of one of ours. */
export function inSameRepository(pull: PullRequest, facts: Pick<RepositoryFacts, 'repositoryId'>): boolean {
  return pull.head.repo?.id === facts.repositoryId;
}

export function pullRequestState(
  pull: PullRequest,
  facts: Pick<RepositoryFacts, 'repositoryId'>,
): PullRequestState {
  return {
    pullRequest: pullRequestRef(pull),
    open: pull.state === 'open',
    sameRepository: inSameRepository(pull, facts),
    baseBranch: pull.base.ref,
    baseSha: pull.base.sha,
    merged: pull.merged_at != null,
    locked: pull.locked === true,
    autoMerge: pull.auto_merge != null,
    author: pull.user?.login ?? 'ghost',
  };
}
