/**
 * Watches whether the state folder can be written. On a full disk SQLite refuses writes, and workerd resets
 * the Durable Objects and delays their alarms more each time; what is not stored is not acknowledged.
 */
import { accessSync, constants, statfsSync } from 'node:fs';
import { codeOf, remedyOf } from './state-folder.ts';

const everyMs = 2_000;
/** SQLite's smallest useful room: several pages and a log for each object that a task writes. */
const leastBytes = 4 * 1024 * 1024;

/** One sentence with the remedy; null: it can be written. `isFull`: more room is asked for than before. */
export function stateProblem(folder: string, isFull = false): string | null {
  const code = writeError(folder, isFull ? 2 * leastBytes : leastBytes);
  return code === null ? null : `The state folder cannot be written (${code}): ${remedyOf(code)}.`;
}

function writeError(folder: string, least: number): string | null {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bfree, bsize, files, ffree } = statfsSync(folder);
    const room = (process.getuid?.() === 0 ? bfree : bavail) * bsize;
    return room < least || (files > 0 && ffree === 0) ? 'ENOSPC' : null;
  } catch (error) {
    return codeOf(error);
  }
}

export interface StateRoom {
  problem(): string | null;
  stop(): void;
}

/** `changed` gets the problem when it begins, and null when it is over. */
export function watchStateRoom(folder: string, changed: (problem: string | null) => void): StateRoom {
  let problem: string | null = null;
  const timer = setInterval(() => {
    const before = problem;
    problem = stateProblem(folder, before !== null);
    if ((before === null) !== (problem === null)) changed(problem);
  }, everyMs);
  timer.unref();
  return { problem: () => problem, stop: () => clearInterval(timer) };
}
