/** Starts Workflow instances: for a task, and for another attempt at its publication. */
import type { Approval } from '../core/authorization.ts';
import type { TaskRequest } from '../core/task.ts';
import type { InboxDeps } from '../tasks/queue/task-inbox.ts';
import { startTask, workflowIdOf } from '../tasks/start-task.ts';
import type { TaskDeps } from '../tasks/workflow/stage.ts';
import type { Env } from './env.ts';
import { instanceExists, recordOf } from './objects.ts';
import { log, now } from './runtime.ts';

export async function start(env: Env, request: TaskRequest): Promise<'started' | 'exists'> {
  return await startTask(request, {
    open: async (opening) => await recordOf(env, opening.taskId).open(opening),
    create: async (params) =>
      await env.TASK_WORKFLOW.create({ id: params.taskId, params: { kind: 'task', request: params } }),
    exists: async (taskId) => await instanceExists(env, taskId),
  });
}

/** Puts a request into the inbox of its channel, so that a rush in one channel does not delay the others. */
export async function accept(env: Env, request: TaskRequest): Promise<'started' | 'exists'> {
  const { trigger } = request;
  const place = trigger.kind === 'slack' ? `slack:${trigger.teamId}:${trigger.channelId}` : trigger.kind;
  return await env.TASK_INBOX.get(env.TASK_INBOX.idFromName(place)).accept(request);
}

export function composeInbox(env: Env): InboxDeps {
  return { start: async (request) => await start(env, request), now, log };
}

/** Each attempt has an instance of its own, because the one before has ended. */
export async function retryPublication(
  env: Env,
  taskId: string,
  approval: Approval | null,
): ReturnType<TaskDeps['retryPublication']> {
  const started = await recordOf(env, taskId).startPublicationAttempt(approval);
  if (!started.started) return started;
  await env.TASK_WORKFLOW.create({
    id: workflowIdOf(taskId, started.attempt),
    params: { kind: 'publish', request: started.request },
  });
  return { started: true };
}
