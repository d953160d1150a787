/** Runs, one after the other, the probes that are driven from outside and need sandboxes of their own. */
import { randomBytes } from 'node:crypto';
import type { World } from '../cli/demo/world.ts';
import { budgetProbes } from './budgets.ts';
import { crossingProbes } from './crossing.ts';
import { startWithDescriptors, type Inherited } from './descriptors.ts';
import { resourceProbes } from './exhaustion.ts';
import { small, type ExhaustionBench } from './exhaustion-bench.ts';
import { startHijacked, type HijackedTask } from './hijacked-task.ts';
import { hostResult, keyOf, type Result } from './result.ts';

export const drivenProbes = {
  crossing: crossingProbes,
  exhaustion: [...resourceProbes, ...budgetProbes],
} as const;

export async function exhaust(
  world: World,
  neighbour: HijackedTask,
  wanted: (key: string) => boolean,
  signal: AbortSignal,
  progress: (line: string) => void,
): Promise<readonly Result[]> {
  const tasks = new Map<string, Promise<HijackedTask>>();
  const taskNamed = async (name: string, repository: string) => {
    const task = tasks.get(name) ?? startHijacked(world, name, repository);
    tasks.set(name, task);
    return await task;
  };
  let inherited: Promise<Inherited> | undefined;
  const bench: ExhaustionBench = {
    neighbour: neighbour.sandbox,
    fresh: async (spec) => {
      const sandbox = world.bot.sandboxOf(randomBytes(32).toString('hex'));
      await sandbox.start({ ...small, ...spec });
      return sandbox;
    },
    requests: async () => await taskNamed('requests', 'acme/split-bill'),
    tokens: async () => await taskNamed('tokens', 'acme/small-budget'),
    transfers: async () => await taskNamed('transfers', 'acme/split-bill'),
    descriptors: async () => await (inherited ??= startWithDescriptors()),
  };
  const results: Result[] = [];
  const probes = (['crossing', 'exhaustion'] as const).flatMap((group) =>
    drivenProbes[group].filter(({ id }) => wanted(keyOf(group, id))).map((probe) => ({ group, probe })),
  );
  for (const { group, probe } of probes) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    results.push(await hostResult(group, probe, bench));
    const seconds = (performance.now() - startedAt) / 1000;
    if (seconds > 5) progress(`${group}/${probe.id}: ${seconds.toFixed(0)} s`);
  }
  return results;
}
