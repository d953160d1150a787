/**
 * Merges three trees file by file, as `git read-tree --aggressive` does in the sandbox: what one side changed
 * counts, and where both changed a file, the head's version stays. The sandbox's files are then written on
 * top. The Worker computes it again, because nothing from a sandbox is trusted.
 */
import * as z from 'zod';
import type { KeptMerge } from '../core/merge.ts';
import type { GithubClient } from '../github/client.ts';
import { writeTree, type Entry, type RepositoryPath } from './tree-writer.ts';

const entrySchema = z.object({
  path: z.string(),
  mode: z.enum(['100644', '100755', '120000', '160000']),
  type: z.enum(['blob', 'commit']),
  sha: z.string(),
});
const treeSchema = z.object({
  truncated: z.boolean(),
  tree: z.array(z.union([entrySchema, z.object({ type: z.literal('tree') })])),
});
export type TreeFile = z.infer<typeof entrySchema>;
export type Tree = ReadonlyMap<string, TreeFile>;
export interface MergedTrees {
  readonly ours: Tree;
  readonly theirs: Tree;
  readonly merged: MergedByFile;
}

/** Returns null if GitHub does not list a tree completely. */
export async function mergedTrees(
  client: GithubClient,
  at: RepositoryPath,
  { ours, theirs, ancestor }: KeptMerge,
): Promise<MergedTrees | null> {
  const list = async (sha: string): Promise<Tree | null> => {
    const { data } = await client.request('GET /repos/{owner}/{repo}/git/trees/{tree_sha}', {
      ...at,
      tree_sha: sha,
      recursive: '1',
    });
    const { tree, truncated } = treeSchema.parse(data);
    const files = tree.flatMap((entry) => (entry.type === 'tree' ? [] : [[entry.path, entry] as const]));
    return truncated ? null : new Map(files);
  };
  const [head, base, common] = await Promise.all([list(ours), list(theirs), list(ancestor)]);
  return head === null || base === null || common === null
    ? null
    : { ours: head, theirs: base, merged: mergeByFile({ ours: head, theirs: base, ancestor: common }) };
}

export interface MergedByFile {
  /** What makes the merged tree of `theirs`; null: the file is not in it. */
  readonly onTheirs: ReadonlyMap<string, TreeFile | null>;
  /** Files that both sides changed, differently. */
  readonly both: ReadonlySet<string>;
}

export function mergeByFile({
  ours,
  theirs,
  ancestor,
}: {
  readonly ours: Tree;
  readonly theirs: Tree;
  readonly ancestor: Tree;
}): MergedByFile {
  const onTheirs = new Map<string, TreeFile | null>();
  const both = new Set<string>();
  for (const path of new Set([...ours.keys(), ...theirs.keys()])) {
    const [head, base, before] = [ours.get(path), theirs.get(path), ancestor.get(path)];
    if (isSame(head, base) || isSame(head, before)) continue;
    onTheirs.set(path, head ?? null);
    if (!isSame(base, before)) both.add(path);
  }
  return { onTheirs, both };
}

function isSame(one: TreeFile | undefined, other: TreeFile | undefined): boolean {
  return one?.sha === other?.sha && one?.mode === other?.mode;
}

/** Writes the merged tree and returns its id. */
export async function writeMergedTree(
  client: GithubClient,
  at: RepositoryPath,
  theirsTree: string,
  { onTheirs }: MergedByFile,
): Promise<string> {
  const entries = [...onTheirs].map(
    ([path, file]): Entry => file ?? { path, mode: '100644', type: 'blob', sha: null },
  );
  return await writeTree(client, at, theirsTree, entries);
}
