/** Finds the Durable Objects and Workflow instances by what they belong to. */
import type { IssueTasks, TaskIndex } from '../core/ports/chat-port.ts';
import type { Slots } from '../core/ports/slots-port.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import { taskLimits } from '../tasks/limits.ts';
import { createTaskIndex } from '../tasks/queue/task-index.ts';
import { wakeEvent } from '../tasks/start-task.ts';
import type { Env } from './env.ts';
import { platformOf } from './platform.ts';

/** Finds a record by the id of its task's sandbox, the only thing that the egress handler knows. */
export function recordOfSandbox(env: Env, sandboxId: string) {
  return env.TASKS.get(env.TASKS.idFromName(sandboxId));
}

export function recordOf(env: Env, taskId: string) {
  return recordOfSandbox(env, platformOf(env).sandboxes().idFor(taskId));
}

/** One object for all tasks, so that no two of them get the last slot. */
export function slotsObjectOf(env: Env) {
  return env.SLOTS.get(env.SLOTS.idFromName('slots'));
}

export function slotsOf(env: Env): Slots {
  const object = slotsObjectOf(env);
  return {
    request: async (claim) => {
      // An async function: the stub returns a thenable of its own, which is no Promise.
      const asked = async () => await object.request(claim);
      return await withDeadline(asked(), taskLimits.slotCallMs, 'asking for a slot');
    },
    release: async (taskId) =>
      await withDeadline(object.release(taskId), taskLimits.slotCallMs, 'giving back a slot'),
  };
}

/** `team`: null when Slack is not configured. */
export function indexOf(env: Env, team: string | null): TaskIndex & IssueTasks {
  return createTaskIndex(team ?? 'none', (name) => env.TASK_INDEX.get(env.TASK_INDEX.idFromName(name)));
}

/** Wakes a Workflow instance that waits. Rejects if there is no such instance. */
export async function wakeInstance(env: Env, instanceId: string): Promise<void> {
  const instance = await env.TASK_WORKFLOW.get(instanceId);
  await instance.sendEvent({ type: wakeEvent, payload: {} });
}

export async function instanceExists(env: Env, instanceId: string): Promise<boolean> {
  return await env.TASK_WORKFLOW.get(instanceId).then(
    () => true,
    () => false,
  );
}

/**
 * False also for an instance that does not exist yet or cannot be asked now. A redelivery creates it, or the
 * watchdog ends the task.
 */
export async function instanceIsOver(env: Env, instanceId: string): Promise<boolean> {
  try {
    const { status } = await (await env.TASK_WORKFLOW.get(instanceId)).status();
    return status === 'errored' || status === 'terminated' || status === 'complete';
  } catch {
    return false;
  }
}
