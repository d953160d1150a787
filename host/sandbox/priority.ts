/** Lowers a sandbox's priority where no control group does, for good: once it is proven sealed. */
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { processTreeOf, readProcessTable } from './process-table.ts';

/** About a tenth of the weight of an ordinary process. */
const niceness = 10;
/** A thread can start another between the listing and the change, so this repeats until none is left. */
const maxRounds = 10;

/** `root`: process id of the root of the sandbox's process tree. */
export function lowerPriority(root: number): void {
  for (let round = 0; round < maxRounds; round++) {
    const ordinary = processTreeOf(readProcessTable(), root)
      .flatMap(({ pid }) => threadsOf(pid))
      .filter((thread) => (unlessEnded(() => getPriority(thread)) ?? niceness) < niceness);
    if (ordinary.length === 0) return;
    for (const thread of ordinary) unlessEnded(() => setPriority(thread, niceness));
  }
  throw new Error('the priority of the sandbox could not be lowered');
}

function threadsOf(pid: number): number[] {
  return (unlessEnded(() => readdirSync(`/proc/${pid}/task`)) ?? []).map(Number);
}

/** null if the process or thread has ended meanwhile. */
function unlessEnded<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && /ESRCH|ENOENT/.test(error.message)) return null;
    throw error;
  }
}
