/** Cancels, retries, approves or routes a task, once it has checked that the user may. */
import { reasonText } from '../core/reason.ts';
import { shortIdOf } from '../core/ids.ts';
import { askersOf } from '../core/access/approver.ts';
import { maySlackUse, groupsAskedAbout } from '../core/access/slack-access.ts';
import type { ChatPerson } from '../core/chat.ts';
import type { RepositoryRef, SlackTrigger, TaskRequest } from '../core/task.ts';
import type { TaskView } from '../core/task-view.ts';
import type { SlackTask } from './deps.ts';
import type { Intake } from './intake.ts';
import { repositorySpan, sentences, shortIdSpan } from './sentences.ts';
import { renderUntrusted } from './mrkdwn.ts';

/** The user who acts on a task. */
export interface Actor {
  readonly userId: string;
  /** The channel of the click or reaction; null for a command, whose channel is not checked. */
  readonly channelId: string | null;
}

interface Admitted {
  readonly ok: true;
  readonly task: SlackTask;
  readonly view: TaskView;
  readonly request: TaskRequest;
  readonly trigger: SlackTrigger;
  readonly repository: RepositoryRef | null;
  readonly person: ChatPerson;
}
type Admission = Admitted | { readonly ok: false; readonly sentence: string };

const refuse = (sentence: string): Admission => ({ ok: false, sentence });

/** From another channel, only the requester can act; without a repository, also who can use one offered. */
export async function admitActor(intake: Intake, taskId: string, actor: Actor): Promise<Admission> {
  const { deps, slack } = intake;
  const task = deps.task(taskId);
  const [snapshot, view] = await Promise.all([task.snapshot(), task.view()]);
  const request = snapshot?.request ?? null;
  if (request === null || view === null || request.trigger.kind !== 'slack')
    return refuse(sentences.taskGone);
  const { trigger } = request;
  const own = trigger.userId === actor.userId;
  if (!own && actor.channelId !== null && actor.channelId !== trigger.channelId)
    return refuse(sentences.taskGone);

  const repository = view.repository ?? request.repository;
  const policies = (repository === null ? (view.choices ?? []) : [repository])
    .map((one) => deps.policy.forRepository(one))
    .filter((policy) => policy.allowed);
  const person = await deps.chat.person(actor.userId, groupsAskedAbout(policies.map(({ slack }) => slack)));
  const at = { channelId: trigger.channelId, person, team: slack.team };
  // Evaluate even if no repository is allowed, so that an outsider's answer does not reveal the
  // configuration.
  const verdicts =
    policies.length === 0
      ? [maySlackUse({ kind: 'none' }, at)]
      : policies.map((policy) => maySlackUse(policy.slack, at));
  const refusal = verdicts.find((verdict) => !verdict.allowed);
  const allowed = verdicts.some((verdict) => verdict.allowed);
  const unrouted = repository === null && own && maySlackUse({ kind: 'workspace' }, at).allowed;
  if (person === null || !(allowed || unrouted)) {
    return refuse(
      refusal === undefined || refusal.allowed
        ? sentences.taskGone
        : renderUntrusted(reasonText(refusal.reason)),
    );
  }
  return { ok: true, task, view, request, trigger, repository, person };
}

/** Cancels a task. Returns a sentence for the user, also if it is refused or too late. */
export async function cancelTask(intake: Intake, taskId: string, actor: Actor): Promise<string> {
  const admitted = await admitActor(intake, taskId, actor);
  if (!admitted.ok) return admitted.sentence;
  const { task, view, person } = admitted;
  const { cancelled, reason } = await task.cancel(person.name);
  return cancelled
    ? `${shortIdSpan(view.shortId)} is being cancelled.`
    : `${shortIdSpan(view.shortId)} was not cancelled: ${renderUntrusted(reason)}`;
}

/** Retries a task or its publication. `threadTs`: the root of the thread; null if unknown. */
export async function retryTask(
  intake: Intake,
  taskId: string,
  actor: Actor & { readonly threadTs: string | null },
): Promise<string> {
  const { deps } = intake;
  const admitted = await admitActor(intake, taskId, actor);
  if (!admitted.ok) return admitted.sentence;
  const { view, request, trigger, repository } = admitted;
  const name = shortIdSpan(view.shortId);
  if (request.ask.kind !== 'run') return `${name} was a command, not a task, so there is nothing to retry.`;
  if (view.outcome === null) return `${name} is still running. Cancel it first, or wait until it ends.`;
  if (view.outcome.kind === 'failed' && view.outcome.changeKept) {
    const again = await deps.retryPublication(taskId, null);
    return again.started
      ? `I am retrying the publication of the change of ${name}.`
      : `I could not retry the publication of ${name}: ${renderUntrusted(again.reason)}`;
  }
  const again = await deps.claimRepetition(taskId);
  const shortId = await shortIdOf(again);
  const { onPage: _, ...asked } = request;
  const started = await deps.startTask({
    ...asked,
    taskId: again,
    shortId,
    acceptedAt: deps.now().toISOString(),
    repository,
    requester: null,
    askedBefore: askersOf(request),
    // Keeps `triggeredAt`: later thread messages were not part of the request. The thread of a direct message
    // does not belong to the task's channel, so it is ignored.
    trigger: {
      ...trigger,
      userId: actor.userId,
      threadTs:
        trigger.threadTs ??
        (actor.channelId === null || actor.channelId === trigger.channelId ? actor.threadTs : null),
      again: { by: 'retry', taskId },
    },
  });
  deps.log('slack.accepted', { taskId: again, retryOf: taskId, outcome: started });
  return started === 'started'
    ? `${name} is being retried as ${shortIdSpan(shortId)}.`
    : `${name} was already retried as ${shortIdSpan(shortId)}. Retry that one instead.`;
}

/** Approves a held change. `changeHash` comes from the button and identifies the change that the user saw. */
export async function approveTask(
  intake: Intake,
  taskId: string,
  actor: Actor,
  changeHash: string,
): Promise<string> {
  const admitted = await admitActor(intake, taskId, actor);
  if (!admitted.ok) return admitted.sentence;
  const { view, person } = admitted;
  if (view.outcome?.kind !== 'held' || view.outcome.changeHash !== changeHash)
    return sentences.nothingToApprove;
  const again = await intake.deps.retryPublication(taskId, {
    by: person.name,
    slackUserId: actor.userId,
    changeHash,
  });
  return again.started
    ? `The change of ${shortIdSpan(view.shortId)} is approved and being published.`
    : `${shortIdSpan(view.shortId)} was not published: ${renderUntrusted(again.reason)}`;
}

/** Chooses a repository that the user can use. The record checks that it was offered. */
export async function chooseRepository(
  intake: Intake,
  taskId: string,
  actor: Actor,
  repository: RepositoryRef,
): Promise<string> {
  const { deps, slack } = intake;
  const admitted = await admitActor(intake, taskId, actor);
  if (!admitted.ok) return admitted.sentence;
  const policy = deps.policy.forRepository(repository);
  if (!policy.allowed || admitted.view.choices === null) return sentences.notOffered;
  // Look the user up again, because `admitActor` may not have asked about this repository's groups.
  const person = await deps.chat.person(actor.userId, groupsAskedAbout([policy.slack]));
  const verdict = maySlackUse(policy.slack, {
    channelId: admitted.trigger.channelId,
    person,
    team: slack.team,
  });
  if (!verdict.allowed) return renderUntrusted(reasonText(verdict.reason));
  return (await admitted.task.choose(repository))
    ? `${shortIdSpan(admitted.view.shortId)} now continues with ${repositorySpan(repository)}.`
    : sentences.notOffered;
}
