/** Applies the entries of "create a tree" to a base tree and writes the trees. Validates them. */
import type { GitRepository } from './git-repository.ts';

export const treeModes = ['100644', '100755', '120000', '040000', '160000'] as const;
type TreeMode = (typeof treeModes)[number];

interface TreeEntry {
  /** A character for each byte, because a name need not be UTF-8. */
  readonly name: string;
  readonly mode: string;
  readonly sha: string;
}
export interface TreeChange {
  readonly path: string;
  readonly mode: TreeMode;
  /** null deletes the path. */
  readonly sha: string | null;
}
export type TreeResult =
  | { readonly kind: 'written'; readonly sha: string }
  | { readonly kind: 'refused'; readonly message: string };

/** GitHub's error message for the path of a tree entry, or null if the path is valid. */
export function malformedPath(path: string): string | null {
  if (path === '') return 'tree.path cannot be empty';
  if (path.startsWith('/')) return 'tree.path cannot start with a slash';
  const parts = path.split('/');
  const bad = parts.some(
    (part) =>
      part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git' || part.includes('\0'),
  );
  return bad ? 'tree.path contains a malformed path component' : null;
}

async function readTree(git: GitRepository, sha: string): Promise<readonly TreeEntry[] | null> {
  const object = await git.read(sha);
  return object === null || object.type !== 'tree' ? null : parseTree(object.content);
}

/** The object id at a path of a tree; null if the path does not exist. */
export async function objectIdAt(git: GitRepository, tree: string, path: string): Promise<string | null> {
  let at = tree;
  for (const part of byteString(path).split('/')) {
    const entry = (await readTree(git, at))?.find((one) => one.name === part);
    if (entry === undefined) return null;
    at = entry.sha;
  }
  return at;
}

export interface FlatEntry extends TreeEntry {
  /** As text: what is not UTF-8 is replaced. */
  readonly path: string;
}
export async function listTree(
  git: GitRepository,
  sha: string,
  recursive: boolean,
  prefix = '',
): Promise<readonly FlatEntry[]> {
  const listed: FlatEntry[] = [];
  for (const entry of (await readTree(git, sha)) ?? []) {
    const path = prefix + Buffer.from(entry.name, 'latin1').toString();
    listed.push({ ...entry, path });
    if (recursive && entry.mode === '040000')
      listed.push(...(await listTree(git, entry.sha, true, `${path}/`)));
  }
  return listed;
}

/** `base` and every `sha` must exist. `base` null starts empty. */
export async function applyChanges(
  git: GitRepository,
  base: string | null,
  changes: readonly TreeChange[],
): Promise<TreeResult> {
  return await applyBelow(
    git,
    base,
    changes.map((change) => ({ ...change, path: byteString(change.path) })),
  );
}

const byteString = (path: string): string => Buffer.from(path).toString('latin1');

async function applyBelow(
  git: GitRepository,
  base: string | null,
  changes: readonly TreeChange[],
): Promise<TreeResult> {
  const entries = new Map<string, TreeEntry>();
  for (const entry of base === null ? [] : ((await readTree(git, base)) ?? []))
    entries.set(entry.name, entry);
  const nested = new Map<string, TreeChange[]>();
  for (const change of changes) {
    const slash = change.path.indexOf('/');
    if (slash >= 0) {
      const name = change.path.slice(0, slash);
      const inside = nested.get(name) ?? [];
      inside.push({ ...change, path: change.path.slice(slash + 1) });
      nested.set(name, inside);
    } else if (change.sha !== null) {
      entries.set(change.path, { name: change.path, mode: change.mode, sha: change.sha });
    } else if (!entries.delete(change.path)) {
      return { kind: 'refused', message: 'GitRPC::BadObjectState' };
    }
  }
  for (const [name, inside] of nested) {
    const before = entries.get(name);
    const result = await applyBelow(git, before?.mode === '040000' ? before.sha : null, inside);
    if (result.kind === 'refused') return result;
    // git has no empty folders, so deleting the last file removes its folder.
    if (((await readTree(git, result.sha)) ?? []).length === 0) entries.delete(name);
    else entries.set(name, { name, mode: '040000', sha: result.sha });
  }
  return { kind: 'written', sha: await writeTree(git, [...entries.values()]) };
}

/** Sorted bytewise, folders as if their names ended in a slash, modes without leading zeros. */
async function writeTree(git: GitRepository, entries: readonly TreeEntry[]): Promise<string> {
  const key = (entry: TreeEntry): Buffer =>
    Buffer.from(entry.mode === '040000' ? `${entry.name}/` : entry.name, 'latin1');
  const sorted = entries.toSorted((one, other) => Buffer.compare(key(one), key(other)));
  const parts = sorted.flatMap((entry) => [
    Buffer.from(`${entry.mode.replace(/^0/, '')} ${entry.name}\0`, 'latin1'),
    Buffer.from(entry.sha, 'hex'),
  ]);
  return git.writeObject('tree', Buffer.concat(parts));
}

function parseTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const nul = content.indexOf(0, space);
    const mode = content.subarray(at, space).toString().padStart(6, '0');
    const name = content.subarray(space + 1, nul).toString('latin1');
    entries.push({ name, mode, sha: content.subarray(nul + 1, nul + 21).toString('hex') });
    at = nul + 21;
  }
  return entries;
}
