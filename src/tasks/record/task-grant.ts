/** Derives a sandbox's grant from the task's state, and whether one of its budgets is used up. */
import type { BudgetName, Grant } from '../../core/grant.ts';
import { taskLimits } from '../limits.ts';
import { grantPhaseOf, type RecordState } from './record-state.ts';

/** Null if nothing was granted. The sandbox of an ended or cancelled task gets `sealed`. */
export function grantOf(state: RecordState): Grant | null {
  const { authorization } = state;
  if (authorization === null) return null;
  const { facts, policy } = authorization;
  const { owner, name, installationId, repositoryId } = facts;
  const over = state.outcome !== null || state.cancelledBy !== null || state.closed;
  return {
    taskId: state.request.taskId,
    phase: over ? 'sealed' : grantPhaseOf(state),
    repositories: [{ owner, name, installationId, repositoryId }],
    models: [authorization.model],
    canaryNonce: state.canaryNonce,
    alsoRead: authorization.alsoRead,
    lfs: policy.lfs,
    setupHosts: policy.setup?.hosts ?? [],
    registries: policy.setup?.registries ?? [],
    extraHosts: policy.extraHosts,
    budgets: {
      requests: taskLimits.requests,
      tokens: policy.limits.tokens,
      bytesUp: taskLimits.bytesUp,
      bytesDown: taskLimits.bytesDown,
    },
    used: { ...state.used, tokens: state.usage.totalTokens },
  };
}

/** Most telling to a person first. */
const budgetNames = ['tokens', 'requests', 'bytesUp', 'bytesDown'] as const satisfies readonly BudgetName[];

/** The budget that is used up, which ends the run; null while some of each is left. */
export function spentBudget(state: RecordState): BudgetName | null {
  const grant = grantOf(state);
  if (grant === null) return null;
  return budgetNames.find((name) => grant.used[name] >= grant.budgets[name]) ?? null;
}
