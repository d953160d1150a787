/**
 * What the processes below a given one use, read from the host's `/proc`. Decides nothing; `watchdog.ts` does.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessUse {
  readonly pid: number;
  readonly parent: number;
  readonly threads: number;
  /** Resident memory in pages; counts pages that processes share once for each. */
  readonly residentPages: number;
}

/** Every process that this user may see. About 15 µs for each. */
export function readProcessTable(): ProcessUse[] {
  const table: ProcessUse[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const use = parseStat(Number(name), readFileSync(`/proc/${name}/stat`, 'latin1'));
      if (use !== null) table.push(use);
    } catch {
      // It ended between the listing and the look.
    }
  }
  return table;
}

/** proc_pid_stat(5). The name in parentheses is the process's own choice, parentheses and spaces included. */
export function parseStat(pid: number, stat: string): ProcessUse | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [parent, threads, residentPages] = [fields[1], fields[17], fields[21]].map(Number);
  if (parent === undefined || threads === undefined || residentPages === undefined) return null;
  if (![parent, threads, residentPages].every(Number.isFinite)) return null;
  return { pid, parent, threads, residentPages };
}

/** The process itself and all below it. An orphan inside a process namespace goes to that namespace's first process, so none is lost. */
export function familyOf(table: readonly ProcessUse[], root: number): ProcessUse[] {
  const children = Map.groupBy(table, (use) => use.parent);
  const family = table.filter((use) => use.pid === root);
  for (const member of family) family.push(...(children.get(member.pid) ?? []));
  return family;
}

/** Memory with shared pages divided among their users, in bytes; null when the kernel does not say. Slower: walks the page tables. */
export function readProportionalBytes(pid: number): number | null {
  try {
    const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}
