/** Waits for the event `wake`, or a slow poll. Each look decides from the record. */
import type { WorkflowStep } from 'cloudflare:workers';
import { taskLimits } from '../limits.ts';
import { wakeEvent } from '../start-task.ts';
import type { Stage } from './stage.ts';

/** Milliseconds until the poll after `polls` others: 15 s, 30 s, 1 min, 2 min, 4 min, then every 5 min. */
export function waitPollMs(polls: number): number {
  return Math.min(taskLimits.pollFirstMs * 2 ** polls, taskLimits.pollMaxMs);
}

/** For the start of a sandbox: no event says that there is room for it. */
export function startPollMs(polls: number): number {
  return polls < taskLimits.startPolls ? taskLimits.startPollMs : taskLimits.startSlowPollMs;
}

/** Until `look` returns a value or the task ends. `waitFirst` saves a first look that finds nothing. */
export async function waitFor<T>(
  what: string,
  look: () => Promise<Stage<T | null>>,
  step: WorkflowStep,
  {
    pollMs = waitPollMs,
    waitFirst = false,
  }: { readonly pollMs?: (polls: number) => number; readonly waitFirst?: boolean } = {},
): Promise<Stage<T>> {
  for (let polls = 0; ; polls += 1) {
    if (polls > 0 || !waitFirst) {
      const seen = await look();
      if (!seen.go) return seen;
      if (seen.value !== null) return { go: true, value: seen.value };
    }
    // Rejects at its timeout; then the next look is the poll.
    await step
      .waitForEvent(`wait for ${what}`, { type: wakeEvent, timeout: pollMs(polls) })
      .catch(() => undefined);
  }
}
