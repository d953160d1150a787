/** Asks the ledger whether a task may still begin. `core/budget.ts` decides. */
import type { Authorization } from '../../core/authorization.ts';
import { budgetRefusal, hasCaps, monthOf } from '../../core/budget.ts';
import { personOf } from '../../core/person.ts';
import type { Reason, RoutedRequest } from '../../core/task.ts';
import type { TaskDeps } from './stage.ts';

/** null: it may. Rejects if the ledger cannot be asked. Without a cap it is not. */
export async function refusedByBudget(
  request: RoutedRequest,
  { facts, policy }: Pick<Authorization, 'facts' | 'policy'>,
  { spent, policy: { budget } }: Pick<TaskDeps, 'spent' | 'policy'>,
): Promise<Reason | null> {
  const budgets = { all: budget, repository: policy.budget };
  if (!hasCaps(budgets.all) && !hasCaps(budgets.repository)) return null;
  const month = monthOf(Date.parse(request.acceptedAt));
  const of = { taskId: request.taskId, repositoryId: facts.repositoryId, person: personOf(request) };
  return budgetRefusal(budgets, await spent(month, of), month, `${facts.owner}/${facts.name}`);
}
