/** Wires the sweep. */
import type { SweepDeps } from '../tasks/queue/sweep.ts';
import { taskLimits } from '../tasks/limits.ts';
import { workflowIdOf } from '../tasks/start-task.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { recordOf, slotsObjectOf, slotsOf, wakeInstance } from './objects.ts';
import { platformOf } from './platform.ts';
import { log, now } from './runtime.ts';

/** The record's own alarm comes first. */
const graceMs = 24 * 60 * 60_000;

/** Throws when the deployment is not configured; the next sweep after the repair reconciles. */
export function composeSweep(env: Env): SweepDeps {
  const sandboxes = platformOf(env).sandboxes();
  const slots = slotsObjectOf(env);
  const { retentionMs } = baseOf(env);
  return {
    watched: async (limit) =>
      await slots.watched(
        { freshSince: now() - taskLimits.authorizeMs, pastBefore: now() - retentionMs - graceMs },
        limit,
      ),
    wakeRecord: async (taskId) => await recordOf(env, taskId).wake(),
    destroySandbox: async (taskId) => await sandboxes.get(sandboxes.idFor(taskId)).destroy(),
    release: async (taskId) => await slotsOf(env).release(taskId),
    wakeWorkflow: async (taskId) => await wakeInstance(env, workflowIdOf(taskId, 0)),
    forget: async (taskId) => await slots.forget(taskId),
    readDeliveries: async () => await env.DELIVERIES.get(env.DELIVERIES.idFromName('deliveries')).wake(),
    log,
  };
}
