/**
 * Decides what the record's alarm has to do, from how far the task is and how late it is. Pure; `record.ts`
 * does it.
 */
import { taskLimits } from '../limits.ts';
import {
  agentDeadlineAt,
  endedAt,
  enteredAt,
  phaseOf,
  waitsForSlotSince,
  type RecordState,
} from './record-state.ts';

/**
 * `end-run`: the agent's time is up; its work so far is collected. `give-up`: the task as a whole is overdue,
 * so the Workflow must be dead, and the record ends the task itself. `show`: the post does not show the
 * outcome yet, because its place did not take it. `close`: the sandbox is not destroyed yet. `wake`: the
 * Workflow has not noticed the end of the run. `done`: nothing is left to watch. The default is to do
 * nothing: an alarm that comes too early must not cost a run.
 */
export type Due = 'nothing' | 'close' | 'show' | 'done' | 'end-run' | 'give-up' | 'wake';

export function watchdog(state: RecordState, now: number): Due {
  if (state.outcome !== null) {
    if (!state.closed) return 'close';
    return state.endShown || now > (endedAt(state) ?? 0) + taskLimits.showMs ? 'done' : 'show';
  }
  const acceptedAt = Date.parse(state.request.acceptedAt);
  // A task from Slack can wait for a person's choice, or for an earlier task of its thread. That is not its
  // own time.
  const isRouted =
    state.request.trigger.kind !== 'slack' ||
    state.attempts.length > 0 ||
    enteredAt(state, 'authorize') !== null;
  if (!isRouted) return now > acceptedAt + taskLimits.routeMs ? 'give-up' : 'nothing';
  // Neither is the time that other tasks take before this one has its slot.
  const waitsSince = waitsForSlotSince(state);
  if (waitsSince !== null) return now > waitsSince + taskLimits.queueMs ? 'give-up' : 'nothing';
  const since =
    state.attempts.at(-1)?.at ?? enteredAt(state, 'provision') ?? enteredAt(state, 'authorize') ?? acceptedAt;
  const minutes = state.authorization?.policy.limits.minutes ?? 0;
  if (now > since + minutes * 60_000 + taskLimits.overheadMs) return 'give-up';
  if (state.agentEnd !== null) return phaseOf(state) === 'codex' ? 'wake' : 'nothing';
  const deadlineAt = agentDeadlineAt(state);
  return deadlineAt !== null && now > deadlineAt ? 'end-run' : 'nothing';
}

/** When the alarm comes next, in milliseconds. */
export function heartbeatMs(state: RecordState, due: Due): number {
  if (due === 'show') return taskLimits.showEveryMs;
  return waitsForSlotSince(state) === null ? taskLimits.heartbeatMs : taskLimits.queueHeartbeatMs;
}
