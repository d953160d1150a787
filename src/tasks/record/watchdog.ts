/** Decides what the record's alarm has to do, from how far the task is and how late it is. */
import { taskLimits } from '../limits.ts';
import {
  agentDeadlineAt,
  endedAt,
  enteredAt,
  phaseOf,
  waitsForSlotSince,
  watchedRun,
  type RecordState,
} from './record-state.ts';

/**
 * `end-run`: the agent's time is up; its work so far is collected. `give-up`: the task as a whole is overdue,
 * so the Workflow must be dead, and the record ends the task itself. `lost`: its run could not be read for
 * too long. `show`: the post does not show the outcome yet, because its place did not take it. `close`: the
 * sandbox is not destroyed yet. `wake`: the Workflow has not noticed the end of the run. `done`: nothing is
 * left but to see tokens revoked and the Workflow instance ended. The default is to do nothing: an alarm that
 * comes too early must not cost a run.
 */
export type Due = 'nothing' | 'close' | 'show' | 'done' | 'end-run' | 'give-up' | 'lost' | 'wake';

export function watchdog(state: RecordState, now: number): Due {
  if (state.outcome !== null) {
    if (!state.closed) return 'close';
    return state.endShown || now > (endedAt(state) ?? 0) + taskLimits.showMs ? 'done' : 'show';
  }
  if (now > givenUpAt(state)) return 'give-up';
  if (watchedRun(state) !== null && isUnreachable(state)) return 'lost';
  if (!isRouted(state) || waitsForSlotSince(state) !== null) return 'nothing';
  if (state.agentEnd !== null) return phaseOf(state) === 'codex' ? 'wake' : 'nothing';
  const deadlineAt = agentDeadlineAt(state);
  return deadlineAt !== null && now > deadlineAt ? 'end-run' : 'nothing';
}

const isUnreachable = ({ unread }: RecordState): boolean =>
  unread !== null && unread.lastAt - unread.since >= taskLimits.unreachableMs;

/** A task from Slack can wait for a person's choice, or for an earlier task of its thread. */
function isRouted(state: RecordState): boolean {
  const { request, attempts } = state;
  return request.trigger.kind !== 'slack' || attempts.length > 0 || enteredAt(state, 'authorize') !== null;
}

/** When the task as a whole is overdue. */
function givenUpAt(state: RecordState): number {
  const acceptedAt = Date.parse(state.request.acceptedAt);
  // Neither routing, nor an earlier task, nor the queue is the task's own time.
  if (!isRouted(state) || state.ahead !== null) return acceptedAt + taskLimits.routeMs;
  const waitsSince = waitsForSlotSince(state);
  if (waitsSince !== null) return waitsSince + taskLimits.queueMs;
  const authorizesSince = state.turnAt ?? enteredAt(state, 'authorize');
  if (state.authorization === null && authorizesSince !== null)
    return authorizesSince + taskLimits.authorizeMs;
  const since = state.attempts.at(-1)?.at ?? enteredAt(state, 'provision') ?? authorizesSince ?? acceptedAt;
  return since + agentMs(state) + taskLimits.overheadMs;
}

const agentMs = ({ authorization }: RecordState): number =>
  (authorization?.policy.limits.minutes ?? 0) * 60_000;

/** How long a step can wait for an upstream, so that the rest of the task fits into its time. */
export function waitUntil(state: RecordState): number {
  const { agentEnd, authorization } = state;
  const isAhead = authorization !== null && agentEnd === null && waitsForSlotSince(state) === null;
  return givenUpAt(state) - (isAhead ? agentMs(state) : 0) - taskLimits.afterWaitMs;
}

/** When the alarm comes next, in milliseconds. */
export function heartbeatMs(state: RecordState, due: Due): number {
  if (due === 'show') return taskLimits.showEveryMs;
  if (due === 'done') return taskLimits.revokeEveryMs;
  const waits = waitsForSlotSince(state) !== null || state.ahead !== null;
  return waits ? taskLimits.queueHeartbeatMs : taskLimits.heartbeatMs;
}
