/**
 * Ends what still runs in the sandbox, so that nothing changes the working tree while it is being read.
 * Spares itself and its ancestors, through which the sandbox is controlled. Never called outside a sandbox.
 */
import { readdir, readFile } from 'node:fs/promises';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly uid: number;
}

/** One process as /proc tells it; null when it is gone. */
async function processEntry(pid: number): Promise<ProcessEntry | null> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    // The name between the parentheses may hold anything, also a parenthesis: fields begin after the last one.
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

/** Us, our ancestors and the first process of the sandbox. */
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

/** Who has to go: same user, alive, not spared. */
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
    // Already gone, or never ours to signal: the next look at the table tells.
  }
}

/** kill(2): every process that we may signal, but not ourselves and not the first one. */
const everyOther = -1;

/**
 * Stops all before it looks, in one call: the kernel holds forks back while it signals everybody, and a child that is being born is
 * stopped with its parent. A look at /proc alone could miss a process that forks and ends faster than the look takes, again and
 * again. False when some remain after `timeoutMs`.
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
      // Through these the sandbox is controlled.
      for (const pid of spared) if (pid !== process.pid) signal(pid, 'SIGCONT');
    }
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
