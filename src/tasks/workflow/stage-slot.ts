/**
 * The stages before there is a sandbox: the right to have one, then the sandbox itself. Both may take hours while others work; in
 * between nothing is held and nothing runs. Who is next is not decided here (`core/admission.ts`).
 */
import type { WorkflowStep } from 'cloudflare:workers';
import type { SlotClaim } from '../../core/admission.ts';
import type { RoutedRequest } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import { startSandbox } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { patient, runnerOf } from './step-runner.ts';

/** How long a task waits between two looks for a free sandbox. The record's watchdog bounds the whole. */
const busyWait = '5 seconds';

/** How often the platform may break off a start before that is an error: three minutes, which a deployment or a rollout fits into. */
const maxUnavailable = 36;

/** Until the task has its slot. It is told by an event; from time to time it looks by itself. */
export async function takeSlot(
  request: RoutedRequest,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<null>> {
  const run = runnerOf(step, deps);
  for (;;) {
    const asked = await run('slot', patient, () => askForSlot(request, deps));
    if (!asked.go) return asked;
    if (asked.value === 'granted') return { go: true, value: null };
    // When the time is over it rejects: then it looks.
    await step
      .waitForEvent('slot-granted', { type: 'slot-granted', timeout: taskLimits.slotPollMs })
      .catch(() => undefined);
  }
}

/** There is a slot for each sandbox, but a machine may have less room than was configured, or be slow to give it back. */
export async function provision(step: WorkflowStep, deps: TaskDeps): Promise<Stage<null>> {
  const run = runnerOf(step, deps);
  // Counted anew when the Workflow is replayed, from the results that its steps have kept.
  let unavailable = 0;
  for (;;) {
    const started = await run('provision', patient, () => startSandbox(deps));
    if (!started.go) return started;
    if (started.value === 'started') return { go: true, value: null };
    if (started.value === 'unavailable' && ++unavailable >= maxUnavailable)
      throw new Error('the platform broke off every start of the sandbox');
    await step.sleep('wait for a free sandbox', busyWait);
  }
}

async function askForSlot(
  request: RoutedRequest,
  { slots, record }: TaskDeps,
): Promise<Stage<'granted' | 'waits'>> {
  const answer = await slots.request(slotClaim(request));
  if (answer.granted) return { go: true, value: 'granted' };
  await record.queued(answer.place);
  return { go: true, value: 'waits' };
}

/** In whose name a slot is held. People have an account in each place where they may ask, and a limit for each. */
function slotClaim({ taskId, repository, requester, trigger }: RoutedRequest): SlotClaim {
  return {
    taskId,
    repository: `${repository.owner}/${repository.name}`.toLowerCase(),
    requester:
      trigger.kind === 'slack'
        ? `slack:${trigger.teamId}:${trigger.userId}`
        : requester === null
          ? null
          : `github:${requester.id}`,
  };
}
