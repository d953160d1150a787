/** Runs a task's Workflow with its adapters. */
import type { WorkflowStep } from 'cloudflare:workers';
import type { TaskOutcome, TaskStart } from '../core/task.ts';
import { askedUrl } from '../github/asked-url.ts';
import { createCodeHost } from '../github/code-host.ts';
import { createPublication } from '../publish/publisher.ts';
import type { TaskDeps } from '../tasks/workflow/stage.ts';
import { stepsAgain } from '../tasks/workflow/steps-again.ts';
import { runTask } from '../tasks/workflow/workflow.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { inboxOf, retryPublication } from './instances.ts';
import { ask, ledgerOf, recordOf, slotsOf } from './objects.ts';
import { platformOf } from './platform.ts';
import { log, now } from './runtime.ts';

export async function runTaskOf(env: Env, start: TaskStart, step: WorkflowStep): Promise<TaskOutcome> {
  const { request } = start;
  // It was opened before this instance was created. An empty one has lost its file, as to a damaged disk.
  const opened = ask('opening the record', async () => await recordOf(env, request.taskId).open(request));
  const isLost = await opened.then(
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
    settle: async (request, access) =>
      await ask('settling a trigger', async () => await inboxOf(env, request).settle(request.taskId, access)),
    recordOf: (other) => recordOf(env, other),
    retryPublication: async (other, approval) => await retryPublication(env, other, approval),
    spent: async (month, of) =>
      await ask('asking for what was spent', async () => await ledgerOf(env).spent(month, of)),
    taskUrl,
    askedUrl: (request) => askedUrl(settings.githubUrl, request),
    now,
    log,
  };
}
