/** Runs the exhaustion probes one after the other. */
import { randomBytes } from 'node:crypto';
import type { World } from '../cli/demo/world.ts';
import { budgetProbes } from './budgets.ts';
import { resourceProbes } from './exhaustion.ts';
import { small, type ExhaustionBench } from './exhaustion-bench.ts';
import { startHijacked, type HijackedTask } from './hijacked-task.ts';
import { hostResult, type Result } from './result.ts';

export const exhaustionProbes = [...resourceProbes, ...budgetProbes];

export async function exhaust(
  world: World,
  neighbour: HijackedTask,
  signal: AbortSignal,
  progress: (line: string) => void,
): Promise<readonly Result[]> {
  const tasks = new Map<string, Promise<HijackedTask>>();
  const taskNamed = async (name: string, repository: string) => {
    const task = tasks.get(name) ?? startHijacked(world, name, repository);
    tasks.set(name, task);
    return await task;
  };
  const bench: ExhaustionBench = {
    neighbour: neighbour.sandbox,
    fresh: async (spec) => {
      const sandbox = world.bot.sandboxOf(randomBytes(32).toString('hex'));
      await sandbox.start({ ...small, ...spec });
      return sandbox;
    },
    requests: async () => await taskNamed('requests', 'acme/split-bill'),
    tokens: async () => await taskNamed('tokens', 'acme/small-budget'),
  };
  const results: Result[] = [];
  for (const probe of exhaustionProbes) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    results.push(await hostResult('exhaustion', probe, bench));
    const seconds = (performance.now() - startedAt) / 1000;
    if (seconds > 5) progress(`exhaustion/${probe.id}: ${seconds.toFixed(0)} s`);
  }
  return results;
}
