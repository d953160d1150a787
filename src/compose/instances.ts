/** Starts Workflow instances: for a task, and for another attempt at its publication. */
import type { Approval } from '../core/authorization.ts';
import type { TaskRequest } from '../core/task.ts';
import type { InboxDeps } from '../tasks/queue/task-inbox.ts';
import { startTask } from '../tasks/start-task.ts';
import type { TaskDeps } from '../tasks/workflow/stage.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { count } from './metrics.ts';
import { createInstance, instanceState, listTask, recordOf } from './objects.ts';
import { log, now } from './runtime.ts';

export async function start(env: Env, request: TaskRequest): Promise<'started' | 'exists'> {
  const { trigger } = request;
  // First, so that a command on the same issue finds the task.
  // A retry becomes a run.
  if (trigger.kind === 'github' && ['run', 'retry'].includes(request.ask.kind))
    await baseOf(env).index.putOnIssue({ ...request, ...trigger, at: Date.parse(request.acceptedAt) });
  const listed = listTask(env, request.taskId);
  const started = await startTask(request, {
    open: async (opening) => await recordOf(env, opening.taskId).open(opening),
    create: async (params) => await createInstance(env, params, 0),
    exists: async (taskId) => {
      const state = await instanceState(env, taskId);
      return state === 'live' || state === 'over';
    },
  });
  await listed;
  return started;
}

/** Puts a request into the inbox of its repository on GitHub, or of its channel in Slack. */
export async function accept(env: Env, request: TaskRequest): Promise<'started' | 'exists'> {
  return await inboxOf(env, request).accept(request);
}

/** A rush in one repository or channel does not delay the others. */
export function inboxOf(env: Env, { trigger }: TaskRequest) {
  const place =
    trigger.kind === 'slack'
      ? `slack:${trigger.teamId}:${trigger.channelId}`
      : trigger.kind === 'github'
        ? `github:${trigger.repositoryId}`
        : trigger.kind;
  return env.TASK_INBOX.get(env.TASK_INBOX.idFromName(place));
}

const tally = {
  duplicate: 'airlock_duplicates_total',
  dropped: 'airlock_dropped_triggers_total',
} as const;

export function composeInbox(env: Env): InboxDeps {
  return {
    start: async (request) => await start(env, request),
    count: (as, source) => count(env, tally[as], { source }),
    now,
    log,
  };
}

/** Each attempt has an instance of its own, because the one before has ended. */
export async function retryPublication(
  env: Env,
  taskId: string,
  approval: Approval | null,
): ReturnType<TaskDeps['retryPublication']> {
  const started = await recordOf(env, taskId).startPublicationAttempt(approval);
  if (!started.started) return started;
  await createInstance(env, started.request, started.attempt);
  return { started: true };
}
