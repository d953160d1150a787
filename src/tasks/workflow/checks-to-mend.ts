/**
 * Reads the checks that a task is to mend. A task looks only when somebody asks: a check that still fails
 * after its commit starts nothing.
 */
import { nothingFails, type CommitChecks } from '../../core/ask/checks.ts';
import type { Authorization } from '../../core/authorization.ts';
import type { RoutedRequest, TaskOutcome } from '../../core/task.ts';
import type { TaskDeps } from './stage.ts';

/** Null if the task has another job. */
export async function checksToMend(
  { ask }: RoutedRequest,
  { facts, baseSha }: Authorization,
  options: { readonly logs: boolean },
  { codeHost }: TaskDeps,
): Promise<CommitChecks | null> {
  if (ask.kind !== 'run' || ask.job !== 'fix-checks') return null;
  return await codeHost.commitChecks(facts, baseSha, options);
}

/**
 * The answer if none of a pull request's checks fails, so that no sandbox is started; null otherwise. Where
 * there is no pull request, the words may mean tests that no check runs.
 */
export async function nothingToMend(
  request: RoutedRequest,
  authorization: Authorization,
  deps: TaskDeps,
): Promise<TaskOutcome | null> {
  if (authorization.pull === null && authorization.continues === null) return null;
  const checks = await checksToMend(request, authorization, { logs: false }, deps);
  const message = checks === null ? null : nothingFails(checks);
  return message === null ? null : { kind: 'answered', message };
}
