/**
 * Waits until its standard input closes, then kills each process with the run's mark. Spares a living run's
 * children, which it ends itself. Sandboxes, without an environment, end with their host.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessTable } from '../../host/sandbox/process-table.ts';
import { runMark } from './run-mark.ts';

const [run = ''] = process.argv.slice(2);
if (run === '') throw new Error('usage: watchdog RUN');
/** A process that is stuck in the kernel does not end: somebody else has to see to it. */
const maxRounds = 500;

process.stdin.resume();
await new Promise<void>((resolve) => process.stdin.once('close', resolve));
for (let round = 0; round < maxRounds; round += 1) {
  const marked = processesToEnd();
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

/** Without zombies, whose environment is empty. */
function processesToEnd(): readonly number[] {
  const marked = readProcessTable().filter(({ pid }) => environmentOf(pid).includes(`${runMark}=${run}`));
  const main = Number(run.split('-')[0]);
  return marked.filter(({ parent }) => parent !== main).map(({ pid }) => pid);
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // It ended in the meantime, or belongs to another user.
  }
}
