/**
 * The end of every task, whatever happened before: the outcome is recorded and shown, the sandbox destroyed,
 * the tokens revoked.
 */
import type { WorkflowStep, WorkflowStepConfig } from 'cloudflare:workers';
import type { TaskOutcome, TaskRequest } from '../../core/task.ts';
import { phaseText } from '../../core/task-words.ts';
import { explainRename } from './rename.ts';
import { keptChange } from './stage-publish.ts';
import type { TaskDeps } from './stage.ts';
import { retryBriefly, retryLong } from './step-runner.ts';

export async function endTask(
  outcome: TaskOutcome,
  request: TaskRequest,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const { record, codeHost, log } = deps;
  const ended = await step.do('report', retryBriefly, async () => {
    await record.enter('report');
    await record.finish(await explainRename(outcome, deps));
    return (await record.snapshot())?.outcome ?? outcome;
  });
  // A post that its place does not take must not keep the sandbox alive or the task open.
  const bestEffort = async (name: string, config: WorkflowStepConfig, work: () => Promise<void>) =>
    await step
      .do(name, config, work)
      .catch((error: unknown) =>
        log(`task.${name}_failed`, { taskId: request.taskId, error: String(error) }),
      );
  await Promise.all([
    bestEffort('show', retryLong, async () => await record.updatePost()),
    bestEffort('cleanup', retryBriefly, async () => await record.close()),
  ]);
  // Last: the post would mint another token otherwise.
  await bestEffort('revoke', retryBriefly, async () => await codeHost.forgetTokens(request.taskId));
  return ended;
}

/**
 * The outcome after a step failed for good. The error itself goes to the log only: it can hold addresses or
 * upstream text.
 */
export async function explainFailure(
  error: unknown,
  request: TaskRequest,
  { record, log }: TaskDeps,
): Promise<TaskOutcome> {
  const phase = (await record.view())?.phase ?? 'accepted';
  log('task.failed', { taskId: request.taskId, phase, error: String(error) });
  const changeKept = (await record.kept(keptChange)) !== null;
  const remedy = changeKept
    ? 'The change is kept, and publishing it can be tried again; the API has it under `/api/tasks/<id>/change`.'
    : 'Ask again to start over.';
  const reason = {
    code: `step-failed.${phase}`,
    message: `The step “${phaseText(phase)}” failed even after retries. ${remedy}`,
  };
  return { kind: 'failed', reason, changeKept };
}
