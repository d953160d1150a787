/** Wires the sweep. Apart from `composition.ts` only because that is long. */
import { retentionMsOf } from './tasks.ts';
import { recordOf, sandboxesOf, slotsOf, type Env } from './env.ts';
import { log } from './runtime.ts';
import type { SweepDeps } from '../tasks/queue/sweep.ts';

/** How much later than it should have a record is looked after: its own alarm comes first. */
const graceMs = 24 * 60 * 60_000;

/** Throws when the deployment is not configured. Then there is nothing to wake anything for; the next sweep after the repair does it. */
export function composeSweep(env: Env): SweepDeps {
  const sandboxes = sandboxesOf(env);
  const slots = env.SLOTS.get(env.SLOTS.idFromName('slots'));
  const retentionMs = retentionMsOf(env);
  return {
    watched: async (limit) => await slots.watched(Date.now() - retentionMs - graceMs, limit),
    wakeRecord: async (taskId) => await recordOf(env, taskId).wake(),
    destroySandbox: async (taskId) => await sandboxes.get(sandboxes.idFor(taskId)).destroy(),
    release: async (taskId) => await slotsOf(env).release(taskId),
    forget: async (taskId) => await slots.forget(taskId),
    log,
  };
}
