/** A record's state and its transitions, as pure functions. What can be derived is no field. */
import { operatorName } from '../../core/authority.ts';
import type { AgentEnd, Authorization } from '../../core/authorization.ts';
import type { ChatMessageRef, Routing } from '../../core/chat.ts';
import type { EarlierTurn } from '../../core/earlier-turn.ts';
import { grantPhases, totalOnly, type Grant, type GrantPhase, type TokenUsage } from '../../core/grant.ts';
import {
  linesRead,
  missWaiting,
  requestWithRemarks,
  type Ahead,
  type RemarkWithFate,
} from '../../core/remark.ts';
import type { TaskSnapshot } from '../../core/ports/task-record.ts';
import {
  taskPhases,
  type RepositoryFacts,
  type RepositoryRef,
  type TaskOutcome,
  type TaskPhase,
  type TaskRequest,
} from '../../core/task.ts';
import type { TaskView } from '../../core/task-view.ts';
import { taskLimits } from '../limits.ts';
import type { PublicationAttempt } from './task-end.ts';

/** Where the task's post is. */
export type Posted =
  /** `inThread`: it is a line comment, whose ids are others'. */
  | { readonly surface: 'github'; readonly commentId: number; readonly inThread?: boolean }
  | ({ readonly surface: 'slack' } & ChatMessageRef);

export interface RecordState {
  readonly request: TaskRequest;
  /** null before routing, and for tasks whose trigger names the repository. */
  readonly routing: Routing | null;
  /** The requester's name in Slack, or the operator. */
  readonly requesterName: string | null;
  /** What a person is asked to choose from; null when there is no open question. */
  readonly choices: readonly RepositoryRef[] | null;
  readonly choice: RepositoryRef | null;
  /** The last known place in the queue; null before. */
  readonly queuePosition: number | null;
  /** In order of entry. */
  readonly phases: readonly { readonly phase: TaskPhase; readonly at: number }[];
  readonly facts: RepositoryFacts | null;
  readonly authorization: Authorization | null;
  /** The earlier turn of the conversation; null if there is none. */
  readonly earlierTurn: EarlierTurn | null;
  readonly canaryNonce: string;
  /** Counted over the life of the sandbox. */
  readonly used: Omit<Grant['used'], 'tokens'>;
  readonly usage: TokenUsage;
  /** Requests that were allowed, without the canary's. */
  readonly allowed: number;
  /** When the first request to the model was made; null before. */
  readonly modelAt: number | null;
  /** The latest answer of the model was this refusal; null if it was none. Untrusted. */
  readonly refusal: string | null;
  readonly setupRun: 'none' | 'runs' | 'ended';
  /** When Codex's run was started; null before. */
  readonly agentStartedAt: number | null;
  /** Bytes of Codex's output that are folded into the progress. */
  readonly offset: number;
  readonly agentEnd: AgentEnd | null;
  /** The reads of the run that have failed since the last one that did not; null if none did. */
  readonly unread: { readonly since: number; readonly lastAt: number } | null;
  readonly attachmentsLeft: string;
  /** How late the request arrived, in milliseconds; null if it was not late. */
  readonly latenessMs: number | null;
  readonly change: TaskView['change'];
  readonly posted: Posted | null;
  /** When the first post was shown; null before. */
  readonly acknowledgedAt: number | null;
  /** The task gets no post. */
  readonly silent: boolean;
  /** True once the post shows the outcome. */
  readonly endShown: boolean;
  readonly cancelledBy: string | null;
  readonly outcome: TaskOutcome | null;
  /** Publication attempts after the task's own, oldest first. */
  readonly attempts: readonly PublicationAttempt[];
  /** True once the sandbox is known to be destroyed. */
  readonly closed: boolean;
  /** Ids of the tasks to wake when this one is routed, authorized or ends. */
  readonly waiters: readonly string[];
  /** Words that were added while the task ran, in order. */
  readonly remarks: readonly RemarkWithFate[];
  /** How many of them the sandbox has in its control file. */
  readonly remarksPassed: number;
  /** The earlier task of the conversation that this one waits for; null while there is none. */
  readonly ahead: Ahead | null;
  /** When such a wait was over; null if there was none. */
  readonly turnAt: number | null;
  /** The task that repeats this one; null if none does. */
  readonly retriedBy: string | null;
}

export function openState(request: TaskRequest, canaryNonce: string, now: number): RecordState {
  return {
    request,
    routing: null,
    requesterName: request.onPage?.by === 'operator' ? operatorName : null,
    choices: null,
    choice: null,
    queuePosition: null,
    phases: [{ phase: 'accepted', at: now }],
    facts: null,
    authorization: null,
    earlierTurn: null,
    canaryNonce,
    used: { requests: 0, bytesUp: 0, bytesDown: 0 },
    usage: totalOnly(0),
    allowed: 0,
    modelAt: null,
    refusal: null,
    setupRun: 'none',
    agentStartedAt: null,
    offset: 0,
    agentEnd: null,
    unread: null,
    attachmentsLeft: '',
    latenessMs: null,
    change: null,
    posted: null,
    acknowledgedAt: null,
    silent: false,
    endShown: false,
    cancelledBy: null,
    outcome: null,
    attempts: [],
    closed: false,
    waiters: [],
    remarks: [],
    remarksPassed: 0,
    ahead: null,
    turnAt: null,
    retriedBy: null,
  };
}

// ---- derived

/** The furthest phase that was entered. Some phases are entered side by side. */
export function phaseOf({ phases }: RecordState): TaskPhase {
  const furthest = Math.max(...phases.map(({ phase }) => taskPhases.indexOf(phase)));
  return taskPhases[furthest] ?? 'accepted';
}

/** When a phase was entered; null before. */
export function enteredAt({ phases }: Pick<RecordState, 'phases'>, wanted: TaskPhase): number | null {
  return phases.find(({ phase }) => phase === wanted)?.at ?? null;
}

/** The grant phase that each phase of a task opens. Phases that are not listed open none. */
const grantPhaseByPhase: Partial<Record<TaskPhase, GrantPhase>> = {
  clone: 'clone',
  setup: 'setup',
  codex: 'run',
  collect: 'sealed',
  gate: 'sealed',
  publish: 'sealed',
};

/** What is open to the sandbox. `sealed` before the first grant phase too. */
export function grantPhaseOf(state: RecordState): GrantPhase {
  return grantPhases[furthestGrant(state)] ?? 'sealed';
}

function furthestGrant({ phases }: RecordState): number {
  return Math.max(...phases.map(({ phase }) => grantIndex(phase)));
}

function grantIndex(phase: TaskPhase): number {
  const opens = grantPhaseByPhase[phase];
  return opens === undefined ? -1 : grantPhases.indexOf(opens);
}

/** The run that the record watches now. */
export function watchedRun(state: RecordState): 'setup' | 'codex' | null {
  if (state.outcome !== null || state.cancelledBy !== null) return null;
  if (state.agentStartedAt !== null) return state.agentEnd === null ? 'codex' : null;
  return state.setupRun === 'runs' ? 'setup' : null;
}

/** When Codex is stopped and its work collected; null before it runs. Includes setup's minutes. */
export function agentDeadlineAt(state: RecordState): number | null {
  const { agentStartedAt, authorization } = state;
  if (agentStartedAt === null || authorization === null) return null;
  return (enteredAt(state, 'setup') ?? agentStartedAt) + authorization.policy.limits.minutes * 60_000;
}

export const endedAt = (state: RecordState): number | null =>
  state.outcome === null ? null : enteredAt(state, 'ended');

/** Since when the task waits for a slot; null when it does not. */
export function waitsForSlotSince(state: RecordState): number | null {
  if (state.outcome !== null || enteredAt(state, 'provision') !== null) return null;
  return enteredAt(state, 'slot');
}

/** Whether a sandbox exists or can still be started. A closed task never starts one again. */
export function needsSlot(state: RecordState | null): boolean {
  return state !== null && !state.closed;
}

export function snapshotOf(state: RecordState): Omit<TaskSnapshot, 'waitUntil'> {
  const { request, routing, choice, authorization, canaryNonce, ahead, agentEnd, outcome } = state;
  const { posted, earlierTurn, cancelledBy } = state;
  const repository = request.repository ?? routing?.repository ?? null;
  return {
    request: requestWithRemarks(request, state.remarks),
    routed: repository === null ? null : { ...request, repository },
    place: placeOf(state),
    choice,
    authorization,
    slackPost: posted?.surface === 'slack' ? { channelId: posted.channelId, ts: posted.ts } : null,
    earlierTurn,
    canaryNonce,
    ahead,
    addedLines: linesRead(state.remarks),
    setupEnded: state.setupRun === 'ended',
    agentEnd,
    refusal: state.refusal,
    cancelledBy,
    // A later attempt without an approval is for the same change: no other was ever kept.
    approval: state.attempts.findLast(({ approval }) => approval !== null)?.approval ?? null,
    outcome,
  };
}

/** A trigger on GitHub brings the ids with its signature; a task that was asked on a page, that page's. */
function placeOf({ facts, authorization, request: { trigger, onPage } }: RecordState): TaskSnapshot['place'] {
  const known = authorization?.facts ?? facts ?? (trigger.kind === 'github' ? trigger : onPage?.place);
  return known == null ? null : { installationId: known.installationId, repositoryId: known.repositoryId };
}

// ---- transitions

/** null if this cannot be chosen, or nothing can any more. The same choice again is accepted. */
export function choose(state: RecordState, { owner, name }: RepositoryRef): RecordState | null {
  if (state.choice !== null) return state.choice.owner === owner && state.choice.name === name ? state : null;
  if (state.outcome !== null || state.cancelledBy !== null) return null;
  const chosen = state.choices?.find((choice) => choice.owner === owner && choice.name === name);
  return chosen === undefined ? null : { ...state, choice: chosen, choices: null };
}

/** Entering a phase again changes nothing. null: a later grant phase is open. */
export function enterPhase(state: RecordState, phase: TaskPhase, now: number): RecordState | null {
  const grant = grantIndex(phase);
  if (grant !== -1 && grant < furthestGrant(state)) return null;
  if (enteredAt(state, phase) !== null) return state;
  return { ...state, phases: [...state.phases, { phase, at: now }] };
}

export function startWatching(state: RecordState, run: 'setup' | 'codex', now: number): RecordState {
  if (run === 'setup') return state.setupRun === 'none' ? { ...state, setupRun: 'runs' } : state;
  return state.agentStartedAt === null ? { ...state, agentStartedAt: now } : state;
}

export function failRead(state: RecordState, now: number): RecordState {
  const { unread } = state;
  const isOngoing = unread !== null && now - unread.lastAt <= taskLimits.readPauseMs;
  return { ...state, unread: { since: isOngoing ? unread.since : now, lastAt: now } };
}

/** The first end stays. What the model has not read by then, it never will. */
export function endAgent(state: RecordState, agentEnd: AgentEnd): RecordState {
  return state.agentEnd === null ? { ...state, agentEnd, remarks: missWaiting(state.remarks) } : state;
}

/** Not from `publish` on: the pull request is being made. */
export function cancel(
  state: RecordState,
  by: string,
): { readonly state: RecordState | null; readonly reason: string } {
  if (state.outcome !== null) return { state: null, reason: 'The task has already ended.' };
  if (state.cancelledBy !== null) return { state, reason: 'The task is already being cancelled.' };
  if (state.ahead?.steers === true)
    return { state: null, reason: 'These words were added to the task that runs; cancel that one instead.' };
  if (['publish', 'report', 'ended'].includes(phaseOf(state)))
    return {
      state: null,
      reason: 'The change is already being published; close the pull request instead.',
    };
  return { state: { ...endAgent(state, { kind: 'cancelled', by }), cancelledBy: by }, reason: 'Cancelled.' };
}

/** The first outcome stays. */
export function finish(state: RecordState, outcome: TaskOutcome, now: number): RecordState {
  if (state.outcome !== null) return state;
  const remarks = missWaiting(state.remarks);
  return { ...(enterPhase(state, 'ended', now) ?? state), outcome, remarks };
}

/** When the list is full the task is not added, and polls instead. */
export function addWaiter(state: RecordState, taskId: string): RecordState {
  if (state.waiters.includes(taskId) || state.waiters.length >= taskLimits.waiters) return state;
  return { ...state, waiters: [...state.waiters, taskId] };
}
