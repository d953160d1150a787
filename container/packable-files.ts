/**
 * Lists what setup's archive takes of a folder, without what the check outside would refuse
 * (`src/core/setup-archive.ts`): a link or socket must not refuse an honest setup.
 */
import { lstat, readdir, readlink } from 'node:fs/promises';

export interface PackedRoot {
  /** The allowed folder: the clone or a package folder. Absolute. */
  readonly root: string;
  /** Folders and files in it to take. Absolute byte strings (latin1). */
  readonly paths: readonly string[];
  /** Names that are left out wherever they are. */
  readonly without: readonly string[];
}

const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');

/** Returns the paths with everything below them, parents first. */
export async function packableFiles({ root, paths, without }: PackedRoot): Promise<readonly string[]> {
  const found: string[] = [];
  // Not recursive, because a folder can be deeper than the stack.
  const left = paths.toReversed();
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (without.includes(path.slice(path.lastIndexOf('/') + 1).toLowerCase())) continue;
    const info = await lstat(bytes(path)).catch(() => null);
    if (info === null) continue;
    if (info.isDirectory()) {
      const names = (await readdir(bytes(path), 'buffer')).map((name) => name.toString('latin1'));
      for (const name of names.toSorted().toReversed()) left.push(`${path}/${name}`);
    } else if (info.isSymbolicLink()) {
      if (!staysInside(path, (await readlink(bytes(path), 'buffer')).toString('latin1'), root)) continue;
    } else if (!info.isFile()) continue;
    found.push(path);
  }
  return found;
}

function staysInside(path: string, target: string, root: string): boolean {
  if (target.startsWith('/')) return false;
  const components = target.split('/').filter((one) => one !== '' && one !== '.');
  const ups = components.findLastIndex((one) => one === '..') + 1;
  if (components.slice(0, ups).some((one) => one !== '..') || components.includes('.git')) return false;
  return path.split('/').length - 1 - ups >= root.split('/').length;
}
