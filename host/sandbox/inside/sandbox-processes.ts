/**
 * Which processes inside the sandbox belong to a command, and how they are killed. Decides nothing about time.
 *
 * A process that left its group and session is still found through its parents; one that was orphaned (the double fork of a daemon)
 * through the mark that its command's environment carries. A process that also clears its environment escapes the end of one
 * command, but not `killStrays` at the end of a run, and never the end of the sandbox.
 */
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

export const markVariable = 'AIRLOCK_COMMAND';

/** A process may fork between the look and the kill, so we look again; a fork bomb is what the bound is for. */
const maxRounds = 50;

/** SIGKILL to the command's first process, its group, everything below it, and all that carry its mark. */
export function killCommand(root: number, mark: string): void {
  killUntilGone((table) => {
    const family = descendants(table, new Set([root]));
    return table.filter(
      (entry) => family.has(entry.pid) || entry.group === root || carriesMark(entry.pid, mark),
    );
  });
}

/** SIGKILL to everything but init, this process, and what runs below the given first processes. */
export function killStrays(liveRoots: ReadonlySet<number>): void {
  killUntilGone((table) => {
    const kept = descendants(table, liveRoots);
    return table.filter((entry) => !kept.has(entry.pid));
  });
}

function killUntilGone(victims: (table: readonly ProcessEntry[]) => readonly ProcessEntry[]): void {
  for (let round = 0; round < maxRounds; round++) {
    const found = victims(processTable());
    if (found.length === 0) return;
    for (const { pid } of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself between the look and the kill.
      }
    }
  }
}

/** Without zombies (they are dead already), pid 1 (the reaper) and this process. */
function processTable(): ProcessEntry[] {
  const table: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === 1 || pid === process.pid) continue;
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    // The name in parentheses may hold anything, so we count from its last closing one.
    const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || parent === undefined || group === undefined || state === 'Z' || state === 'X')
      continue;
    table.push({ pid, parent: Number(parent), group: Number(group) });
  }
  return table;
}

function descendants(table: readonly ProcessEntry[], roots: ReadonlySet<number>): Set<number> {
  const family = new Set(roots);
  let before = -1;
  while (family.size !== before) {
    before = family.size;
    for (const entry of table) if (family.has(entry.parent)) family.add(entry.pid);
  }
  return family;
}

function carriesMark(pid: number, mark: string): boolean {
  return readOrEmpty(`/proc/${pid}/environ`).split('\0').includes(`${markVariable}=${mark}`);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The process ended meanwhile, or does not let itself be read.
    return '';
  }
}
