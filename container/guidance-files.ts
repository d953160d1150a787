/**
 * Puts the base branch's guidance for agents in place of the head's, and takes it away again before the
 * change is collected. What was done is kept in the object store, so that each can be repeated.
 */
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isGuidance, type Replacement, type Tree } from './guidance-tree.ts';
import { pathIn } from './working-tree.ts';

interface Places {
  readonly directory: string;
  readonly objectStore: string;
}
type Entries = [path: string, mode: string, object: string][];
export interface Kept {
  readonly away: Entries;
  readonly laid: Entries;
  /** Where the head's files are meanwhile. */
  readonly headVersions: string;
}
export type ReadBlobs = (objects: readonly string[]) => AsyncIterable<Buffer>;

const record = ({ objectStore }: Places): string => join(objectStore, 'guidance.json');
const laidRecord = ({ objectStore }: Places): string => join(objectStore, 'guidance-laid');
const liftedRecord = ({ objectStore }: Places): string => join(objectStore, 'guidance-lifted.json');

const entriesOf = (tree: Tree): Entries => [...tree].map(([path, { mode, object }]) => [path, mode, object]);

/** What an earlier attempt has begun or done; null if there was none. */
export async function keptGuidance(places: Places): Promise<Kept | null> {
  const text = await readFile(record(places), 'utf8').catch(() => null);
  return text === null ? null : readKept(text);
}

/** Null for what `keepGuidance` did not write: a run can have written anything. */
function readKept(text: string): Kept | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const field = (name: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  const entries = (name: string): Entries | null => {
    const list = field(name);
    if (!Array.isArray(list)) return null;
    const read = list.flatMap((one: unknown): Entries => {
      const parts: readonly unknown[] = Array.isArray(one) ? one : [];
      const [path, mode, object] = parts;
      if (typeof path !== 'string' || typeof mode !== 'string' || typeof object !== 'string') return [];
      const isSafe = isGuidance(path) && path.split('/').every((part) => !/^(?:|\.|\.\.|\.git)$/i.test(part));
      return isSafe && /^[0-9a-f]{40}$/.test(object) ? [[path, mode, object]] : [];
    });
    return read.length === list.length ? read : null;
  };
  const [away, laid, headVersions] = [entries('away'), entries('laid'), field('headVersions')];
  if (away === null || laid === null || typeof headVersions !== 'string') return null;
  return { away, laid, headVersions };
}

/** Before anything is moved. What is not there, as after a merge that deleted it, does not come back. */
export async function keepGuidance(
  places: Places,
  replacement: Replacement,
  headVersions: string,
): Promise<Kept> {
  const away: Entries = [];
  for (const entry of entriesOf(replacement.away))
    if ((await plainEntry(places.directory, entry[0])) !== null) away.push(entry);
  const kept = { away, laid: entriesOf(replacement.laid), headVersions };
  await writeFile(`${record(places)}.new`, JSON.stringify(kept));
  await rename(`${record(places)}.new`, record(places));
  return kept;
}

/** Once: Codex may work when a late attempt comes. */
export async function layGuidance(places: Places, kept: Kept, read: ReadBlobs): Promise<void> {
  const { directory } = places;
  if ((await lstat(laidRecord(places)).catch(() => null)) !== null) return;
  for (const [path, mode] of kept.away) {
    const found = await plainEntry(directory, path);
    const saved = pathIn(kept.headVersions, path);
    if (found === 'symlink') await rm(pathIn(directory, path));
    // An earlier attempt can have moved it, so that the base's version is there now.
    if (found !== 'file' || mode === '120000' || (await lstat(saved).catch(() => null)) !== null) continue;
    await mkdir(pathIn(kept.headVersions, folderOf(path)), { recursive: true });
    await rename(pathIn(directory, path), saved);
  }
  for await (const [path, mode, content] of withContent(kept.laid, read))
    await write(directory, path, mode, content);
  await writeFile(laidRecord(places), '');
}

/** Returns the paths of which an edit is lost, because it was made to the base branch's version. */
export async function liftGuidance(places: Places, read: ReadBlobs): Promise<readonly string[]> {
  const kept = await keptGuidance(places);
  if (kept === null) return [];
  const before = await readFile(liftedRecord(places), 'utf8').catch(() => null);
  if (before !== null) {
    const edited: unknown = JSON.parse(before);
    return Array.isArray(edited) ? edited.filter((path) => typeof path === 'string') : [];
  }
  const { directory } = places;
  const edited = new Set<string>();
  for (const [path, mode, object] of kept.laid) {
    const found = await plainEntry(directory, path);
    // It has no place in this checkout, or its whole folder was deleted.
    if (found === null && !(await hasPlace(directory, path))) continue;
    if (found !== 'file' || !(await isAs(directory, path, mode, object))) edited.add(path);
    if (found === 'file' || found === 'symlink') await rm(pathIn(directory, path), { force: true });
    await removeEmptyFolders(directory, path);
  }
  for await (const [path, mode, content] of withContent(kept.away, read)) {
    if (!(await hasPlace(directory, path))) continue;
    const present = await plainEntry(directory, path);
    if (present !== null) {
      edited.add(path);
      await rm(pathIn(directory, path), { recursive: true, force: true });
    }
    const saved = await plainEntry(kept.headVersions, path);
    if (mode !== '120000' && saved === 'file') {
      await makeFolder(directory, path);
      await rename(pathIn(kept.headVersions, path), pathIn(directory, path));
    } else await write(directory, path, mode, content);
  }
  await writeFile(liftedRecord(places), JSON.stringify([...edited]));
  return [...edited];
}

async function* withContent(
  entries: Entries,
  read: ReadBlobs,
): AsyncGenerator<[path: string, mode: string, content: Buffer]> {
  let at = 0;
  for await (const content of read(entries.map(([, , object]) => object))) {
    const [path, mode] = entries[at] ?? ['', ''];
    at += 1;
    yield [path, mode, content];
  }
}

const folderOf = (path: string): string => path.split('/').slice(0, -1).join('/');

/** The folder in which the guidance counts: that of a document, or the one with `.codex` in it. */
function scopeOf(path: string): string {
  const parts = path.split('/');
  const at = parts.findIndex((_, index) => isGuidance(`${parts.slice(0, index + 1).join('/')}/x`));
  return parts.slice(0, at === -1 ? -1 : at).join('/');
}

/** Null if there is nothing, or if a folder on the way is none. Follows no symlink. */
async function plainEntry(root: string, path: string): Promise<'file' | 'symlink' | 'other' | null> {
  const parts = path.split('/');
  for (let at = 1; at < parts.length; at += 1) {
    const folder = await lstat(pathIn(root, parts.slice(0, at).join('/'))).catch(() => null);
    if (folder?.isDirectory() !== true) return null;
  }
  const found = await lstat(pathIn(root, path)).catch(() => null);
  if (found === null) return null;
  return found.isFile() ? 'file' : found.isSymbolicLink() ? 'symlink' : 'other';
}

async function hasPlace(root: string, path: string): Promise<boolean> {
  const scope = scopeOf(path);
  if (scope === '') return true;
  return (await plainEntry(root, scope)) === 'other' && (await lstat(pathIn(root, scope))).isDirectory();
}

/** False if something else is in the way. */
async function makeFolder(root: string, path: string): Promise<boolean> {
  const parts = path.split('/').slice(0, -1);
  for (let at = 1; at <= parts.length; at += 1) {
    const folder = pathIn(root, parts.slice(0, at).join('/'));
    const found = await lstat(folder).catch(() => null);
    if (found === null) await mkdir(folder);
    else if (!found.isDirectory()) return false;
  }
  return true;
}

async function write(root: string, path: string, mode: string, content: Buffer): Promise<void> {
  if (!(await hasPlace(root, path)) || !(await makeFolder(root, path))) return;
  const found = await plainEntry(root, path);
  if (found === 'other') return;
  const to = pathIn(root, path);
  if (found !== null) await rm(to);
  if (mode === '120000') return await symlink(content, to);
  await writeFile(to, content, { flag: 'wx' });
  await chmod(to, mode === '100755' ? 0o755 : 0o644);
}

async function isAs(root: string, path: string, mode: string, object: string): Promise<boolean> {
  const [content, { mode: bits }] = await Promise.all([
    readFile(pathIn(root, path)),
    lstat(pathIn(root, path)),
  ]);
  const hash = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
  return hash === object && ((bits & 0o100) !== 0) === (mode === '100755');
}

/** As far as they are guidance: the folder in which it counts stays. */
async function removeEmptyFolders(root: string, path: string): Promise<void> {
  const scope = scopeOf(path);
  for (let folder = folderOf(path); folder.length > scope.length; folder = folderOf(folder)) {
    const isGone = await rmdir(pathIn(root, folder)).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}
