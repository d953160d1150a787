/** Reads trees and files of a repository through GitHub's API. Each rejects with a `GithubRefusal`. */
import * as z from 'zod';
import type { GithubClient } from './client.ts';

export interface RepositoryPath {
  readonly owner: string;
  readonly repo: string;
}

const treeSchema = z.object({
  truncated: z.boolean(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.string(),
      type: z.string(),
      sha: z.string(),
      /** Bytes; only of a file. */
      size: z.number().optional(),
    }),
  ),
});
export type TreeListing = z.infer<typeof treeSchema>;
export type TreeEntry = TreeListing['tree'][number];

const blobSchema = z.object({ content: z.string(), encoding: z.literal('base64') });

/** `sha`: of a tree, or of a commit for its root. `truncated`: GitHub does not list all entries. */
export async function readTree(
  client: GithubClient,
  at: RepositoryPath,
  sha: string,
  { recursive = false } = {},
): Promise<TreeListing> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/git/trees/{tree_sha}', {
    ...at,
    tree_sha: sha,
    ...(recursive ? { recursive: '1' } : {}),
  });
  return treeSchema.parse(data);
}

/** Returns the file in base64, without line ends. */
export async function readBlob(client: GithubClient, at: RepositoryPath, sha: string): Promise<string> {
  const { data } = await client.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', {
    ...at,
    file_sha: sha,
  });
  return blobSchema.parse(data).content.replace(/\s/g, '');
}
