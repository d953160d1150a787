/** Runs a task's Workflow with its adapters. */
import type { WorkflowStep } from 'cloudflare:workers';
import type { TaskOutcome, TaskStart } from '../core/task.ts';
import { askedUrl } from '../github/asked-url.ts';
import { createCodeHost } from '../github/code-host.ts';
import { createPublication } from '../publish/publisher.ts';
import { withDeadline } from '../lib/with-deadline.ts';
import { taskLimits } from '../tasks/limits.ts';
import type { TaskDeps } from '../tasks/workflow/stage.ts';
import { stepsAgain } from '../tasks/workflow/steps-again.ts';
import { runTask } from '../tasks/workflow/workflow.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { inboxOf, retryPublication } from './instances.ts';
import { ledgerOf, recordOf, slotsOf } from './objects.ts';
import { platformOf } from './platform.ts';
import { log, now } from './runtime.ts';

export async function runTaskOf(env: Env, start: TaskStart, step: WorkflowStep): Promise<TaskOutcome> {
  const { request } = start;
  // It was opened before this instance was created. An empty one has lost its file, as to a damaged disk.
  const isLost = await withDeadline(
    recordOf(env, request.taskId).open(request),
    taskLimits.slotCallMs,
    'opening the record',
  ).then(
    ({ created }) => created,
    () => false,
  );
  if (isLost) log('task.record_lost', { taskId: request.taskId });
  return await runTask(start, isLost ? stepsAgain(step) : step, composeTask(env, request.taskId));
}

function composeTask(env: Env, taskId: string): TaskDeps {
  const { settings, codex, github, policy, chat, index, taskUrl } = baseOf(env);
  const platform = platformOf(env);
  const sandboxes = platform.sandboxes();
  const sandbox = sandboxes.get(sandboxes.idFor(taskId));
  return {
    record: recordOf(env, taskId),
    sandbox,
    slots: slotsOf(env),
    setupCache: platform.setupCache(taskId, sandbox),
    codex,
    codeHost: createCodeHost({ ...github, taskId }),
    publication: createPublication({ ...github, log }),
    policy,
    chat,
    index,
    conversations: index,
    issueTasks: index,
    settle: async (request, access) => {
      const settled = async () => await inboxOf(env, request).settle(request.taskId, access);
      return await withDeadline(settled(), taskLimits.slotCallMs, 'settling a trigger');
    },
    recordOf: (other) => recordOf(env, other),
    retryPublication: async (other, approval) => await retryPublication(env, other, approval),
    spent: async (month, of) => {
      const asked = async () => await ledgerOf(env).spent(month, of);
      return await withDeadline(asked(), taskLimits.slotCallMs, 'asking for what was spent');
    },
    taskUrl,
    askedUrl: (request) => askedUrl(settings.githubUrl, request),
    now,
    log,
  };
}
