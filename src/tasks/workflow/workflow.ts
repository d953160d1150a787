/**
 * The life of a task. Each stage is a short step that returns the next value or the outcome; only transient
 * errors are thrown. Two attempts of a step can overlap. Results are stored: none holds a credential.
 */
import type { WorkflowStep } from 'cloudflare:workers';
import type { Authorization } from '../../core/authorization.ts';
import type { MergeParents } from '../../core/merge.ts';
import type { SandboxPolicy } from '../../core/policy.ts';
import type { RoutedRequest, TaskOutcome, TaskRequest, TaskStart } from '../../core/task.ts';
import { endTask, explainFailure } from './end-task.ts';
import { relocateForPublication } from './rename.ts';
import { patientStep } from './patient-step.ts';
import { routeRequest } from './route-request.ts';
import { proveSealed } from './stage-canary.ts';
import { mergeWithoutConflict, resolvesConflicts } from './stage-merge.ts';
import { acknowledge, authorizeTask, readContext } from './stage-intake.ts';
import { replyToQuestion } from './stage-reply.ts';
import { collectChange, gateChange, publishChange } from './stage-publish.ts';
import { agentEnded, cloneRepository } from './stage-sandbox.ts';
import { setUp } from './stage-setup.ts';
import { provision, takeSlot } from './stage-slot.ts';
import { startTurn } from './start-turn.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { receiptCheckStep } from './save-receipt-check.ts';
import { retryBriefly, retryClone, retryLong, runnerOf, stepOf } from './step-runner.ts';
import { waitFor } from './wait-for.ts';

export async function runTask(
  { kind, request }: TaskStart,
  platformStep: WorkflowStep,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const step = patientStep(platformStep);
  let outcome: TaskOutcome;
  try {
    outcome = await (kind === 'task' ? work(request, step, deps) : retryPublication(step, deps));
  } catch (error) {
    outcome = await step.do('explain', retryBriefly, async () => await explainFailure(error, request, deps));
  }
  return await endTask(outcome, request, step, deps);
}

async function work(asked: TaskRequest, step: WorkflowStep, deps: TaskDeps): Promise<TaskOutcome> {
  const run = runnerOf(step, deps);

  const routed = await routeRequest(asked, step, deps);
  if (!routed.go) return routed.outcome;
  const { asker } = routed.value;

  const authorize = () =>
    run('authorize', retryBriefly, () => authorizeTask(routed.value.request, asker, deps));
  const authorized = await waitFor('an earlier task', authorize, step);
  if (!authorized.go) return authorized.outcome;
  const { request, authorization, earlier, changeKept } = authorized.value;
  const task = { request, authorization };
  // A Workflow instance before this one collected it and was lost.
  if (changeKept) return await collectAndPublish({ ...task, isQuestion: false }, step, deps);

  const merging: Stage<MergeParents | null> = resolvesConflicts(request)
    ? await run('authorize', retryBriefly, () => mergeWithoutConflict(request, authorization, deps))
    : { go: true, value: null };
  if (!merging.go) return merging.outcome;

  // None of these needs another: the person sees 👀 while the task gets its sandbox and the issue is read.
  const [acknowledged, context, sandbox] = await Promise.all([
    run('acknowledge', retryBriefly, () => {
      // On the comment that asked: a retry works in the place of the first request.
      const here = { ...request, trigger: asked.trigger };
      return acknowledge(here, authorization, deps);
    }),
    stepOf(step, 'context', retryBriefly, () => readContext(request, authorization, earlier, deps), deps),
    sandboxFor(request, authorization.policy.sandbox, step, deps),
  ]);
  if (!acknowledged.go) return acknowledged.outcome;
  if (!sandbox.go) return sandbox.outcome;

  const sealed = await proveSealed(step, deps);
  if (!sealed.go) return sealed.outcome;

  const cloned = await run('clone', retryClone, () => cloneRepository(authorization, merging.value, deps));
  if (!cloned.go) return cloned.outcome;

  const ready = await setUp(authorization, step, deps);
  if (!ready.go) return ready.outcome;

  const turn = { request, authorization, context, merging: merging.value };
  const started = await startTurn(turn, step, deps);
  if (!started.go) return started.outcome;

  const look = () => run('codex', retryBriefly, () => agentEnded(deps));
  const ended = await waitFor('Codex', look, step, { waitFirst: true });
  if (!ended.go) return ended.outcome;

  return await collectAndPublish({ ...task, isQuestion: context.isQuestion }, step, deps);
}

/** A slot, then the sandbox that it is for. */
async function sandboxFor(
  request: RoutedRequest,
  machine: SandboxPolicy,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<unknown>> {
  const slot = await takeSlot(request, step, deps);
  return slot.go ? await provision(machine, step, deps) : slot;
}

async function collectAndPublish(
  {
    request,
    authorization,
    isQuestion,
  }: { request: RoutedRequest; authorization: Authorization; isQuestion: boolean },
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const run = runnerOf(step, deps);
  const collected = await run('collect', retryBriefly, () =>
    isQuestion ? replyToQuestion(authorization, deps) : collectChange(authorization, deps),
  );
  return collected.go ? await publish(request, authorization, step, deps) : collected.outcome;
}

/** Works from what the record keeps alone, so that it can be done again long after the sandbox is gone. */
async function publish(
  request: RoutedRequest,
  authorization: Authorization,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const run = runnerOf(step, deps);
  const gated = await run('gate', retryBriefly, () => gateChange(authorization, deps));
  if (!gated.go) return gated.outcome;

  const input = { request, authorization, gateRemarks: gated.value.remarks };
  const published = await run('publish', retryLong, () => publishChange(input, deps));
  if (!published.go) return published.outcome;
  const { outcome, check } = published.value;
  const { facts } = authorization;
  if (check !== null) await receiptCheckStep({ check, facts, taskId: request.taskId }, step, deps);
  return outcome;
}

/** A publication attempt of its own, of the kept change. */
async function retryPublication(step: WorkflowStep, deps: TaskDeps): Promise<TaskOutcome> {
  const located = await stepOf(step, 'relocate', retryBriefly, () => relocateForPublication(deps), deps);
  if (!located.go) return located.outcome;
  const { request, authorization } = located.value;
  return await publish(request, authorization, step, deps);
}
