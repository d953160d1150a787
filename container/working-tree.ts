/**
 * What in a working tree can be carried, path by path: decides between add, remove and skip from what the file system
 * says. Paths are byte strings in a JavaScript string (latin1), because a file name need not be UTF-8.
 */
import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SkippedPath } from '../src/core/change-set.ts';

export type Finding =
  | { readonly kind: 'add'; readonly bytes: number }
  | { readonly kind: 'remove' }
  /** A folder where the index has an entry: removed, unless that entry is a submodule. */
  | { readonly kind: 'folder' }
  | { readonly kind: 'skip'; readonly why: SkippedPath['why'] };

/** A path as bytes, below the working tree. */
function located(tree: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(path, 'latin1')]);
}

/** The path for people and for JSON, null when it is not UTF-8. */
export function decodedPath(path: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(path, 'latin1'));
  } catch {
    // The decoder's only complaint.
    return null;
  }
}

/**
 * Names that `publish/change-lines.ts` refuses, so that one odd file does not cost the whole change. The Worker's
 * check is the one that counts; this one is only polite.
 */
function unsafeName(path: string): boolean {
  return (
    path.length > 4096 ||
    /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\\\u{FFFD}]|^[A-Za-z]:/u.test(path) ||
    path.split('/').some((segment) => /^(?:\.git|git~\d+)(?:[ .:].*)?$|^[. ]+$/i.test(segment))
  );
}

function missing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Looks at paths without ever following a symlink inside the tree. */
export function treeInspector(tree: string, maxFileBytes: number): (path: string) => Promise<Finding> {
  const plainFolders = new Map<string, Promise<boolean>>();

  /** Whether every folder above the path is a real one: behind a symlink lies something that is not the tree's. */
  function insideTree(path: string): Promise<boolean> {
    const folder = dirname(path);
    if (folder === '.') return Promise.resolve(true);
    const known = plainFolders.get(folder);
    if (known !== undefined) return known;
    const answer = (async () => {
      if (!(await insideTree(folder))) return false;
      try {
        return (await lstat(located(tree, folder))).isDirectory();
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
    // `ls-files --others` ends a folder that is a repository of its own with a slash.
    if (path.endsWith('/')) return { kind: 'skip', why: 'nested-repository' };
    if (unsafeName(decoded)) return { kind: 'skip', why: 'unsafe-name' };
    try {
      if (!(await insideTree(path))) return { kind: 'remove' };
      const found = await lstat(located(tree, path));
      if (found.isDirectory()) return { kind: 'folder' };
      if (found.isSymbolicLink()) return { kind: 'add', bytes: found.size };
      if (!found.isFile()) return { kind: 'skip', why: 'special-file' };
      if (found.size > maxFileBytes) return { kind: 'skip', why: 'too-large' };
      await access(located(tree, path), constants.R_OK);
      return { kind: 'add', bytes: found.size };
    } catch (error) {
      if (missing(error)) return { kind: 'remove' };
      return { kind: 'skip', why: 'unreadable' };
    }
  };
}

/** The empty tree's place when nothing is there to look at: a symlink or a file is not a working tree. */
export async function isPlainFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(join(path))).isDirectory();
  } catch (error) {
    if (missing(error)) return false;
    throw error;
  }
}
