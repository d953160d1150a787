/**
 * Creates commits with the Git Data API. GitHub signs a commit of the App that names neither author nor
 * committer, so each attempt's commit has another id: later attempts find it by its trailer.
 */
import * as z from 'zod';
import type { Publishing } from './branches.ts';

const createdSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

export async function createCommit(
  { client, at, input }: Pick<Publishing, 'client' | 'at' | 'input'>,
  commit: { readonly message: string; readonly tree: string; readonly parents: readonly string[] },
): Promise<string> {
  const { author } = input.policy.commit;
  const { data } = await client.request('POST /repos/{owner}/{repo}/git/commits', {
    ...at,
    message: commit.message,
    tree: commit.tree,
    parents: [...commit.parents],
    ...(author === null ? {} : { author: { ...author }, committer: { ...author } }),
  });
  return createdSchema.parse(data).sha;
}
