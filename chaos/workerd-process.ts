/** Finds and kills the workerd that this process has started, as a crash or the kernel would. */
import type { World } from '../cli/demo/world.ts';
import { until, untilAnswers } from './ask.ts';
import { workerdsOf } from './bot-process.ts';

/** Never another world's. */
const ownWorkerds = () => workerdsOf(process.pid);

/** SIGKILL, and waits for its successor. `whileStill`: before there is one. */
export async function killWorkerd(world: World, whileStill: () => void = () => undefined): Promise<void> {
  const [pid, ...others] = ownWorkerds();
  if (pid === undefined || others.length > 0)
    throw new Error(`expected one workerd, found ${[pid, ...others].join(', ')}`);
  process.kill(pid, 'SIGSTOP');
  whileStill();
  process.kill(pid, 'SIGKILL');
  await until('the killed workerd to be gone', () => !ownWorkerds().includes(pid));
  await untilAnswers(world);
}
