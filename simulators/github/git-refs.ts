/** Names of refs. Lists and moves loose ones as git does, because a process per ref is slow. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Compares and swaps: false unless the ref is at `from` (null: does not exist). Null if only git knows: refs
 * are packed, somebody else writes this one, or it is below or above another one.
 */
export async function moveLooseRef(
  gitDir: string,
  ref: string,
  from: string | null,
  to: string,
): Promise<boolean | null> {
  const path = join(gitDir, ref);
  const lock = `${path}.lock`;
  try {
    if (await stat(join(gitDir, 'packed-refs')).catch(() => null)) return null;
    await mkdir(dirname(path), { recursive: true });
    const file = await open(lock, 'wx');
    try {
      const known = await readFile(path, 'utf8').catch(() => null);
      if ((known?.trim() ?? null) !== from) return known === null ? null : false;
      await file.writeFile(`${to}\n`);
      await rename(lock, path);
      return true;
    } finally {
      await file.close();
      await rm(lock, { force: true });
    }
  } catch {
    // Git tells what is wrong.
    return null;
  }
}

/** Full names, sorted as git does; null if only git knows, because refs are packed. */
export function listLooseRefs(gitDir: string): readonly string[] | null {
  if (existsSync(join(gitDir, 'packed-refs'))) return null;
  const entries = readdirSync(join(gitDir, 'refs'), { recursive: true, encoding: 'utf8' });
  return entries
    .map((name) => `refs/${name}`)
    .filter(isRefName)
    .toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

/** Whether a full ref name follows the rules of `git check-ref-format`. */
export function isRefName(ref: string): boolean {
  if (!/^refs\/[^/]+\/./.test(ref) || ref.length > 1000) return false;
  // oxlint-disable-next-line no-control-regex -- refuses control characters
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\.$|\/$/.test(ref)) return false;
  return ref.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}
