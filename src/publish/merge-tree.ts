/**
 * Merges three trees file by file, as `git read-tree --aggressive` does in the sandbox: what one side changed
 * counts, and where both changed a file, the head's version stays. The sandbox's files are then written on
 * top. The Worker computes it again, because nothing from a sandbox is trusted. Goes down only where both
 * sides differ, so that the size of the repository does not matter.
 */
import type { MergeParents } from '../core/merge.ts';
import { boundedAll } from '../lib/bounded-all.ts';
import type { GithubClient } from '../github/client.ts';
import type { RepositoryPath, TreeEntry } from '../github/git-objects.ts';
import type { ReadTree } from './touched-files.ts';
import { treeModeSchema, writeTree, type Entry } from './tree-writer.ts';

/** One call each. */
const maxTrees = 600;
const foldersAtOnce = 4;

export interface MergedByFile {
  /** What makes the merged tree of `theirs`; null: the path is not in it. */
  readonly onTheirs: ReadonlyMap<string, TreeEntry | null>;
  /** Files that both sides changed, differently. */
  readonly both: ReadonlyMap<string, Versions>;
}
interface Versions {
  readonly ours: TreeEntry | null;
  readonly theirs: TreeEntry | null;
}
interface Folder {
  /** '' or ends with a slash. */
  readonly name: string;
  /** Ids of its trees, or of commits for the root; null: there is no such folder. */
  readonly trees: Readonly<Record<'ours' | 'theirs' | 'ancestor', string | null>>;
}

/** Returns null if there is too much to compare. */
export async function mergeByFile(
  { ours, theirs, ancestor }: MergeParents,
  readTree: ReadTree,
): Promise<MergedByFile | null> {
  const onTheirs = new Map<string, TreeEntry | null>();
  const both = new Map<string, Versions>();
  let level: readonly Folder[] = [{ name: '', trees: { ours, theirs, ancestor } }];
  for (let trees = 0; level.length > 0;) {
    trees += level.length * 3;
    if (trees > maxTrees) return null;
    const read = async (sha: string | null) =>
      sha === null ? new Map<string, TreeEntry>() : await readTree(sha);
    const found = await boundedAll(level, foldersAtOnce, async (folder) => ({
      folder,
      entries: await Promise.all([folder.trees.ours, folder.trees.theirs, folder.trees.ancestor].map(read)),
    }));
    const below: Folder[] = [];
    for (const { folder, entries } of found) {
      const [head, base, before] = entries;
      if (head == null || base == null || before == null) return null;
      for (const entry of new Set([...head.keys(), ...base.keys()])) {
        const [h, b, m] = [head.get(entry) ?? null, base.get(entry) ?? null, before.get(entry) ?? null];
        if (isSame(h, b) || isSame(h, m)) continue;
        const path = `${folder.name}${entry}`;
        const isOneSided = isSame(b, m);
        // A folder that the head deleted is deleted file by file: GitHub deletes files only.
        if (isOneSided && !(h === null && b?.type === 'tree')) onTheirs.set(path, h);
        else if ([h, b].every((side) => side === null || side.type === 'tree'))
          below.push({
            name: `${path}/`,
            trees: { ours: treeOf(h), theirs: treeOf(b), ancestor: treeOf(m) },
          });
        else {
          onTheirs.set(path, h);
          both.set(path, { ours: h, theirs: b });
        }
      }
    }
    level = below;
  }
  return { onTheirs, both };
}

const treeOf = (entry: TreeEntry | null): string | null => (entry?.type === 'tree' ? entry.sha : null);

function isSame(one: TreeEntry | null, other: TreeEntry | null): boolean {
  return one?.sha === other?.sha && one?.mode === other?.mode;
}

/** The entry at a path of a commit; null if there is none, or if its folder is not listed completely. */
export async function entryAt(readTree: ReadTree, commit: string, path: string): Promise<TreeEntry | null> {
  let sha = commit;
  const parts = path.split('/');
  for (const [at, part] of parts.entries()) {
    const entry = (await readTree(sha))?.get(part) ?? null;
    if (entry === null || at === parts.length - 1) return entry;
    if (entry.type !== 'tree') return null;
    ({ sha } = entry);
  }
  return null;
}

const typeOf = ({ type }: TreeEntry): Entry['type'] => (type === 'tree' || type === 'commit' ? type : 'blob');

/** Writes the merged tree and returns its id. */
export async function writeMergedTree(
  client: GithubClient,
  at: RepositoryPath,
  theirsTree: string,
  { onTheirs }: MergedByFile,
): Promise<string> {
  const entries = [...onTheirs].map(([path, file]): Entry =>
    file === null
      ? { path, mode: '100644', type: 'blob', sha: null }
      : { path, mode: treeModeSchema.parse(file.mode), type: typeOf(file), sha: file.sha },
  );
  return await writeTree(client, at, theirsTree, entries);
}
