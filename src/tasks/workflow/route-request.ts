/** Finds out which repository a request is about; in Slack `stage-route.ts` has the stages. */
import type { WorkflowStep } from 'cloudflare:workers';
import { operatorName } from '../../core/authority.ts';
import { reasonOf } from '../../core/reason.ts';
import type { RepositoryRef, RoutedRequest, TaskRequest } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import { routeTask, slackAsk } from './stage-route.ts';
import type { Stage, TaskDeps } from './stage.ts';
import type { Asker } from './turn.ts';
import { retryBriefly, retryLong, runnerOf } from './step-runner.ts';
import { waitFor } from './wait-for.ts';

export async function routeRequest(
  request: TaskRequest,
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<{ request: RoutedRequest; asker: Asker }>> {
  const ask = slackAsk(request, deps);
  if (ask === null) {
    const { repository } = request;
    if (repository === null) throw new Error('a task from GitHub or the API names its repository');
    return {
      go: true,
      value: { request: { ...request, repository }, asker: { person: null, thread: null } },
    };
  }
  if ('go' in ask) return ask;
  const run = runnerOf(step, deps);
  const routed = await waitFor(
    'the routing of the earlier task',
    async () => await run('route', retryBriefly, async () => await routeTask(ask, deps)),
    step,
  );
  if (!routed.go) return routed;
  const { person } = routed.value;
  let { value } = routed;
  if (value.kind === 'ask') {
    const chosen = await chooseRepository(value.choices, step, deps);
    if (!chosen.go) return chosen;
    const routing = { repository: chosen.value, by: 'chosen' } as const;
    value = { kind: 'routed', person, routing, thread: null };
  }
  const { routing, thread } = value;
  const requesterName = person?.name ?? request.requester?.login ?? operatorName;
  await step.do('routed', retryBriefly, async () => {
    await deps.record.learn({ routing: { routing, requesterName } });
  });
  return {
    go: true,
    value: { request: { ...request, repository: routing.repository }, asker: { person, thread } },
  };
}

/** Asks in the post, and waits for a click. */
async function chooseRepository(
  choices: readonly RepositoryRef[],
  step: WorkflowStep,
  deps: TaskDeps,
): Promise<Stage<RepositoryRef>> {
  const run = runnerOf(step, deps);
  const askedAt = await step.do('offer', retryLong, async () => {
    await deps.record.learn({ choices });
    await deps.record.updatePost();
    return deps.now();
  });
  return await waitFor(
    'a choice',
    async () => await run('route', retryBriefly, async () => await choiceOf(askedAt, deps)),
    step,
  );
}

async function choiceOf(askedAt: number, { record, now }: TaskDeps): Promise<Stage<RepositoryRef | null>> {
  const snapshot = await record.snapshot();
  if (snapshot?.choice != null) return { go: true, value: snapshot.choice };
  if (now() < askedAt + taskLimits.choiceMs) return { go: true, value: null };
  return { go: false, outcome: { kind: 'refused', reason: reasonOf('no-choice') } };
}
