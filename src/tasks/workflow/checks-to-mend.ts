/**
 * Reads the checks that a task is to mend. A task looks only when somebody asks: a check that still fails
 * after its commit starts nothing.
 */
import { nothingFails, type CommitChecks } from '../../core/ask/checks.ts';
import { speaksOfChecks } from '../../core/ask/instruction.ts';
import type { Authorization } from '../../core/authorization.ts';
import type { RoutedRequest, TaskOutcome } from '../../core/task.ts';
import type { TaskDeps } from './stage.ts';

export const mendsChecks = ({ ask }: Pick<RoutedRequest, 'ask'>): boolean =>
  ask.kind === 'run' && ask.job === 'fix-checks';

/** Null for words that do not speak of checks, and for those of an issue unless it is the task's job. */
export async function checksToMend(
  request: RoutedRequest,
  { facts, baseSha, pull, continues }: Authorization,
  options: { readonly logs: boolean },
  { codeHost }: TaskDeps,
): Promise<CommitChecks | null> {
  const { ask, instruction } = request;
  const isAbout =
    mendsChecks(request) ||
    (ask.kind === 'run' &&
      ask.job === undefined &&
      (pull !== null || continues !== null) &&
      speaksOfChecks(instruction));
  return isAbout ? await codeHost.commitChecks(facts, baseSha, options) : null;
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
  const { pull, continues } = authorization;
  if (!mendsChecks(request) || (pull === null && continues === null)) return null;
  const checks = await checksToMend(request, authorization, { logs: false }, deps);
  const message = checks === null ? null : nothingFails(checks);
  return message === null ? null : { kind: 'answered', message };
}
