/** Saves the check run of a published commit. Best effort: no publication fails or waits long for it. */
import type { WorkflowStep } from 'cloudflare:workers';
import type { ReceiptCheck } from '../../core/ports/publication.ts';
import { finalReason } from '../../core/ports/upstream-error.ts';
import type { RepositoryFacts } from '../../core/task.ts';
import type { TaskDeps } from './stage.ts';
import { retryBriefly } from './step-runner.ts';

/** What the check run belongs to. */
interface Published {
  readonly check: ReceiptCheck;
  readonly facts: RepositoryFacts;
  readonly taskId: string;
}
type Deps = Pick<TaskDeps, 'publication' | 'log'>;

/** Rejects on transient errors. */
export async function saveReceiptCheck({ check, facts, taskId }: Published, deps: Deps): Promise<void> {
  const saved = await deps.publication.saveReceiptCheck(facts, taskId, check).catch((error: unknown) => {
    const reason = finalReason(error);
    if (reason === null) throw error;
    return reason.code;
  });
  if (saved === 'saved' || saved === 'exists' || saved === 'not-permitted') return;
  deps.log('check.not_saved', { taskId, why: saved });
}

export async function receiptCheckStep(what: Published, step: WorkflowStep, deps: Deps): Promise<void> {
  await step
    .do('check', retryBriefly, async () => await saveReceiptCheck(what, deps))
    .catch((error: unknown) => deps.log('check.not_saved', { taskId: what.taskId, why: String(error) }));
}
