/**
 * Moves files of SQLite that cannot be read out of the state folder before workerd opens them, because one of
 * them keeps workerd from starting, or its object from ever answering. All other objects keep working.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { codeOf } from './state-folder.ts';

export interface Damage {
  readonly file: string;
  readonly problem: string;
  /** null: it could not be moved. */
  readonly movedTo: string | null;
}

/** Checks each file below `worker` and moves the damaged ones to `aside`. */
export function setAsideDamaged(worker: string, aside: string): readonly Damage[] {
  if (!existsSync(worker)) return [];
  return readdirSync(worker, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sqlite'))
    .flatMap((file) => {
      const problem = problemOf(join(worker, file));
      return problem === null ? [] : [{ file, problem, movedTo: moved(worker, file, aside) }];
    });
}

/** SQLite’s errors for wrong content: corrupt, no database, cut off. Others, such as full, are no damage. */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  const code = Number(error.errcode);
  return [11, 26].includes(code & 0xff) || code === 522;
}

function problemOf(path: string): string | null {
  const found = statSync(path);
  if (found.isDirectory()) return 'it is a folder';
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (found.size === 0 && (log?.size ?? 0) === 0) return 'it is empty';
  try {
    const database = new DatabaseSync(path);
    try {
      const [first] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
      return first === 'ok' ? null : String(first);
    } finally {
      database.close();
    }
  } catch (error) {
    return isDamage(error) ? String(error) : null;
  }
}

/** The parts of a database stay together, so that what is left in them can be recovered by hand. */
function moved(worker: string, file: string, aside: string): string | null {
  const to = join(aside, `${Date.now()}-${basename(dirname(file))}-${basename(file)}`);
  try {
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    for (const part of ['', '-wal', '-shm'])
      if (existsSync(join(worker, file + part))) renameSync(join(worker, file + part), to + part);
    return to;
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? to : null;
  }
}
