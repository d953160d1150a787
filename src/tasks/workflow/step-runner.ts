/**
 * How a stage becomes a step of the Workflow: under its phase, not at all once the task was cancelled, and with its result as
 * text. How often a failed one is tried again is said here; what it does is the stage's.
 */
import type { WorkflowStep, WorkflowStepConfig } from 'cloudflare:workers';
import { ChatRateLimitedError } from '../../core/ports/chat-port.ts';
import type { TaskPhase } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { fromStoredJson, toStoredJson } from '../stored-json.ts';

/** 1 + 2 + 4 + 8 s: outlasts a restart of the Worker or a short outage of GitHub. */
export const patient: WorkflowStepConfig = {
  retries: { limit: 4, delay: 1000, backoff: 'exponential' },
  timeout: '5 minutes',
};
/** As patient, with more time than a clone's own deadline: what the clone itself says of its end is worth more than “timed out”. */
export const cloning: WorkflowStepConfig = { ...patient, timeout: '8 minutes' };
/** Publishing tries longer: the work is done and must not be lost. 2 s to 256 s, about 8 minutes in all. */
export const persistent: WorkflowStepConfig = {
  retries: { limit: 8, delay: 2000, backoff: 'exponential' },
  timeout: '10 minutes',
};

export type Runner = <T>(
  phase: TaskPhase,
  config: WorkflowStepConfig,
  work: () => Promise<Stage<T>>,
) => Promise<Stage<T>>;

export function runnerOf(step: WorkflowStep, deps: TaskDeps): Runner {
  return async <T>(phase: TaskPhase, config: WorkflowStepConfig, work: () => Promise<Stage<T>>) =>
    // As text: the types of what a step may return know no generics.
    fromStoredJson(
      await step.do(phase, config, async () => toStoredJson(await unlessCancelled(phase, work, deps))),
    );
}

async function unlessCancelled<T>(
  phase: TaskPhase,
  work: () => Promise<Stage<T>>,
  deps: TaskDeps,
): Promise<Stage<T>> {
  const { cancelledBy } = await deps.record.enter(phase);
  if (cancelledBy !== null) return { go: false, outcome: { kind: 'cancelled', by: cancelledBy } };
  const stage = await leavingAlone(work);
  if (stage.go) return stage;
  // A cancellation takes the sandbox from under the step: that is not the loss that the step reports.
  const { cancelledBy: meanwhile } = await deps.record.enter(phase);
  return meanwhile === null ? stage : { go: false, outcome: { kind: 'cancelled', by: meanwhile } };
}

/**
 * A place that asks to be left alone is, before the step fails and is tried again: what Slack asks for is longer than a step's own pauses
 * together, and the task would end over it.
 */
export async function leavingAlone<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ChatRateLimitedError) {
      const waitMs = Math.min(error.retryAfterMs, taskLimits.quietMs);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    throw error;
  }
}
