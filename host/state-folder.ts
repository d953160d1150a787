/** Locks the state folder for one bot, by pid and start time. A dead owner's lock is taken over. */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { parseJson } from '../src/lib/parse-json.ts';
import { StartProblem } from './environment.ts';
import { readStartTime } from './sandbox/process-table.ts';

const ownerSchema = z.object({ pid: z.number().int().positive(), startedAt: z.string().min(1) });
/** Several starts at once can take the same abandoned lock away from each other; one of them wins. */
const maxRounds = 10;

/** Returns the function that unlocks it. Throws StartProblem if it is not writable or locked. */
export function openStateFolder(folder: string): () => void {
  const path = join(folder, 'bot.lock');
  const draft = join(folder, `bot.lock.${randomUUID()}`);
  const text = JSON.stringify({ pid: process.pid, startedAt: readStartTime(process.pid) ?? 'unknown' });
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(draft, text, { mode: 0o600 });
    for (let round = 0; round < maxRounds; round += 1) {
      // A link appears with its content, so no other start reads half a lock.
      if (linked(draft, path)) return () => rmSync(path, { force: true });
      const found = textOrNull(path);
      if (found === null) continue;
      const owner = ownerSchema.safeParse(parseJson(found));
      if (owner.success && readStartTime(owner.data.pid) === owner.data.startedAt)
        throw new StartProblem(
          `Another Airlock (pid ${owner.data.pid}) uses the state folder ${folder}: ` +
            `stop it (kill ${owner.data.pid}), ` +
            'or set AIRLOCK_STATE and PORT to other values for a second bot.',
        );
      removeAbandoned(path, found);
    }
    throw new StartProblem(`The state folder ${folder} is being locked by other starts: start Airlock once.`);
  } catch (error) {
    throw error instanceof StartProblem ? error : writeProblem('state folder', folder, error);
  } finally {
    removeQuietly(draft);
  }
}

/** Keeps the error that is under way. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The folder cannot be written.
  }
}

/** Names what cannot be written, the cause and the remedy in one line. */
export function writeProblem(what: string, path: string, error: unknown): StartProblem {
  const code = codeOf(error);
  return new StartProblem(`The ${what} ${path} cannot be written (${code}): ${remedyOf(code)}.`);
}

export function remedyOf(code: string): string {
  return remedies[code] ?? 'set AIRLOCK_STATE to a folder that this user can write';
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on its disk, or set AIRLOCK_STATE to a folder on another one',
  EROFS: 'its file system is read-only; set AIRLOCK_STATE to a folder on another one',
  EACCES: 'give this user permission to write it, or set AIRLOCK_STATE to another folder',
};

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** False: the link exists. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function textOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Removes the lock with this content. Puts back a lock that another start has created in the meantime. */
function removeAbandoned(path: string, content: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (textOrNull(aside) !== content) linked(aside, path);
  rmSync(aside, { force: true });
}
