/** Finds which files of a change others have touched between its base and another commit. */
import { boundedAll } from '../lib/bounded-all.ts';
import type { GithubClient } from '../github/client.ts';
import { readTree, type RepositoryPath, type TreeEntry } from '../github/git-objects.ts';
import type { Publishing } from './branches.ts';

/** One call each: folders that hold files of the change and differ, on both sides. */
const maxTrees = 300;
const treesAtOnce = 6;

/** The entries of one folder by name; null if GitHub does not list them all. */
export type ReadTree = (sha: string) => Promise<ReadonlyMap<string, TreeEntry> | null>;

/** The paths at which the two commits differ; null if there is too much to compare. */
export async function touchedFiles(publishing: Publishing, head: string): Promise<readonly string[] | null> {
  const { client, at, input } = publishing;
  const { base, files } = input.change;
  return await differingPaths(
    files.map(({ path }) => path),
    { from: base, to: head },
    treeReader(client, at),
  );
}

export function treeReader(client: GithubClient, at: RepositoryPath): ReadTree {
  return async (sha) => {
    const { tree, truncated } = await readTree(client, at, sha);
    return truncated ? null : new Map(tree.map((entry) => [entry.path, entry]));
  };
}

interface Folder {
  /** '' or ends with a slash. */
  readonly name: string;
  readonly paths: readonly string[];
  /** Id of the tree, or of a commit for the root; null: there is no such folder. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Goes down only where the two sides differ, so that the size of the repository does not matter. */
export async function differingPaths(
  paths: readonly string[],
  { from, to }: { readonly from: string; readonly to: string },
  readTree: ReadTree,
): Promise<readonly string[] | null> {
  const touched: string[] = [];
  let level: readonly Folder[] = [{ name: '', paths, from, to }];
  for (let trees = 0; level.length > 0;) {
    trees += level.length * 2;
    if (trees > maxTrees) return null;
    const compared = await boundedAll(level, treesAtOnce, async (folder) => await compare(folder, readTree));
    const below: Folder[] = [];
    for (const one of compared) {
      if (one === null) return null;
      touched.push(...one.touched);
      below.push(...one.below);
    }
    level = below;
  }
  return touched;
}

const noEntries: ReadonlyMap<string, TreeEntry> = new Map();

async function compare(
  folder: Folder,
  readTree: ReadTree,
): Promise<{ readonly touched: readonly string[]; readonly below: readonly Folder[] } | null> {
  const { name, paths, from, to } = folder;
  const read = async (sha: string | null) => (sha === null ? noEntries : await readTree(sha));
  const [before, after] = await Promise.all([read(from), read(to)]);
  if (before === null || after === null) return null;
  const touched: string[] = [];
  const inFolder = new Map<string, string[]>();
  for (const path of paths) {
    const rest = path.slice(name.length);
    const slash = rest.indexOf('/');
    const entry = slash === -1 ? rest : rest.slice(0, slash);
    const [old, present] = [before.get(entry), after.get(entry)];
    if (old?.sha === present?.sha && old?.mode === present?.mode) continue;
    // A file is where the change needs a folder, or the entry itself is another.
    if (slash === -1 || (present !== undefined && present.type !== 'tree')) touched.push(path);
    else if (inFolder.get(entry)?.push(path) === undefined) inFolder.set(entry, [path]);
  }
  const treeIn = (entries: ReadonlyMap<string, TreeEntry>, entry: string): string | null => {
    const found = entries.get(entry);
    return found?.type === 'tree' ? found.sha : null;
  };
  const below = [...inFolder].map(([entry, inside]) => ({
    name: `${name}${entry}/`,
    paths: inside,
    from: treeIn(before, entry),
    to: treeIn(after, entry),
  }));
  return { touched, below };
}
