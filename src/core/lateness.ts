/** Decides about a request that arrived late, because Airlock was down or out of GitHub's reach. Pure. */
import { reasonOf } from './reason.ts';
import type { Reason, TaskOutcome, TaskRequest } from './task.ts';
import { ageText, durationText } from './task-words.ts';

/** The answer to a request that arrives later says so. */
const lateMs = 10 * 60_000;
/** A request that arrives later starts nothing, because nobody expects it any more. */
const tooLateMs = 24 * 60 * 60_000;

/**
 * Milliseconds from what a person did on GitHub to its acceptance; null if it was not late. Slack delivers
 * late by an hour at most, and its retries keep the time of the first request.
 */
export function latenessOf({
  trigger,
  acceptedAt,
}: Pick<TaskRequest, 'trigger' | 'acceptedAt'>): number | null {
  if (trigger.kind !== 'github') return null;
  const ms = Date.parse(acceptedAt) - Date.parse(trigger.triggeredAt);
  return ms > lateMs ? ms : null;
}

/** The reason to start nothing; null to start. A command such as `status` is always answered. */
export function tooLate({ ask }: Pick<TaskRequest, 'ask'>, latenessMs: number): Reason | null {
  const changesNothing = ask.kind === 'help' || ask.kind === 'status' || ask.kind === 'cancel';
  if (latenessMs <= tooLateMs || changesNothing) return null;
  return reasonOf(askedLongAgo, { age: ageText(latenessMs) });
}

/** Whether a task ended because it came too late. `retry` runs it: the requester's access was checked. */
export const cameTooLate = (outcome: TaskOutcome | null): boolean =>
  outcome?.kind === 'refused' && outcome.reason.code === askedLongAgo;
const askedLongAgo = 'asked-long-ago';

export const latenessText = (latenessMs: number): string =>
  `Airlock could not be reached when this was asked, and started ${durationText(latenessMs)} later.`;
