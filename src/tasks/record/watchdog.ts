/**
 * What the record's alarm has to do about a task, from how far it is and how late it is. Pure; `record.ts` does it.
 */
import { taskLimits } from '../limits.ts';
import { waitsForSlotSince, type TaskState } from './task-state.ts';

/**
 * `end-run`: the agent's time is up, its work so far is collected. `give-up`: the task as a whole is overdue, so the Workflow must be
 * dead; the record ends the task itself. Default is to do nothing: an alarm that comes too early must not cost a run. `show`: people
 * have not been told the end yet, because the place did not take it. `done`: there is nothing left to watch.
 */
export function watchdog(
  state: TaskState,
  now: number,
): 'nothing' | 'close' | 'show' | 'done' | 'end-run' | 'give-up' | 'notify-again' {
  if (state.outcome !== null) {
    if (!state.closed) return 'close';
    return state.endShown || now > (state.endedAt ?? 0) + taskLimits.showMs ? 'done' : 'show';
  }
  const enteredAt = (name: string) => state.phases.find(({ phase }) => phase === name)?.at;
  const acceptedAt = Date.parse(state.request.acceptedAt);
  // In Slack a task may wait for a person's choice, or for the one before it in its thread: that is not its own time.
  const isRouted = state.request.trigger.kind !== 'slack' || enteredAt('authorize') !== undefined;
  if (!isRouted) return now > acceptedAt + taskLimits.routeMs ? 'give-up' : 'nothing';
  // Nor is what others take before it has its slot.
  const waitsSince = waitsForSlotSince(state);
  if (waitsSince !== null) return now > waitsSince + taskLimits.queueMs ? 'give-up' : 'nothing';
  const since = state.reopenedAt ?? enteredAt('provision') ?? enteredAt('authorize') ?? acceptedAt;
  const minutes = state.authorization?.policy.limits.minutes ?? 0;
  if (now > since + minutes * 60_000 + taskLimits.overheadMs) return 'give-up';
  if (state.agentEnd !== null) return state.phase === 'codex' ? 'notify-again' : 'nothing';
  if (state.agentDeadlineAt !== null && now > state.agentDeadlineAt) return 'end-run';
  return 'nothing';
}

/** When the alarm comes next, in milliseconds. */
export function heartbeatMs(state: TaskState, due: ReturnType<typeof watchdog>): number {
  if (due === 'show') return taskLimits.showEveryMs;
  return waitsForSlotSince(state) === null ? taskLimits.heartbeatMs : taskLimits.queueHeartbeatMs;
}
