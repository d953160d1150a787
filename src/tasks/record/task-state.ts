/**
 * The state of one task's record and every change it can take, as pure functions with `now` as an argument.
 * What the sandbox may reach is `task-grant.ts`; storage is `record-store.ts`, effects are `record.ts`.
 */
import type { GrantPhase, Receipt } from '../../core/grant.ts';
import type { Routing } from '../../core/chat.ts';
import type { AgentEnd, Approval, Authorization } from '../../core/authorization.ts';
import type { Progress } from '../../core/progress.ts';
import type { SetupReport } from '../../core/setup.ts';
import { setupView } from '../../core/setup-view.ts';
import type { TaskView } from '../../core/task-view.ts';
import {
  taskPhases,
  type RepositoryFacts,
  type RepositoryRef,
  type RoutedRequest,
  type TaskOutcome,
  type TaskPhase,
  type TaskRequest,
} from '../../core/task.ts';
import { ranIn, withCommands } from './denied-commands.ts';

/** Where the task's one comment or message stands. */
export type Posted =
  | { readonly surface: 'github'; readonly commentId: number }
  | { readonly surface: 'slack'; readonly channelId: string; readonly ts: string };

export interface TaskState {
  readonly request: TaskRequest;
  /** null before routing, and where the place says it. */
  readonly routing: Routing | null;
  /** What the asker is called in Slack. */
  readonly requesterName: string | null;
  /** What there is to choose from; null when there is nothing to choose, or no more. */
  readonly choices: readonly RepositoryRef[] | null;
  readonly choice: RepositoryRef | null;
  /** The place in the queue that was last heard of; null before. */
  readonly queuePosition: number | null;
  readonly phase: TaskPhase;
  readonly phases: readonly { readonly phase: TaskPhase; readonly at: number }[];
  /** Set before authorization, so that a refusal can be posted. */
  readonly facts: RepositoryFacts | null;
  readonly authorization: Authorization | null;
  /** null before the first one. */
  readonly grantPhase: GrantPhase | null;
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
  readonly posted: Posted | null;
  /** True once people were shown the end. */
  readonly endShown: boolean;
  readonly cancelledBy: string | null;
  readonly outcome: TaskOutcome | null;
  readonly endedAt: number | null;
  /** When the publication was last tried anew, and how often; the watchdog counts from there. */
  readonly reopenedAt: number | null;
  readonly reopenings: number;
  /** Of the change that was held; what publication was reopened with. */
  readonly approval: Approval | null;
  /** True once the sandbox is known to be destroyed. */
  readonly closed: boolean;
}

export function openState(request: TaskRequest, canaryNonce: string, now: number): TaskState {
  return {
    request,
    routing: null,
    requesterName: null,
    choices: null,
    choice: null,
    queuePosition: null,
    phase: 'accepted',
    phases: [{ phase: 'accepted', at: now }],
    facts: null,
    authorization: null,
    grantPhase: null,
    canaryNonce,
    used: { requests: 0, tokens: 0 },
    agentDeadlineAt: null,
    offset: 0,
    observing: false,
    agentEnd: null,
    change: null,
    posted: null,
    endShown: false,
    cancelledBy: null,
    outcome: null,
    endedAt: null,
    reopenedAt: null,
    reopenings: 0,
    approval: null,
    closed: false,
  };
}

/** A state as an earlier version wrote it: what it did not know yet is as at the beginning. */
export function restoreState(stored: TaskState & { readonly commentId?: number | null }): TaskState {
  const { commentId, ...rest } = stored;
  const opened = { ...openState(stored.request, stored.canaryNonce, 0), ...rest };
  const restored: TaskState = {
    ...opened,
    // It was also the phase before the first one.
    grantPhase: opened.grantPhase === 'sealed' && opened.agentEnd === null ? null : opened.grantPhase,
  };
  return commentId == null ? restored : { ...restored, posted: { surface: 'github', commentId } };
}

/** The request with its repository; null before routing. */
export function routedRequestOf({ request, routing }: TaskState): RoutedRequest | null {
  const repository = request.repository ?? routing?.repository ?? null;
  return repository === null ? null : { ...request, repository };
}

/** Offers a choice once: an attempt that comes again after somebody has chosen must not ask again. */
export function offer(state: TaskState, choices: readonly RepositoryRef[]): TaskState {
  return state.choice !== null || state.outcome !== null ? state : { ...state, choices };
}

/** null when this cannot be chosen, or nothing can be any more. The same choice again is the same choice. */
export function choose(state: TaskState, { owner, name }: RepositoryRef): TaskState | null {
  if (state.choice !== null) return state.choice.owner === owner && state.choice.name === name ? state : null;
  if (state.outcome !== null || state.cancelledBy !== null) return null;
  const chosen = state.choices?.find((choice) => choice.owner === owner && choice.name === name);
  return chosen === undefined ? null : { ...state, choice: chosen, choices: null };
}

/** Entering a phase again (a step's second attempt) changes nothing. Some are entered side by side: the furthest one is where the task is. */
export function enterPhase(state: TaskState, phase: TaskPhase, now: number): TaskState {
  if (state.phases.some((entered) => entered.phase === phase)) return state;
  const furthest = taskPhases.indexOf(phase) > taskPhases.indexOf(state.phase) ? phase : state.phase;
  return { ...state, phase: furthest, phases: [...state.phases, { phase, at: now }] };
}

/** Since when the task waits for a slot, or for what it asked beside that; null when it does not. */
export function waitsForSlotSince({ phases, outcome }: TaskState): number | null {
  if (outcome !== null || phases.some(({ phase }) => phase === 'provision')) return null;
  return phases.find(({ phase }) => phase === 'slot')?.at ?? null;
}

/** The same place again, or one that comes too late, changes nothing. */
export function queue(state: TaskState, position: number): TaskState {
  if (waitsForSlotSince(state) === null || state.queuePosition === position) return state;
  return { ...state, queuePosition: position };
}

/** Whether there may be a sandbox, or may still be one. A task that was closed never starts one again. */
export function needsSlot(state: TaskState | null): boolean {
  return state !== null && !state.closed;
}

export function startObserving(state: TaskState, now: number): TaskState {
  if (state.observing || state.agentEnd !== null || state.authorization === null) return state;
  // Setup takes its time from the same minutes.
  const since = state.phases.find(({ phase }) => phase === 'setup')?.at ?? now;
  return {
    ...state,
    observing: true,
    agentDeadlineAt: since + state.authorization.policy.limits.minutes * 60_000,
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

/**
 * Publishing alone is tried again: the change is kept, and nothing runs in a sandbox any more. After a failure, or with a
 * person's approval of exactly the change that was held.
 */
export function reopen(
  state: TaskState,
  approval: Approval | null,
  now: number,
): TaskState | { readonly reason: string } {
  const { outcome } = state;
  if (outcome === null) return { reason: 'The task has not ended yet.' };
  if (outcome.kind === 'held') {
    if (outcome.changeHash === null)
      return { reason: 'What is held here cannot be approved: a person has to make this change.' };
    if (approval === null)
      return { reason: 'The change is held: it has to be approved before it is published.' };
    if (approval.changeHash !== outcome.changeHash)
      return { reason: 'This approval is for another change than the one that is held.' };
  } else if (outcome.kind !== 'failed' || !outcome.changeKept)
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
    endShown: false,
    reopenedAt: now,
    reopenings: state.reopenings + 1,
    // An earlier one is for the same change: nothing else was ever kept.
    approval: approval ?? state.approval,
  };
}

export interface ViewParts {
  readonly progress: Progress | null;
  readonly receipt: Receipt;
  /** null: there was none, or it is not over. */
  readonly setup: SetupReport | null;
  readonly costUsd: number | null;
  readonly now: number;
}

export function viewOf(state: TaskState, parts: ViewParts): TaskView {
  const { progress, receipt, setup, costUsd, now } = parts;
  const { request, authorization } = state;
  const acceptedAt = Date.parse(request.acceptedAt);
  return {
    taskId: request.taskId,
    shortId: request.shortId,
    status: state.outcome !== null ? 'ended' : state.phase === 'accepted' ? 'accepted' : 'running',
    phase: state.phase,
    phases: state.phases,
    origin: request.trigger.kind,
    repository: request.repository ?? state.routing?.repository ?? null,
    routedBy: state.routing?.by ?? null,
    choices: state.outcome === null ? state.choices : null,
    queuePosition: waitsForSlotSince(state) === null ? null : state.queuePosition,
    issueNumber: request.trigger.kind === 'github' ? request.trigger.issueNumber : null,
    requester: request.requester?.login ?? state.requesterName,
    instruction: request.instruction,
    acceptedAt: request.acceptedAt,
    endedAt: state.endedAt === null ? null : new Date(state.endedAt).toISOString(),
    elapsedMs: Math.max(0, (state.endedAt ?? now) - acceptedAt),
    base: authorization === null ? null : { branch: authorization.baseBranch, sha: authorization.baseSha },
    continues:
      authorization?.continues == null
        ? null
        : { number: authorization.continues.number, url: authorization.continues.url },
    model: authorization?.model ?? null,
    effort: authorization?.effort ?? null,
    setup: authorization === null ? null : setupView(authorization.policy.setup, setup),
    progress,
    receipt: withCommands(receipt, ranIn(state, progress)),
    change: state.change,
    costUsd,
    outcome: state.outcome,
  };
}
