/**
 * What a task's sandbox may reach, made from the task's state: which phase the grant is in and which may follow, and whether a
 * budget is used up. Pure. What a grant allows is the egress handler's decision.
 */
import { grantPhases, type BudgetName, type Grant, type GrantPhase } from '../../core/grant.ts';
import { taskLimits } from '../limits.ts';
import type { TaskState } from './task-state.ts';

/**
 * Phases only go forward: what was open while cloning or during setup is closed for good before Codex starts, also for an attempt
 * of an earlier step that comes late. Entering the same phase again changes nothing. null: that phase is over.
 */
export function advanceGrant(state: TaskState, to: GrantPhase): TaskState | null {
  const from = state.grantPhase;
  if (from === to) return state;
  if (from !== null && grantPhases.indexOf(to) < grantPhases.indexOf(from)) return null;
  return { ...state, grantPhase: to };
}

/** What the egress handler may know; null when nothing was granted. A sandbox of an ended task gets `sealed`. */
export function grantOf(state: TaskState): Grant | null {
  const { authorization } = state;
  if (authorization === null) return null;
  const { facts, policy } = authorization;
  const { owner, name, installationId, repositoryId } = facts;
  const over = state.outcome !== null || state.cancelledBy !== null || state.closed;
  return {
    taskId: state.request.taskId,
    phase: over ? 'sealed' : (state.grantPhase ?? 'sealed'),
    repositories: [{ owner, name, installationId, repositoryId }],
    models: [authorization.model],
    canaryNonce: state.canaryNonce,
    alsoRead: authorization.alsoRead,
    lfs: policy.lfs,
    setupHosts: policy.setup?.hosts ?? [],
    extraHosts: policy.extraHosts,
    budgets: {
      requests: taskLimits.requests,
      tokens: policy.limits.tokens,
      bytesUp: taskLimits.bytesUp,
      bytesDown: taskLimits.bytesDown,
    },
    used: { bytesUp: 0, bytesDown: 0, ...state.used },
  };
}

/** In the order of what most tells a person what happened. */
const budgetNames = ['tokens', 'requests', 'bytesUp', 'bytesDown'] as const satisfies readonly BudgetName[];

/** The budget that is used up, so that the run is ended; null while there is some of each. */
export function spentBudget(state: TaskState): BudgetName | null {
  const grant = grantOf(state);
  if (grant === null) return null;
  return budgetNames.find((name) => grant.used[name] >= grant.budgets[name]) ?? null;
}
