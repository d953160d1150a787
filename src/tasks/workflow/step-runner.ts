/** How a stage becomes a step of the Workflow: under its phase, unless cancelled, with retries and waits. */
import type { WorkflowStep, WorkflowStepConfig } from 'cloudflare:workers';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import { meaningOf } from '../../core/ports/upstream-error.ts';
import type { Reason, TaskPhase } from '../../core/task.ts';
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
    await stepOf(step, phase, config, async () => await unlessCancelled(phase, work, deps), deps);
}

interface StepDeps extends Pick<TaskDeps, 'now' | 'log'> {
  readonly record: Pick<TaskRecordPort, 'snapshot'>;
}

/**
 * Runs work as a step without a phase. Stores its result as text, because a step's type knows no generics.
 * Waits as long as an upstream asks, between steps, without using up retries. @throws UpstreamEnd when no
 * wait can help.
 */
export async function stepOf<T>(
  step: WorkflowStep,
  name: string,
  config: WorkflowStepConfig,
  work: () => Promise<T>,
  deps: StepDeps,
): Promise<T> {
  let notBefore = 0;
  for (let waits = 0; ; waits += 1) {
    const asked = { name, notBefore, waits };
    const tried = fromStoredJson(
      await step.do(name, config, async () => toStoredJson(await tryOnce(work, asked, deps))),
    );
    if (tried.kind === 'done') return tried.value;
    if (tried.kind === 'end') throw new UpstreamEnd(tried.reason, tried.isFinal);
    ({ notBefore } = tried);
    await step.sleep(`${name} waits`, tried.sleepMs);
  }
}

/** Ends the task with the reason that an upstream's answer gives. */
export class UpstreamEnd extends Error {
  override readonly name = 'UpstreamEnd';
  readonly reason: Reason;
  /** The upstream refused. Otherwise it could not be asked in the task's time. */
  readonly isFinal: boolean;
  constructor(reason: Reason, isFinal: boolean) {
    super(reason.code);
    this.reason = reason;
    this.isFinal = isFinal;
  }
}

type Tried<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'later'; readonly notBefore: number; readonly sleepMs: number }
  | { readonly kind: 'end'; readonly reason: Reason; readonly isFinal: boolean };

async function tryOnce<T>(
  work: () => Promise<T>,
  { name, notBefore, waits }: { readonly name: string; readonly notBefore: number; readonly waits: number },
  { record, now, log }: StepDeps,
): Promise<Tried<T>> {
  // A long wait is slept in parts, so that a cancelled task does not wait to its end.
  const isDue = now() >= notBefore || (await record.snapshot())?.cancelledBy != null;
  if (!isDue) return later(notBefore, now());
  try {
    return { kind: 'done', value: await work() };
  } catch (error) {
    const meaning = meaningOf(error);
    if (meaning === null) throw error;
    const { reason } = meaning;
    if (meaning.kind !== 'transient') return { kind: 'end', reason, isFinal: true };
    const next = now() + (meaning.waitMs ?? outageWaitMs(waits));
    const snapshot = await record.snapshot();
    if (snapshot === null || snapshot.outcome !== null || next > snapshot.waitUntil)
      return { kind: 'end', reason, isFinal: false };
    log('step.waits', { taskId: snapshot.request.taskId, step: name, code: reason.code, ms: next - now() });
    return later(next, now());
  }
}

const later = (notBefore: number, now: number): Tried<never> => ({
  kind: 'later',
  notBefore,
  sleepMs: Math.min(notBefore - now, taskLimits.outagePollMs),
});

/** Milliseconds until an upstream that is away is asked again: 1, 2, 4, 8, 16, then every 30 s. */
function outageWaitMs(waits: number): number {
  return Math.min(1000 * 2 ** waits, taskLimits.outagePollMs);
}

async function unlessCancelled<T>(
  phase: TaskPhase,
  work: () => Promise<Stage<T>>,
  { record }: TaskDeps,
): Promise<Stage<T>> {
  const { cancelledBy, outcome } = await record.enter(phase);
  // Another step ended the task meanwhile: nothing may be started any more.
  if (outcome !== null) return { go: false, outcome };
  if (cancelledBy !== null) return cancelled(cancelledBy);
  const stage = await work();
  if (stage.go) return stage;
  // A cancellation destroys the sandbox under the step: that is not the loss that the step reports.
  const after = (await record.snapshot())?.cancelledBy ?? null;
  return after === null ? stage : cancelled(after);
}

const cancelled = (by: string): Stage<never> => ({ go: false, outcome: { kind: 'cancelled', by } });
