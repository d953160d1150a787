/**
 * Waits until its standard input closes, then kills each process that has the mark of the given run, until
 * none is left. Sandboxes have no such mark, as their environment is empty: they end with the host that
 * holds their control channel.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runMark } from './run-mark.ts';

const [run = ''] = process.argv.slice(2);
if (run === '') throw new Error('usage: watchdog RUN');
/** A process that is stuck in the kernel does not end: somebody else has to see to it. */
const maxRounds = 500;

process.stdin.resume();
await new Promise<void>((resolve) => process.stdin.once('close', resolve));
for (let round = 0; round < maxRounds; round += 1) {
  const marked = markedProcesses();
  if (marked.length === 0) break;
  for (const pid of marked) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in the meantime.
    }
  }
  await sleep(20);
}

/**
 * Without the zombies, whose environment is empty. None on a system without `/proc`, which has no sandboxes
 * either.
 */
function markedProcesses(): readonly number[] {
  const pids = folderOrNone('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => environmentOf(pid).includes(`${runMark}=${run}`)).map(Number);
}

function folderOrNone(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // It ended in the meantime, or belongs to another user.
  }
}
