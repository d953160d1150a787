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

/** Who has to go: same user, alive, neither us nor an ancestor of ours, nor the first process of the sandbox. */
function processesToEnd(table: readonly ProcessEntry[], self: number, uid: number): readonly number[] {
  const parents = new Map(table.map((entry) => [entry.pid, entry.parent]));
  const spared = new Set([1, self]);
  for (
    let pid = parents.get(self);
    pid !== undefined && pid > 0 && !spared.has(pid);
    pid = parents.get(pid)
  ) {
    spared.add(pid);
  }
  return table
    .filter(
      (entry) => entry.uid === uid && !spared.has(entry.pid) && entry.state !== 'Z' && entry.state !== 'X',
    )
    .map((entry) => entry.pid);
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone, or never ours to signal: the next look at the table tells.
  }
}

/**
 * Stops all before it kills any, so that a process that forks as fast as it dies cannot stay ahead; looks again until
 * nobody is left. False when some remain after `timeoutMs`.
 */
export async function endOtherProcesses(timeoutMs: number): Promise<boolean> {
  const uid = process.getuid?.() ?? -1;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const pids = processesToEnd(await processTable(), process.pid, uid);
    if (pids.length === 0) return true;
    if (performance.now() > deadline) return false;
    for (const pid of pids) signal(pid, 'SIGSTOP');
    for (const pid of pids) signal(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
