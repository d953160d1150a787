/** Has GitHub merge the base branch into a pull request's head, which succeeds only without a conflict. */
import * as z from 'zod';
import type { CleanMerge, CleanMergeInput } from '../core/ports/publication.ts';
import { GithubRefusal, type GithubClient } from '../github/client.ts';
import { branchHead, ownCommitUnder, type MadeCommit } from './branches.ts';
import { commitMessage } from './git-commit.ts';

const commitSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });
const comparedSchema = z.object({ merge_base_commit: commitSchema });

/** A second attempt finds the commit of the first by its message. */
export async function mergeCleanly(client: GithubClient, input: CleanMergeInput): Promise<CleanMerge> {
  const { facts, policy, request, pull } = input;
  const at = { owner: facts.owner, repo: facts.name };
  const makesChange = async ({ parents }: MadeCommit) => parents.length === 2 && parents[1] === pull.baseSha;
  const own = async (): Promise<CleanMerge | null> => {
    const head = await branchHead({ client, at }, pull.headRef);
    const input = { request, change: { base: pull.headSha } };
    const commit = head === null ? null : await ownCommitUnder({ client, at, input, makesChange }, head);
    return commit === null ? null : { kind: 'merged', commit };
  };
  const made = await own();
  if (made !== null) return made;
  const title = `Merge ${pull.baseBranch} into ${pull.headRef}`;
  try {
    const { data, status } = await client.request('POST /repos/{owner}/{repo}/merges', {
      ...at,
      base: pull.headRef,
      head: pull.baseSha,
      commit_message: commitMessage({ title, summary: '' }, request, policy.commit.signOff),
    });
    if (status === 201) return { kind: 'merged', commit: commitSchema.parse(data).sha };
    return (await own()) ?? { kind: 'contained' };
  } catch (error) {
    if (!(error instanceof GithubRefusal && error.status === 409 && /conflict/i.test(error.details)))
      throw error;
  }
  const { data } = await client.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
    ...at,
    basehead: `${pull.baseSha}...${pull.headSha}`,
    per_page: 1,
  });
  return { kind: 'conflict', ancestor: comparedSchema.parse(data).merge_base_commit.sha };
}
