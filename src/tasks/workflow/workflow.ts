/**
 * The life of a task, one short idempotent step a line. Steps return values, never a credential: results are stored.
 * A step's time-out does not stop the attempt that timed out, so every step bears a second attempt beside it.
 * Expected ends are values of `Stage`; only what may pass (a network, a restart) is thrown, and then retried.
 */
import type { WorkflowStep, WorkflowStepConfig } from 'cloudflare:workers';
import type { RepositoryRef, RoutedRequest, TaskOutcome, TaskRequest, TaskStart } from '../../core/task.ts';
import type { Authorization } from '../../core/authorization.ts';
import { phaseText } from '../../core/task-words.ts';
import { explainRename, relocateForPublication } from './rename.ts';
import { acknowledge, authorizeTask, readContext, type Asker } from './stage-intake.ts';
import { collectChange, gateChange, publishChange } from './stage-publish.ts';
import { earlierTask, routeTask, slackAsk, type Earlier, type Routed, type SlackAsk } from './stage-route.ts';
import { cloneRepository, proveSealed, startCodex } from './stage-sandbox.ts';
import { beginSetup, finishSetup, watchSetup } from './stage-setup.ts';
import { provision, takeSlot } from './stage-slot.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { cloning, leavingAlone, patient, persistent, runnerOf, type Runner } from './step-runner.ts';
import { fromStoredJson, toStoredJson } from '../stored-json.ts';

/** For a click: over a night. `task-state.ts` gives up a little later. */
const choiceTimeout = '12 hours';
const earlierWait = '3 seconds';
const routingWait = '1 second';

export async function runTask(
  { kind, request }: TaskStart,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  let outcome: TaskOutcome;
  try {
    outcome = kind === 'task' ? await live(request, step, deps) : await publishAgain(step, deps);
  } catch (error) {
    outcome = await step.do('explain', patient, async () => explain(error, request, deps));
  }
  const ended = await step.do('report', patient, async () => {
    await deps.record.enter('report');
    await deps.record.finish(await explainRename(outcome, deps));
    return (await deps.record.view())?.outcome ?? outcome;
  });
  // The comment is for people; that GitHub does not take it must not keep the sandbox alive or the task open.
  const bestEffort = async (name: string, config: WorkflowStepConfig, work: () => Promise<void>) =>
    await step
      .do(name, config, work)
      .catch((error: unknown) =>
        deps.log(`task.${name}_failed`, { taskId: request.taskId, error: String(error) }),
      );
  await Promise.all([
    bestEffort('show', persistent, async () => await deps.record.saveComment()),
    bestEffort('cleanup', patient, async () => await deps.record.close()),
  ]);
  // Last: an earlier revocation would only make the comment mint another token.
  await bestEffort('revoke', patient, async () => await deps.codeHost.forgetTokens(request.taskId));
  return ended;
}

async function live(request: TaskRequest, step: WorkflowStep, deps: TaskDeps): Promise<TaskOutcome> {
  const run = runnerOf(step, deps);
  const routed = await routeRequest(request, step, deps);
  if (!routed.go) return routed.outcome;
  return await work(routed.value.request, routed.value.asker, { step, run, deps });
}

async function work(
  request: RoutedRequest,
  asker: Asker,
  { step, run, deps }: { step: WorkflowStep; run: Runner; deps: TaskDeps },
): Promise<TaskOutcome> {
  const authorized = await run('authorize', patient, () => authorizeTask(request, asker, deps));
  if (!authorized.go) return authorized.outcome;
  const authorization = authorized.value;

  // Nothing here depends on the other: the person sees 👀 while the task gets its slot, the sandbox starts and the issue is read.
  const [acknowledged, context, provisioned] = await Promise.all([
    run('acknowledge', patient, () => acknowledge(request, authorization, deps)),
    step.do(
      'context',
      patient,
      async () => await leavingAlone(() => readContext(request, authorization, asker.earlier, deps)),
    ),
    sandboxFor(request, step, deps),
  ]);
  if (!acknowledged.go) return acknowledged.outcome;
  if (!provisioned.go) return provisioned.outcome;

  const sealed = await run('canary', patient, () => proveSealed(deps));
  if (!sealed.go) return sealed.outcome;
  const cloned = await run('clone', cloning, () => cloneRepository(authorization, deps));
  if (!cloned.go) return cloned.outcome;
  const ready = await setUp(authorization, run, deps);
  if (!ready.go) return ready.outcome;
  const started = await run('codex', patient, () => startCodex(context.prompt, authorization, deps));
  if (!started.go) return started.outcome;

  // The record's alarm is the clock and gives up on its own; this bound only keeps an orphaned instance from waiting for ever.
  await step.waitForEvent('agent-finished', { type: 'agent-finished', timeout: '12 hours' });

  const collected = await run('collect', patient, () => collectChange(authorization, deps));
  if (!collected.go) return collected.outcome;
  return await publish(request, authorization, run, deps);
}

/** First the right to a sandbox, then the sandbox. */
async function sandboxFor(request: RoutedRequest, step: WorkflowStep, deps: TaskDeps): Promise<Stage<null>> {
  const slot = await takeSlot(request, step, deps);
  return slot.go ? await provision(step, deps) : slot;
}

/** Which repository it is about: the place says it, or, in Slack, routing, and where that is not enough a person. */
async function routeRequest(
  request: TaskRequest,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<{ request: RoutedRequest; asker: Asker }>> {
  const ask = slackAsk(request, deps);
  if (ask === null) {
    if (request.repository === null) throw new Error('a task of GitHub or the API names its repository');
    const { repository } = request;
    return {
      go: true,
      value: { request: { ...request, repository }, asker: { person: null, earlier: null } },
    };
  }
  if ('go' in ask) return ask;
  const routed = await routeInTurn(ask, step, deps);
  if (!routed.go) return routed;
  const { person } = routed.value;
  let { value } = routed;
  if (value.kind === 'ask') {
    const chosen = await chooseRepository(value.choices, step, deps);
    if (!chosen.go) return chosen;
    const routing = { repository: chosen.value, by: 'chosen' } as const;
    value = { kind: 'routed', person, routing, continues: null, beside: false };
  }
  const { routing, continues, beside } = value;
  await step.do('routed', patient, async () => {
    await deps.record.routed({ routing, requesterName: person.name });
  });
  const before = continues === null ? null : await waitForEarlier(continues, step, deps);
  const earlier = beside && before !== null ? { ...before, pullRequest: null } : before;
  return {
    go: true,
    value: { request: { ...request, repository: routing.repository }, asker: { person, earlier } },
  };
}

/** Once it is known which repository the task before it in the thread is about. */
async function routeInTurn(
  ask: SlackAsk,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<Exclude<Routed, { kind: 'wait' }>>> {
  const run = runnerOf(step, deps);
  for (;;) {
    const routed = await run('route', patient, () => routeTask(ask, deps));
    if (!routed.go) return routed;
    const { value } = routed;
    if (value.kind !== 'wait') return { go: true, value };
    await step.sleep('wait for the routing before', routingWait);
  }
}

/** Asks where it was asked, and waits for the click. */
async function chooseRepository(
  choices: readonly RepositoryRef[],
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<RepositoryRef>> {
  await step.do('offer', persistent, async () => {
    await deps.record.offer(choices);
    await deps.record.saveComment();
  });
  // When the time is over it rejects: then there is no choice, and that is the answer.
  await step.waitForEvent('chosen', { type: 'chosen', timeout: choiceTimeout }).catch(() => undefined);
  const chosen = fromStoredJson(
    await step.do('choice', patient, async () => toStoredJson(await deps.record.choice())),
  );
  if (chosen !== null) return { go: true, value: chosen };
  const { cancelledBy } = await step.do('cancelled?', patient, async () => await deps.record.enter('route'));
  if (cancelledBy !== null) return { go: false, outcome: { kind: 'cancelled', by: cancelledBy } };
  const message =
    'Nobody chose a repository within 12 hours, so that nothing was started. Ask again, and name it first.';
  return { go: false, outcome: { kind: 'refused', reason: { code: 'no-choice', message } } };
}

/** A follow-up begins where the one before it ends. */
async function waitForEarlier(taskId: string, step: WorkflowStep, deps: TaskDeps): Promise<Earlier | null> {
  for (;;) {
    const earlier = fromStoredJson(
      await step.do('the task before', patient, async () => {
        const { cancelledBy } = await deps.record.enter('route');
        const found = await earlierTask(taskId, deps);
        if (found === null && cancelledBy === null) {
          await deps.record.note('Waiting for the task before it in this thread.');
          await deps.record.saveComment().catch(() => undefined); // the next look tells it
        }
        return toStoredJson({ earlier: found, over: found !== null || cancelledBy !== null });
      }),
    );
    // A cancelled one ends at the next stage.
    if (earlier.over) return earlier.earlier;
    await step.sleep('wait for the task before', earlierWait);
  }
}

/** Works from what the record keeps alone, so that it can be done again long after the sandbox is gone. */
async function publish(
  request: RoutedRequest,
  authorization: Authorization,
  run: Runner,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const gated = await run('gate', patient, () => gateChange(authorization, deps));
  if (!gated.go) return gated.outcome;
  const published = await run('publish', persistent, () =>
    publishChange({ request, authorization, gateRemarks: gated.value.remarks }, deps),
  );
  return published.go ? published.value : published.outcome;
}

async function publishAgain(step: WorkflowStep, deps: TaskDeps): Promise<TaskOutcome> {
  const [authorization, request] = await Promise.all([
    deps.record.authorization(),
    deps.record.routedRequest(),
  ]);
  if (authorization === null || request === null)
    throw new Error('a task without an authorization has nothing to publish');
  const relocated = fromStoredJson(
    await step.do('relocate', patient, async () =>
      toStoredJson(await relocateForPublication(authorization, deps)),
    ),
  );
  if (!relocated.go) return relocated.outcome;
  return await publish(request, relocated.value, runnerOf(step, deps), deps);
}

/** Nothing to do where the configuration has none: then its phase is not entered either. */
async function setUp(authorization: Authorization, run: Runner, deps: TaskDeps): Promise<Stage<null>> {
  const { setup } = authorization.policy;
  if (setup === null) return { go: true, value: null };
  const begun = await run('setup', patient, () => beginSetup(authorization, setup, deps));
  if (!begun.go) return begun;
  for (;;) {
    const seen = await run('setup', patient, () => watchSetup(authorization, deps));
    if (!seen.go) return seen;
    if (seen.value === 'ended') break;
  }
  return await run('setup', patient, () => finishSetup(authorization, setup, deps));
}

/** After all retries: what a person is told. The error itself goes to the log; it may hold addresses or upstream text. */
async function explain(error: unknown, request: TaskRequest, deps: TaskDeps): Promise<TaskOutcome> {
  const view = await deps.record.view();
  deps.log('task.failed', { taskId: request.taskId, phase: view?.phase, error: String(error) });
  const phase = view?.phase ?? 'accepted';
  const changeKept = (await deps.record.kept('change.ndjson')) !== null;
  const wayOut = changeKept
    ? 'The change is kept, and publishing it can be tried again; the API has it under `/api/tasks/<id>/change`.'
    : 'Ask again to start over.';
  return {
    kind: 'failed',
    reason: {
      code: `step-failed.${phase}`,
      message: `The step “${phaseText(phase)}” failed even after retries. ${wayOut}`,
    },
    changeKept,
  };
}
