/**
 * Finds and kills the processes of a command: through parents, and orphans through a mark in the environment.
 * One that clears its environment survives until `killStrays` at the end of a run, and never the sandbox.
 */
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** Environment variable that holds a random mark per command. */
export const markVariable = 'AIRLOCK_COMMAND';

/** A process can fork between listing and kill, so killing repeats. Bounded for fork bombs. */
const maxRounds = 50;

/** The command's first process, its group, its descendants and every process with its mark. */
export function killCommand(root: number, mark: string): void {
  killUntilGone((table) => {
    const family = descendants(table, new Set([root]));
    return table.filter(
      (entry) => family.has(entry.pid) || entry.group === root || carriesMark(entry.pid, mark),
    );
  });
}

/** Sends SIGKILL to every process except pid 1, this process, and the trees below `liveRoots`. */
export function killStrays(liveRoots: ReadonlySet<number>): void {
  killUntilGone((table) => {
    const kept = descendants(table, liveRoots);
    return table.filter((entry) => !kept.has(entry.pid));
  });
}

/** Makes room within the limit of processes, for which zombies count until pid 1 has reaped them. */
export function killAll(): void {
  killUntilGone((table) => table, true);
}

function killUntilGone(
  victims: (table: readonly ProcessEntry[]) => readonly ProcessEntry[],
  zombiesToo = false,
): void {
  for (let round = 0; round < maxRounds; round++) {
    const found = victims(processTable(zombiesToo));
    if (found.length === 0) return;
    for (const { pid } of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself between the listing and the kill.
      }
    }
  }
}

/** Lists processes, except zombies (already dead) by default, pid 1 (the reaper) and this process. */
function processTable(zombiesToo: boolean): ProcessEntry[] {
  const table: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === 1 || pid === process.pid) continue;
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    // proc_pid_stat(5): the name in parentheses can contain parentheses, so fields are counted from the last
    // one.
    const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || parent === undefined || group === undefined) continue;
    if (!zombiesToo && (state === 'Z' || state === 'X')) continue;
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
    // The process has ended, or is not readable.
    return '';
  }
}
