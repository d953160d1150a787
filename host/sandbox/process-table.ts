/** Reads threads and memory of process trees from `/proc`. `watchdog.ts` decides about them. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessUse {
  readonly pid: number;
  readonly parent: number;
  readonly threads: number;
  /** Resident memory in pages. A page that several processes share counts once for each. */
  readonly residentPages: number;
}

/** Lists every process visible to this user. */
export function readProcessTable(): ProcessUse[] {
  return readProcesses(readdirSync('/proc').map(Number).filter(Number.isInteger));
}

/**
 * Leaves out those that have ended. Takes about 8 µs per process. As UTF-8: with any other encoding Node
 * allocates 64 KiB outside its heap for each file, so V8 collects garbage often.
 */
export function readProcesses(pids: Iterable<number>): ProcessUse[] {
  const table: ProcessUse[] = [];
  for (const pid of pids) {
    try {
      const use = parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'utf8'));
      if (use !== null) table.push(use);
    } catch {
      // It ended between the listing and the read.
    }
  }
  return table;
}

/** proc_pid_stat(5). A process chooses the name in parentheses, which can contain them. */
export function parseStat(pid: number, stat: string): ProcessUse | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [parent, threads, residentPages] = [fields[1], fields[17], fields[21]].map(Number);
  if (parent === undefined || threads === undefined || residentPages === undefined) return null;
  if (![parent, threads, residentPages].every(Number.isFinite)) return null;
  return { pid, parent, threads, residentPages };
}

/** In clock ticks since boot: with the pid it identifies a process. Null if it has ended. */
export function readStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** With orphans, which the kernel makes children of the first process of their PID namespace. */
export function processTreeOf(table: readonly ProcessUse[], root: number): ProcessUse[] {
  const children = Map.groupBy(table, (use) => use.parent);
  const tree = table.filter((use) => use.pid === root);
  for (const member of tree) tree.push(...(children.get(member.pid) ?? []));
  return tree;
}

/** The proportional set size; null if not reported. Slow: the kernel walks the page tables. */
export function readProportionalBytes(pid: number): number | null {
  try {
    const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}
