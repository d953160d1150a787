/** Decides for each path (latin1) of a working tree between add, remove and skip. */
import { createHash } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SkippedPath } from '../src/core/change-set.ts';
import type { IndexEntry } from './index-changes.ts';

export type Finding =
  /** `mode`: as git records it. */
  | { readonly kind: 'add'; readonly bytes: number; readonly mode: FileMode }
  | { readonly kind: 'remove' }
  /** A folder at the path of an index entry. The entry is removed, unless it is a submodule. */
  | { readonly kind: 'folder' }
  | { readonly kind: 'skip'; readonly why: SkippedPath['why']; readonly bytes?: number };

/** In the object store. `setup.ts` creates it when it ends. */
export const setupDone = 'setup-done';

export type FileMode = '100644' | '100755' | '120000';

const modeOf = (found: Stats): FileMode =>
  found.isSymbolicLink() ? '120000' : (found.mode & 0o100) === 0 ? '100644' : '100755';

/** Joins the tree and a byte-string path. */
export function pathIn(tree: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(path, 'latin1')]);
}

/** Decodes a byte-string path for people and JSON; null if it is not UTF-8. */
export function decodedPath(path: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(path, 'latin1'));
  } catch {
    // Not UTF-8: the decoder throws for no other reason.
    return null;
  }
}

/** Also as NTFS reads it, and only dots. */
const gitFolder = /^(?:(?:\.git|git~\d+)[ .]*(?::.*)?|[. ]+)$/is;

/** As `src/publish/change-lines.ts`, whose check binds: one odd file need not fail the change. */
function unsafeName(path: string): boolean {
  return (
    path.length > 4096 ||
    /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\\\u{FFFD}]|^[A-Za-z]:/u.test(path) ||
    path.split('/').some((segment) => gitFolder.test(segment.normalize('NFKC')))
  );
}

function missing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Returns a function that inspects one path, without following symlinks inside the tree. */
export function treeInspector(tree: string, maxFileBytes: number): (path: string) => Promise<Finding> {
  const plainFolders = new Map<string, Promise<boolean>>();

  /** True if all parent folders are real folders: a path behind a symlink is not part of the tree. */
  function insideTree(path: string): Promise<boolean> {
    const folder = dirname(path);
    if (folder === '.') return Promise.resolve(true);
    const known = plainFolders.get(folder);
    if (known !== undefined) return known;
    const answer = (async () => {
      if (!(await insideTree(folder))) return false;
      try {
        return (await lstat(pathIn(tree, folder))).isDirectory();
      } catch (error) {
        if (missing(error)) return false;
        throw error;
      }
    })();
    plainFolders.set(folder, answer);
    return answer;
  }

  return async (path) => {
    const decoded = decodedPath(path);
    if (decoded === null) return { kind: 'skip', why: 'not-utf8' };
    // `ls-files --others` ends a folder that is a repository of its own with a slash; a short list, any.
    if (path.endsWith('/'))
      return { kind: 'skip', why: (await exists(tree, `${path}.git`)) ? 'nested-repository' : 'too-many' };
    if (unsafeName(decoded)) return { kind: 'skip', why: 'unsafe-name' };
    try {
      if (!(await insideTree(path))) return { kind: 'remove' };
      const found = await lstat(pathIn(tree, path));
      if (found.isDirectory()) return { kind: 'folder' };
      if (found.isSymbolicLink()) return { kind: 'add', bytes: found.size, mode: modeOf(found) };
      if (!found.isFile()) return { kind: 'skip', why: 'special-file' };
      if (found.size > maxFileBytes) return { kind: 'skip', why: 'too-large', bytes: found.size };
      await access(pathIn(tree, path), constants.R_OK);
      return { kind: 'add', bytes: found.size, mode: modeOf(found) };
    } catch (error) {
      if (missing(error)) return { kind: 'remove' };
      return { kind: 'skip', why: 'unreadable' };
    }
  };
}

export const exists = async (tree: string, path: string): Promise<boolean> =>
  (await lstat(pathIn(tree, path)).catch(() => null)) !== null;

/** Byte for byte as in the index. Git calls such a file modified if its attributes would convert it. */
export async function isUntouched(tree: string, path: string, entry: IndexEntry): Promise<boolean> {
  const file = pathIn(tree, path);
  const found = await lstat(file).catch(() => null);
  if (found === null || !found.isFile() || modeOf(found) !== entry.mode) return false;
  const hash = createHash('sha1').update(`blob ${found.size}\0`);
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex') === entry.object;
}

/** True if the path is a real folder: a symlink or a file is not a working tree. */
export async function isPlainFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(join(path))).isDirectory();
  } catch (error) {
    if (missing(error)) return false;
    throw error;
  }
}
