/** Finds and kills the workerd that this process has started, as a crash or the kernel would. */
import { readdirSync, readFileSync } from 'node:fs';
import type { World } from '../cli/demo/world.ts';
import { until } from './ask.ts';

/** Ids of the workerd processes that are children of this one: never another world's. */
function ownWorkerds(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        // `pid (comm) state ppid …`
        const [, comm, state, parent] =
          /^\d+ \((.*)\) (\w) (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return comm === 'workerd' && state !== 'Z' && Number(parent) === process.pid;
      } catch {
        return false; // it ended between the two looks
      }
    })
    .map(Number);
}

/** SIGKILL, and waits for its successor. `whileStill`: before there is one. */
export async function killWorkerd(world: World, whileStill: () => void = () => undefined): Promise<void> {
  const [pid, ...others] = ownWorkerds();
  if (pid === undefined || others.length > 0)
    throw new Error(`expected one workerd, found ${[pid, ...others].join(', ')}`);
  process.kill(pid, 'SIGSTOP');
  whileStill();
  process.kill(pid, 'SIGKILL');
  await until('the killed workerd to be gone', () => !ownWorkerds().includes(pid));
  await until('another workerd to answer', async () => {
    const answer = await fetch(`${world.bot.url}/healthz`, { signal: AbortSignal.timeout(10_000) }).catch(
      () => null,
    );
    return answer?.ok === true;
  });
}
