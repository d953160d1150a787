/** A slot, then the sandbox. Both can take hours; meanwhile the task holds and runs nothing. */
import type { WorkflowStep } from 'cloudflare:workers';
import type { SlotClaim } from '../../core/admission.ts';
import { personOf } from '../../core/person.ts';
import type { SandboxPolicy } from '../../core/policy.ts';
import { reasonOf } from '../../core/reason.ts';
import type { RoutedRequest } from '../../core/task.ts';
import { refusedByBudget } from './budget.ts';
import { startSandbox } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { retryBriefly, runnerOf } from './step-runner.ts';
import { startPollMs, waitFor } from './wait-for.ts';

/** Of aborted starts: three minutes, which fits a deployment or a rollout. */
const maxUnavailable = 36;

export async function takeSlot(
  request: RoutedRequest,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<'granted'>> {
  const run = runnerOf(step, deps);
  return await waitFor(
    'a slot',
    async () => await run('slot', retryBriefly, async () => await askForSlot(request, deps)),
    step,
  );
}

/** A machine can have less room than was configured, or be slow to free it. */
export async function provision(
  machine: SandboxPolicy,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<'started'>> {
  const run = runnerOf(step, deps);
  // A replay of the Workflow counts again, from the stored results of the steps.
  let unavailable = 0;
  const start = async (): Promise<Stage<'started' | null>> => {
    const started = await run('provision', retryBriefly, async () => await startSandbox(machine, deps));
    if (!started.go) return started;
    if (started.value === 'started') return { go: true, value: 'started' };
    if (started.value === 'unavailable' && ++unavailable >= maxUnavailable)
      return {
        go: false,
        outcome: { kind: 'failed', reason: reasonOf('sandbox-unavailable'), changeKept: false },
      };
    return { go: true, value: null };
  };
  return await waitFor('room for a sandbox', start, step, { pollMs: startPollMs });
}

async function askForSlot(request: RoutedRequest, deps: TaskDeps): Promise<Stage<'granted' | null>> {
  const { slots, record } = deps;
  const answer = await slots.request(slotClaim(request));
  if (answer.granted) {
    // Again: tasks before it in the queue can have used up the budget.
    const authorization = (await record.snapshot())?.authorization ?? null;
    const spent = authorization === null ? null : await refusedByBudget(request, authorization, deps);
    return spent === null
      ? { go: true, value: 'granted' }
      : { go: false, outcome: { kind: 'refused', reason: spent } };
  }
  await record.learn({ queuePosition: answer.place });
  return { go: true, value: null };
}

/** A person has one account on GitHub and one in Slack, and a limit for each. */
function slotClaim(request: RoutedRequest): SlotClaim {
  const { taskId, repository } = request;
  return {
    taskId,
    repository: `${repository.owner}/${repository.name}`.toLowerCase(),
    requester: personOf(request),
  };
}
