/**
 * How a stage becomes a step of the Workflow: under its phase, not at all once the task was cancelled, and
 * with its result as text. The retry policies of steps are here.
 */
import type { WorkflowStep, WorkflowStepConfig } from 'cloudflare:workers';
import { ChatRateLimitedError } from '../../core/ports/chat-port.ts';
import type { TaskPhase } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import { fromStoredJson, toStoredJson } from '../stored-json.ts';
import type { Stage, TaskDeps } from './stage.ts';

/** Retries after 1, 2, 4 and 8 s: outlasts a restart of the Worker or a short outage of GitHub. */
export const retryBriefly: WorkflowStepConfig = {
  retries: { limit: 4, delay: 1000, backoff: 'exponential' },
  timeout: '5 minutes',
};
/** Leaves more time than a clone's own deadline, because its own reason says more than a time-out. */
export const retryClone: WorkflowStepConfig = { ...retryBriefly, timeout: '8 minutes' };
/** Retries after 2 to 256 s, about 8 minutes in all: the work is done and must not be lost. */
export const retryLong: WorkflowStepConfig = {
  retries: { limit: 8, delay: 2000, backoff: 'exponential' },
  timeout: '10 minutes',
};

export type Runner = <T>(
  phase: TaskPhase,
  config: WorkflowStepConfig,
  work: () => Promise<Stage<T>>,
) => Promise<Stage<T>>;

/** Runs stages as steps that enter their phase. */
export function runnerOf(step: WorkflowStep, deps: TaskDeps): Runner {
  return async <T>(phase: TaskPhase, config: WorkflowStepConfig, work: () => Promise<Stage<T>>) =>
    await stepOf(step, phase, config, async () => await unlessCancelled(phase, work, deps));
}

/**
 * Runs work as a step without a phase. Its result is stored as text, because the types of a step's result
 * know no generics.
 */
export async function stepOf<T>(
  step: WorkflowStep,
  name: string,
  config: WorkflowStepConfig,
  work: () => Promise<T>,
): Promise<T> {
  return fromStoredJson(await step.do(name, config, async () => toStoredJson(await withRateLimitWait(work))));
}

async function unlessCancelled<T>(
  phase: TaskPhase,
  work: () => Promise<Stage<T>>,
  { record }: TaskDeps,
): Promise<Stage<T>> {
  const { cancelledBy } = await record.enter(phase);
  if (cancelledBy !== null) return cancelled(cancelledBy);
  const stage = await work();
  if (stage.go) return stage;
  // A cancellation destroys the sandbox under the step: that is not the loss that the step reports.
  const after = (await record.snapshot())?.cancelledBy ?? null;
  return after === null ? stage : cancelled(after);
}

const cancelled = (by: string): Stage<never> => ({ go: false, outcome: { kind: 'cancelled', by } });

/**
 * Waits as long as a rate limit asks before the step fails and is retried: Slack asks for longer than a
 * step's back-off in all.
 */
export async function withRateLimitWait<T>(work: () => Promise<T>): Promise<T> {
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
