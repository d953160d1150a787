/**
 * `retry` on GitHub: publishes the kept change of a failed task, or runs a task again that failed, was
 * cancelled, is held or ended as a patch. The comment's own task becomes the run: it is authorized by who
 * wrote `retry`, with the words, options and place of the first request.
 */
import { askersOf } from '../../core/access/approver.ts';
import { cameTooLate } from '../../core/lateness.ts';
import { shortIdOf } from '../../core/ids.ts';
import type { TaskSnapshot } from '../../core/ports/task-record.ts';
import { hasFailed } from '../../core/run-again.ts';
import type { RepositoryFacts, RoutedRequest } from '../../core/task.ts';
import { isVoid } from '../run-again.ts';
import { begunPublication, publishOnce } from './publish-once.ts';
import type { Stage, TaskDeps } from './stage.ts';

type Candidate = Pick<TaskSnapshot, 'request' | 'authorization' | 'outcome'>;

type RetryDecision =
  | { readonly kind: 'publish' | 'run'; readonly of: Candidate }
  | { readonly kind: 'nothing'; readonly message: string };

/** Takes the conversation's tasks, newest first. Never runs for one person what another was refused. */
function decideRetry(tasks: readonly Candidate[]): RetryDecision {
  for (const task of tasks) {
    const { request, authorization, outcome } = task;
    if (request.ask.kind !== 'run') continue;
    if (cameTooLate(outcome)) return { kind: 'run', of: task };
    if (authorization === null) continue;
    if (outcome === null) {
      const message = `Task ${request.shortId} is still running. Cancel it first, or wait until it ends.`;
      return { kind: 'nothing', message };
    }
    if (outcome.kind === 'failed' && outcome.changeKept) return { kind: 'publish', of: task };
    if (hasFailed(outcome)) return { kind: 'run', of: task };
  }
  return { kind: 'nothing', message: nothingText };
}

/** The task that this one repeats. */
const keptClaim = 'retries.txt';

const nothingText =
  'No task here has failed, so there is nothing to retry. Mention me with what you want done to start a new task.';

const publishingText =
  'I am retrying the publication of the kept change. The comment of its task shows the result.';

/** Returns the request to run, or the answer. Any other request is returned as it is. */
export async function retriedRequest(
  request: RoutedRequest,
  facts: RepositoryFacts,
  deps: TaskDeps,
): Promise<Stage<RoutedRequest>> {
  const { trigger, taskId } = request;
  if (request.ask.kind !== 'retry' || trigger.kind !== 'github') return { go: true, value: request };
  const answer = (message: string): Stage<never> => ({ go: false, outcome: { kind: 'answered', message } });
  const publish = async (of: string): Promise<Stage<never>> =>
    answer((await publishOnce({ taskId: of, changeHash: null }, null, deps)) ?? publishingText);
  const begun = await begunPublication(deps);
  if (begun !== null) return await publish(begun.taskId);
  // Another look at the same step repeats the same task, whatever has ended since.
  const claimed = await deps.record.kept(keptClaim);
  const ids =
    claimed === null ? await deps.issueTasks.onIssue(facts.repositoryId, trigger.issueNumber) : [claimed];
  const tasks: Candidate[] = [];
  for (const id of ids) {
    const snapshot = id === taskId ? null : await deps.recordOf(id).snapshot();
    if (snapshot !== null) tasks.push(snapshot);
  }
  const decision = decideRetry(tasks);
  if (decision.kind === 'nothing') return answer(decision.message);
  const { request: first } = decision.of;
  if (decision.kind === 'publish') return await publish(first.taskId);

  const by = await claim(first.taskId, taskId, deps);
  if (by !== taskId) {
    const [old, repeated] = [first.shortId, await shortIdOf(by)];
    return answer(`Task ${old} was already retried as ${repeated}. Retry that one instead, if it failed.`);
  }
  await deps.record.keep(keptClaim, first.taskId);
  const { ask, instruction, options } = first;
  // In the place of the first request: a line comment has its own context, and its answer its own thread.
  const isHere = first.trigger.kind === 'github' && first.trigger.issueNumber === trigger.issueNumber;
  const asked = {
    ask,
    instruction,
    options,
    trigger: isHere ? first.trigger : trigger,
    askedBefore: askersOf(first),
  };
  await deps.record.learn({ asked });
  return { go: true, value: { ...request, ...asked } };
}

/** Returns the task that repeats `first`. One that never got authorized does not count. */
async function claim(first: string, by: string, deps: TaskDeps): Promise<string> {
  const record = deps.recordOf(first);
  const repeated = await record.claimRetry(by, null);
  if (repeated === by) return by;
  const other = await deps.recordOf(repeated).snapshot();
  return other === null || isVoid(other) ? await record.claimRetry(by, repeated) : repeated;
}
