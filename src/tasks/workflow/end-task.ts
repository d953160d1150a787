/** The end of every task: outcome recorded and shown, sandbox destroyed, tokens revoked. */
import type { WorkflowStep, WorkflowStepConfig } from 'cloudflare:workers';
import { cameTooLate } from '../../core/lateness.ts';
import type { Reaction } from '../../core/ports/code-host.ts';
import { reasonOf, withKeptChange } from '../../core/reason.ts';
import { taskPhases, type TaskOutcome, type TaskRequest } from '../../core/task.ts';
import { phaseText } from '../../core/task-words.ts';
import { explainRename } from './rename.ts';
import { replyToLines } from './reply-to-lines.ts';
import { rememberTurn } from './conversation.ts';
import { keptChange } from '../run-names.ts';
import type { TaskDeps } from './stage.ts';
import { retryBriefly, retryLong, UpstreamEnd } from './step-runner.ts';

export async function endTask(
  outcome: TaskOutcome,
  request: TaskRequest,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const { record, codeHost, chat, log } = deps;
  const ended = await step.do('report', retryBriefly, async () => {
    await record.enter('report');
    const final = await explainRename(outcome, deps);
    // First: who sees the end can ask for the next turn at once. The step below tries again.
    await rememberTurn(deps, final).catch(() => undefined);
    await record.finish(final);
    return (await record.snapshot())?.outcome ?? outcome;
  });
  // A post that its place does not take must not keep the sandbox alive or the task open.
  const bestEffort = async (name: string, config: WorkflowStepConfig, work: () => Promise<void>) =>
    await step
      .do(name, config, work)
      .catch((error: unknown) =>
        log(`task.${name}_failed`, { taskId: request.taskId, error: String(error) }),
      );
  const onPullRequest = request.trigger.kind === 'github' && request.trigger.onPullRequest;
  await Promise.all([
    bestEffort('show', retryLong, async () => await record.updatePost()),
    onPullRequest ? bestEffort('reply', retryLong, async () => await replyToLines(ended, deps)) : null,
    bestEffort('react', retryBriefly, async () => {
      const snapshot = await record.snapshot();
      const facts = snapshot?.authorization?.facts;
      const reaction = endReaction(ended);
      if (ended.kind === 'steered' && request.trigger.kind === 'slack')
        await chat?.react(request.trigger, 'white_check_mark');
      // Where the first one is: which part of a review asked is known only after it was read.
      if (facts !== undefined && reaction !== null)
        await codeHost.react(facts, snapshot?.request ?? request, reaction);
    }),
    bestEffort('cleanup', retryBriefly, async () => {
      await record.close();
      const { trigger, taskId } = request;
      const authorized = (await record.snapshot())?.authorization != null;
      if (
        trigger.kind === 'github' &&
        !keepsChange(ended) &&
        !(authorized && canRunAgain(ended)) &&
        !cameTooLate(ended)
      )
        await deps.issueTasks.removeFromIssue({ taskId, repositoryId: trigger.repositoryId });
    }),
  ]);
  // Again after the post in Slack, below which the conversation can continue.
  await bestEffort('remember', retryBriefly, async () => await rememberTurn(deps));
  // Last: the post would mint another token otherwise.
  await bestEffort('revoke', retryBriefly, async () => await codeHost.forgetTokens(request.taskId));
  return ended;
}

const keepsChange = (outcome: TaskOutcome): boolean =>
  outcome.kind === 'held' || (outcome.kind === 'failed' && outcome.changeKept);

/** For `retry`. A task that was never authorized is not kept for it. */
const canRunAgain = ({ kind }: TaskOutcome): boolean =>
  kind === 'failed' || kind === 'cancelled' || kind === 'patch';

/** null: a command was answered, and got no 👀, or another task answers, and 👀 stays. */
function endReaction({ kind }: TaskOutcome): Reaction | null {
  if (kind === 'answered' || kind === 'ignored' || kind === 'steered') return null;
  return kind === 'pull-request' || kind === 'replied' ? 'rocket' : 'confused';
}

/** The outcome after a step failed for good, told by its cause. */
export async function explainFailure(
  error: unknown,
  request: TaskRequest,
  { record, log }: TaskDeps,
): Promise<TaskOutcome> {
  const phase = (await record.view())?.phase ?? 'accepted';
  log('task.failed', { taskId: request.taskId, phase, error: String(error) });
  const changeKept = (await record.kept(keptChange)) !== null;
  if (error instanceof UpstreamEnd && error.isFinal) {
    const { reason } = error;
    // Nothing was begun that could have failed.
    const isStarted = taskPhases.indexOf(phase) >= taskPhases.indexOf('clone');
    return isStarted ? { kind: 'failed', reason, changeKept } : { kind: 'refused', reason };
  }
  // The error itself goes to the log only: it can hold addresses or upstream text.
  const reason =
    error instanceof UpstreamEnd ? error.reason : reasonOf('step-failed', { phase: phaseText(phase) });
  return { kind: 'failed', reason: changeKept ? withKeptChange(reason) : reason, changeKept };
}
