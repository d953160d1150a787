/** Decides which ended tasks can be run again. Pure. */
import { cameTooLate } from './lateness.ts';
import type { TaskOutcome } from './task.ts';

/** What `retry` on GitHub repeats. A request that came too late was authorized before it was refused. */
export const hasFailed = (outcome: TaskOutcome): boolean =>
  cameTooLate(outcome) || ['failed', 'cancelled', 'held', 'patch'].includes(outcome.kind);

/** What a page offers to run again. */
export const mayRunAgain = (outcome: TaskOutcome): boolean =>
  hasFailed(outcome) || outcome.kind === 'no-change';
