/** Finds the Durable Objects and Workflow instances by what they belong to. */
import type { LedgerQuery, LedgerRow } from '../core/ledger.ts';
import type { Conversations, IssueTasks, TaskIndex } from '../core/ports/chat-port.ts';
import type { Slots } from '../core/ports/slots-port.ts';
import type { TaskRequest } from '../core/task.ts';
import type { TokenLedger } from '../github/token-ledger.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import { taskLimits } from '../tasks/limits.ts';
import { createTaskIndex } from '../tasks/queue/task-index.ts';
import type { WorkflowState } from '../tasks/record/record.ts';
import { wakeEvent, workflowIdOf } from '../tasks/start-task.ts';
import type { Env } from './env.ts';
import { platformOf } from './platform.ts';
import { log } from './runtime.ts';

/**
 * Calls a Durable Object within a deadline. `what` is for the error: “listing tasks”. `call` is an async
 * function, because a stub returns a thenable of its own, which is no Promise.
 */
export async function ask<T>(what: string, call: () => Promise<T>): Promise<T> {
  return await withDeadline(call(), taskLimits.slotCallMs, what);
}

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

/** One object for all tasks: sums and lists need all rows. */
export function ledgerOf(env: Env) {
  return env.LEDGER.get(env.LEDGER.idFromName('ledger'));
}

export async function listLedger(env: Env, query: LedgerQuery): Promise<readonly LedgerRow[]> {
  return await ask('listing the ledger', async () => await ledgerOf(env).list(query));
}

export function slotsOf(env: Env): Slots {
  const object = slotsObjectOf(env);
  return {
    request: async (claim) => await ask('asking for a slot', async () => await object.request(claim)),
    release: async (taskId) => await ask('giving back a slot', async () => await object.release(taskId)),
  };
}

/** Lists the task. Never rejects: a task that is missing from the list is listed once it leaves the queue. */
export async function listTask(env: Env, taskId: string): Promise<void> {
  const listed = ask('listing a task', async () => await slotsObjectOf(env).accepted(taskId));
  await listed.catch((error: unknown) => log('task.not_listed', { taskId, error: String(error) }));
}

/** `team`: null when Slack is not configured. */
export function indexOf(env: Env, team: string | null): TaskIndex & IssueTasks & Conversations {
  return createTaskIndex(team ?? 'none', (name) => env.TASK_INDEX.get(env.TASK_INDEX.idFromName(name)));
}

/** Wakes a Workflow instance that waits. Rejects if there is no such instance. */
export async function wakeInstance(env: Env, instanceId: string): Promise<void> {
  const instance = await env.TASK_WORKFLOW.get(instanceId);
  await instance.sendEvent({ type: wakeEvent, payload: {} });
}

/** `attempts`: 0 for the whole task, else the number of its publication attempt. */
export async function createInstance(env: Env, request: TaskRequest, attempts: number): Promise<void> {
  const id = workflowIdOf(request.taskId, attempts);
  await env.TASK_WORKFLOW.create({ id, params: { kind: attempts === 0 ? 'task' : 'publish', request } });
}

export async function instanceState(env: Env, instanceId: string): Promise<WorkflowState> {
  try {
    const { status } = await (await env.TASK_WORKFLOW.get(instanceId)).status();
    return status === 'errored' || status === 'terminated' || status === 'complete' ? 'over' : 'live';
  } catch (error) {
    // The only sign of an instance that does not exist.
    return String(error).includes('not_found') ? 'missing' : 'unknown';
  }
}

/** Keeps the live tokens of a task with its record, so that another isolate can revoke them, too. */
export function tokenLedger(env: Env): TokenLedger {
  const call = async <T>(work: () => Promise<T>): Promise<T> => await ask('asking for tokens', work);
  return {
    remember: async (taskId, sealed, expiresAt) =>
      await call(async () => await recordOf(env, taskId).rememberToken(sealed, expiresAt)),
    live: async (taskId) => await call(async () => await recordOf(env, taskId).liveTokens()),
    forget: async (taskId, sealed) => await call(async () => await recordOf(env, taskId).forgetToken(sealed)),
  };
}
