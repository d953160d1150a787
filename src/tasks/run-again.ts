/**
 * Runs an ended task again because somebody asked for that on its page: with its words, options and place,
 * in the name of that person, whose access the new task checks as any other does.
 */
import { askersOf } from '../core/access/approver.ts';
import { repeatedTaskId, shortIdOf } from '../core/ids.ts';
import type { TaskRecordPort, TaskSnapshot } from '../core/ports/task-record.ts';
import { mayRunAgain } from '../core/run-again.ts';
import type { TaskRequest } from '../core/task.ts';

type RecordOf = (taskId: string) => Pick<TaskRecordPort, 'snapshot' | 'claimRetry'>;

/** Whether a repetition never got authorized, so that another one can take its place. */
export const isVoid = ({ outcome, authorization }: TaskSnapshot): boolean =>
  outcome !== null && authorization === null;

/** The id of the one task that repeats this one. It can have been started by somebody else. */
export async function claimRepetition(taskId: string, recordOf: RecordOf): Promise<string> {
  const record = recordOf(taskId);
  const repeated = await record.claimRetry(await repeatedTaskId(taskId, null), null);
  const other = await recordOf(repeated).snapshot();
  if (other === null || !isVoid(other)) return repeated;
  return await record.claimRetry(await repeatedTaskId(taskId, repeated), repeated);
}

export type RanAgain =
  | { readonly started: true; readonly taskId: string }
  | { readonly started: false; readonly reason: string };

/** `requester`: null for the operator. */
export async function runAgain(
  taskId: string,
  requester: TaskRequest['requester'],
  deps: {
    readonly recordOf: RecordOf;
    readonly start: (request: TaskRequest) => Promise<unknown>;
    readonly now: () => number;
  },
): Promise<RanAgain> {
  const snapshot = await deps.recordOf(taskId).snapshot();
  const refuse = (reason: string): RanAgain => ({ started: false, reason });
  if (snapshot === null) return refuse('The task is no longer kept. Ask for it again.');
  const { request, routed, outcome, place } = snapshot;
  if (outcome === null) return refuse('The task is still running. Cancel it first, or wait until it ends.');
  if (request.ask.kind !== 'run' || !mayRunAgain(outcome) || routed === null)
    return refuse('There is nothing to run again here. Ask for a new task where this one was asked.');
  const again = await claimRepetition(taskId, deps.recordOf);
  const { trigger } = request;
  // Somebody else can have started it. One that was claimed and not started is completed.
  if ((await deps.recordOf(again).snapshot()) === null)
    await deps.start({
      ...request,
      taskId: again,
      shortId: await shortIdOf(again),
      acceptedAt: new Date(deps.now()).toISOString(),
      repository: routed.repository,
      requester,
      askedBefore: askersOf(request),
      onPage: { repeats: taskId, by: requester === null ? 'operator' : 'person', place },
      trigger: trigger.kind === 'slack' ? { ...trigger, again: { by: 'retry', taskId } } : trigger,
    });
  return { started: true, taskId: again };
}
