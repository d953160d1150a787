/**
 * The state of one task's record and every change it can take, as pure functions with `now` as an argument.
 * Storage is `record-store.ts`, effects are `record.ts`.
 */
import type { Grant, GrantPhase, Receipt } from '../core/grant.ts';
import type { AgentEnd, Authorization } from '../core/ports.ts';
import type { Progress } from '../core/progress.ts';
import type { TaskView } from '../core/task-view.ts';
import type { RepositoryFacts, TaskOutcome, TaskPhase, TaskRequest } from '../core/task.ts';
import { taskLimits } from './limits.ts';

export interface TaskState {
  readonly request: TaskRequest;
  readonly phase: TaskPhase;
  readonly phases: readonly { readonly phase: TaskPhase; readonly at: number }[];
  /** Set before authorization, so that a refusal can be posted. */
  readonly facts: RepositoryFacts | null;
  readonly authorization: Authorization | null;
  readonly grantPhase: GrantPhase;
  readonly canaryNonce: string;
  readonly used: {
    readonly requests: number;
    readonly tokens: number;
    readonly bytesUp?: number;
    readonly bytesDown?: number;
  };
  /** When Codex is ended and what it did so far is collected; null before it runs. */
  readonly agentDeadlineAt: number | null;
  /** Where the observer is in the run's output. */
  readonly offset: number;
  readonly observing: boolean;
  readonly agentEnd: AgentEnd | null;
  readonly change: TaskView['change'];
  readonly commentId: number | null;
  readonly cancelledBy: string | null;
  readonly outcome: TaskOutcome | null;
  readonly endedAt: number | null;
  /** When the publication was last tried anew, and how often; the watchdog counts from there. */
  readonly reopenedAt: number | null;
  readonly reopenings: number;
  /** True once the sandbox is known to be destroyed. */
  readonly closed: boolean;
}

export function openState(request: TaskRequest, canaryNonce: string, now: number): TaskState {
  return {
    request,
    phase: 'accepted',
    phases: [{ phase: 'accepted', at: now }],
    facts: null,
    authorization: null,
    grantPhase: 'sealed',
    canaryNonce,
    used: { requests: 0, tokens: 0 },
    agentDeadlineAt: null,
    offset: 0,
    observing: false,
    agentEnd: null,
    change: null,
    commentId: null,
    cancelledBy: null,
    outcome: null,
    endedAt: null,
    reopenedAt: null,
    reopenings: 0,
    closed: false,
  };
}

/** Entering a phase again (a step's second attempt) changes nothing. */
export function enterPhase(state: TaskState, phase: TaskPhase, now: number): TaskState {
  if (state.phases.some((entered) => entered.phase === phase)) return state;
  return { ...state, phase, phases: [...state.phases, { phase, at: now }] };
}

export function startObserving(state: TaskState, now: number): TaskState {
  if (state.observing || state.agentEnd !== null || state.authorization === null) return state;
  return { ...state, observing: true, agentDeadlineAt: now + state.authorization.limits.minutes * 60_000 };
}

/**
 * What the heartbeat has to do. `end-run`: the agent's time is up, its work so far is collected. `give-up`: the task
 * as a whole is overdue, so the Workflow must be dead; the record ends the task itself. Default is to do nothing: an
 * alarm that comes too early must not cost a run.
 */
export function watchdog(
  state: TaskState,
  now: number,
): 'nothing' | 'close' | 'end-run' | 'give-up' | 'notify-again' {
  if (state.outcome !== null) return state.closed ? 'nothing' : 'close';
  const since = state.reopenedAt ?? Date.parse(state.request.acceptedAt);
  const minutes = state.authorization?.limits.minutes ?? 0;
  if (now > since + minutes * 60_000 + taskLimits.overheadMs) return 'give-up';
  if (state.agentEnd !== null) return state.phase === 'codex' ? 'notify-again' : 'nothing';
  if (state.agentDeadlineAt !== null && now > state.agentDeadlineAt) return 'end-run';
  return 'nothing';
}

/** What the egress handler may know; null when nothing was granted. A sandbox of an ended task gets `sealed`. */
export function grantOf(state: TaskState): Grant | null {
  const { authorization } = state;
  if (authorization === null) return null;
  const { owner, name, installationId, repositoryId } = authorization.facts;
  const over = state.outcome !== null || state.cancelledBy !== null || state.closed;
  return {
    taskId: state.request.taskId,
    phase: over ? 'sealed' : state.grantPhase,
    repositories: [{ owner, name, installationId, repositoryId }],
    models: authorization.models,
    canaryNonce: state.canaryNonce,
    alsoRead: [],
    lfs: false,
    setupHosts: [],
    extraHosts: [],
    budgets: {
      requests: taskLimits.requests,
      tokens: authorization.limits.tokens,
      bytesUp: taskLimits.bytesUp,
      bytesDown: taskLimits.bytesDown,
    },
    used: { bytesUp: 0, bytesDown: 0, ...state.used },
  };
}

/** The last phase in which a cancellation still stops everything: from `publish` on the pull request is being made. */
export function mayCancel(state: TaskState): { readonly may: boolean; readonly reason: string } {
  if (state.outcome !== null) return { may: false, reason: 'The task has already ended.' };
  if (state.cancelledBy !== null) return { may: true, reason: 'The task is already being cancelled.' };
  if (state.phase === 'publish' || state.phase === 'report' || state.phase === 'ended')
    return { may: false, reason: 'The change is already being published; close the pull request instead.' };
  return { may: true, reason: 'Cancelled.' };
}

/** Publishing alone is tried again: the change is kept, and nothing runs in a sandbox any more. */
export function reopen(state: TaskState, now: number): TaskState | { readonly reason: string } {
  if (state.outcome === null) return { reason: 'The task has not ended yet.' };
  if (state.outcome.kind !== 'failed' || !state.outcome.changeKept)
    return {
      reason: 'There is no kept change to publish: only a task whose publication failed can be tried again.',
    };
  const phases = state.phases.filter(({ phase }) => !['gate', 'publish', 'report', 'ended'].includes(phase));
  return {
    ...state,
    phase: 'collect',
    phases,
    outcome: null,
    endedAt: null,
    reopenedAt: now,
    reopenings: state.reopenings + 1,
  };
}

export function viewOf(state: TaskState, progress: Progress | null, receipt: Receipt, now: number): TaskView {
  const { request, authorization } = state;
  const acceptedAt = Date.parse(request.acceptedAt);
  return {
    taskId: request.taskId,
    shortId: request.shortId,
    status: state.outcome !== null ? 'ended' : state.phase === 'accepted' ? 'accepted' : 'running',
    phase: state.phase,
    phases: state.phases,
    repository: request.repository,
    issueNumber: request.trigger.kind === 'github' ? request.trigger.issueNumber : null,
    requester: request.requester?.login ?? null,
    instruction: request.instruction,
    acceptedAt: request.acceptedAt,
    endedAt: state.endedAt === null ? null : new Date(state.endedAt).toISOString(),
    elapsedMs: Math.max(0, (state.endedAt ?? now) - acceptedAt),
    base: authorization === null ? null : { branch: authorization.baseBranch, sha: authorization.baseSha },
    model: authorization?.model ?? null,
    effort: authorization?.effort ?? null,
    progress,
    receipt,
    change: state.change,
    outcome: state.outcome,
  };
}
