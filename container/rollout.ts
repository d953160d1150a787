/** Finds the rollout file, all that is needed to resume a thread in another sandbox. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the newest `rollout-*-<thread id>.jsonl` below `$CODEX_HOME/sessions`; null if there is none. */
export function findRollout(codexHome: string, threadId: string): { path: string; bytes: number } | null {
  const sessions = join(codexHome, 'sessions');
  let names: string[];
  try {
    names = readdirSync(sessions, { recursive: true, encoding: 'utf8' });
  } catch {
    // No folder: Codex ended before it stored anything.
    return null;
  }
  const found = names
    .filter((name) => /(?:^|\/)rollout-[^/]*$/.test(name) && name.endsWith(`-${threadId}.jsonl`))
    .map((name) => join(sessions, name))
    .flatMap((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat?.isFile() === true ? [{ path, bytes: stat.size, mtimeMs: stat.mtimeMs }] : [];
    })
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
  const newest = found[0];
  return newest === undefined ? null : { path: newest.path, bytes: newest.bytes };
}
