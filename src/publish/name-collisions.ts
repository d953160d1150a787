/** Finds new names that differ from another one only in case or Unicode form. Pure. */
import type { ChangedFile } from '../core/change-set.ts';

export interface TreeName {
  readonly path: string;
  readonly type: string;
}
/** Further pairs are not listed. */
export const maxCollisions = 20;

/**
 * Pairs of a new name and the one that it collides with: a file or a folder, of the base or of the change.
 * `base` lists files and folders.
 */
export function nameCollisions(base: readonly TreeName[], files: readonly ChangedFile[]): [string, string][] {
  const known = new Set(base.map(({ path }) => path));
  const fresh = new Set<string>();
  for (const file of files)
    if (file.type === 'file') for (const name of namesIn(file.path)) if (!known.has(name)) fresh.add(name);
  if (fresh.size === 0) return [];
  const deleted = new Set(files.flatMap(({ type, path }) => (type === 'deletion' ? [path] : [])));
  const kept = base.filter(({ type, path }) => type !== 'tree' && !deleted.has(path));
  const names = new Map<string, string>();
  const seen = new Set<string>();
  const found: [string, string][] = [];
  // The base's names first. A folder is there as long as it has a file.
  for (const { path } of kept)
    for (const name of namesIn(path)) {
      if (seen.has(name)) continue;
      seen.add(name);
      names.set(folded(name), name);
    }
  for (const name of fresh) {
    const other = names.get(folded(name));
    if (other === undefined) names.set(folded(name), name);
    // In a folder that collides everything does.
    else if (other !== name && !found.some(([above]) => name.startsWith(`${above}/`)))
      found.push([name, other]);
    if (found.length === maxCollisions) break;
  }
  return found;
}

/** A path and the folders above it, topmost first. */
function* namesIn(path: string): Generator<string> {
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
    yield path.slice(0, slash);
  yield path;
}

/** As file systems that ignore case read it; NTFS also drops trailing spaces and dots. */
function folded(path: string): string {
  // Upper case first: it unites `ſ` and `s`, `ß` and `ss`, both forms of a sigma.
  const plain = path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
  return plain.replaceAll(/[ .]+(?=\/|$)/g, '');
}
