/** Saves the check run of a published commit, once for a task, if the App may write checks. */
import * as z from 'zod';
import type { ReceiptCheck } from '../core/ports/publication.ts';
import type { RepositoryFacts } from '../core/task.ts';
import { purposes, type AppTokens } from './app-auth.ts';
import { githubClient, type GithubApi } from './client.ts';
import { createRun, idsOf, pullCommits, receiptsBefore, runsOn } from './receipt-runs.ts';

const installationSchema = z.object({ permissions: z.record(z.string(), z.string()) });

type Deps = GithubApi & { readonly tokens: AppTokens };

/** Asks which permissions the account has granted, so that nothing is tried without this one. */
export async function mayWriteChecks(
  deps: Deps,
  { owner, name }: Pick<RepositoryFacts, 'owner' | 'name'>,
): Promise<boolean> {
  const asApp = githubClient(deps, async () => await deps.tokens.appJwt());
  const { data } = await asApp.request('GET /repos/{owner}/{repo}/installation', { owner, repo: name });
  return installationSchema.parse(data).permissions['checks'] === 'write';
}

/** Rejects on transient errors. */
export async function saveReceiptRun(
  deps: Deps,
  facts: RepositoryFacts,
  taskId: string,
  check: ReceiptCheck & { readonly sha: string },
): Promise<'saved' | 'exists'> {
  const { tokens } = deps;
  const { installationId, repositoryId, owner, name: repo } = facts;
  const scope = { taskId, installationId, repositoryId, permissions: purposes.receipt };
  const client = githubClient(deps, async () => await tokens.tokenFor(scope));
  const place = { client, at: { owner, repo }, appId: tokens.appId };
  const own = (await runsOn(place, check.sha)).some((run) => idsOf(run).taskId === taskId);
  if (own) return 'exists';
  const commits = check.pull === null ? [] : await pullCommits(place, check.pull);
  const { marked } = await receiptsBefore(place, commits, check.sha);
  await createRun(place, { ...check, taskId }, marked);
  return 'saved';
}
