/**
 * Kills or stops all other processes in the sandbox, so that nothing changes the tree while it is read.
 * Spares its ancestors, through which the host controls the sandbox.
 */
import { readdir, readFile } from 'node:fs/promises';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly uid: number;
}

/** Reads one process from /proc; null if it has ended. */
async function processEntry(pid: number): Promise<ProcessEntry | null> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    // proc_pid_stat(5): the name in parentheses can contain parentheses, so fields are counted from the last
    // one.
    const [state = '', parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const uid = /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? '-1';
    return { pid, parent: Number(parent), state, uid: Number(uid) };
  } catch {
    // It ended between the listing and the reading.
    return null;
  }
}

async function processTable(): Promise<readonly ProcessEntry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.map(processEntry));
  return entries.filter((entry) => entry !== null);
}

/** Returns this process, its ancestors and the first process of the sandbox. */
function sparedProcesses(table: readonly ProcessEntry[], self: number): ReadonlySet<number> {
  const parents = new Map(table.map((entry) => [entry.pid, entry.parent]));
  const spared = new Set([1, self]);
  for (
    let pid = parents.get(self);
    pid !== undefined && pid > 0 && !spared.has(pid);
    pid = parents.get(pid)
  ) {
    spared.add(pid);
  }
  return spared;
}

/** Returns the live processes of this user that are not spared. */
function processesToEnd(
  table: readonly ProcessEntry[],
  spared: ReadonlySet<number>,
  uid: number,
): readonly number[] {
  return table
    .filter(
      (entry) => entry.uid === uid && !spared.has(entry.pid) && entry.state !== 'Z' && entry.state !== 'X',
    )
    .map((entry) => entry.pid);
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended, or belongs to another user. The next round reads the table again.
  }
}

/** kill(2): every process that this one is allowed to signal, except itself and process 1. */
const everyOther = -1;

/**
 * False if some remain after `timeoutMs`. Stops all with one signal before it lists them, during which the
 * kernel blocks forks: else a process that forks fast could be missed.
 */
export async function endOtherProcesses(timeoutMs: number): Promise<boolean> {
  const uid = process.getuid?.() ?? -1;
  const spared = sparedProcesses(await processTable(), process.pid);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      signal(everyOther, 'SIGSTOP');
      const pids = processesToEnd(await processTable(), spared, uid);
      if (pids.length === 0) return true;
      for (const pid of pids) signal(pid, 'SIGKILL');
    } finally {
      // The host controls the sandbox through these.
      for (const pid of spared) if (pid !== process.pid) signal(pid, 'SIGCONT');
    }
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

/**
 * Does work while all other processes are stopped, which then continue; null if some did not stop. Keeps
 * services from changing what is read. A program that wants to can wake itself, by a timer with SIGCONT.
 */
export async function whileOthersAreStopped<T>(timeoutMs: number, work: () => Promise<T>): Promise<T | null> {
  const uid = process.getuid?.() ?? -1;
  const spared = sparedProcesses(await processTable(), process.pid);
  const deadline = performance.now() + timeoutMs;
  try {
    signal(everyOther, 'SIGSTOP');
    for (const pid of spared) if (pid !== process.pid) signal(pid, 'SIGCONT');
    for (;;) {
      const table = await processTable();
      const running = table.filter(({ state }) => state !== 'T' && state !== 't');
      if (processesToEnd(running, spared, uid).length === 0) return await work();
      if (performance.now() > deadline) return null;
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  } finally {
    signal(everyOther, 'SIGCONT');
  }
}
