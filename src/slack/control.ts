/**
 * What a person does to a task that exists: cancel, retry, approve, choose, look at its log, change it. Buttons, commands and reactions end
 * here. Each checks first who it is and whether they may use the task's repository in the channel that the task was asked in; then the
 * effect is durable, and then it answers with a sentence for that person alone.
 */
import { shortIdOf, slackTaskId } from '../core/ids.ts';
import { maySlackUse, groupsAskedAbout } from '../core/access/slack-access.ts';
import type { ChatPerson } from '../core/chat.ts';
import type { RepositoryRef, SlackTrigger, TaskRequest } from '../core/task.ts';
import type { TaskView } from '../core/task-view.ts';
import type { SlackTask } from './deps.ts';
import type { Intake } from './intake.ts';
import { nameOf, sentences, shortIdSpan } from './sentences.ts';
import { renderUntrusted } from './mrkdwn.ts';

/** Somebody who acts on a task. */
export interface Actor {
  readonly userId: string;
  /** Where it was done: a click tells its channel. null where that says nothing, as of a command. */
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

const no = (sentence: string): Admission => ({ ok: false, sentence });

/**
 * A task that does not know its repository yet belongs to who asked for it, and to whoever may use one of those that are offered. Whoever
 * acts from another channel than the task's must have asked for it: a task's id alone opens nothing.
 */
export async function admitActor(intake: Intake, taskId: string, actor: Actor): Promise<Admission> {
  const { deps, slack } = intake;
  const task = deps.task(taskId);
  const [request, view] = await Promise.all([task.request(), task.view()]);
  if (request === null || view === null || request.trigger.kind !== 'slack') return no(sentences.taskGone);
  const { trigger } = request;
  const own = trigger.userId === actor.userId;
  if (!own && actor.channelId !== null && actor.channelId !== trigger.channelId)
    return no(sentences.taskGone);

  const repository = view.repository ?? request.repository;
  const policies = (repository === null ? (view.choices ?? []) : [repository])
    .map((one) => deps.policy.forRepository(one))
    .filter((policy) => policy.allowed);
  const person = await deps.chat.person(actor.userId, groupsAskedAbout(policies.map(({ slack }) => slack)));
  const at = { channelId: trigger.channelId, person, team: slack.team };
  // What nobody may use is still asked about: the answer to an outsider does not depend on the configuration.
  const verdicts =
    policies.length === 0
      ? [maySlackUse({ kind: 'none' }, at)]
      : policies.map((policy) => maySlackUse(policy.slack, at));
  const refusal = verdicts.find((verdict) => !verdict.allowed);
  const allowed = verdicts.some((verdict) => verdict.allowed);
  const unrouted = repository === null && own && maySlackUse({ kind: 'workspace' }, at).allowed;
  if (person === null || !(allowed || unrouted)) {
    return no(
      refusal === undefined || refusal.allowed ? sentences.taskGone : renderUntrusted(refusal.reason.message),
    );
  }
  return { ok: true, task, view, request, trigger, repository, person };
}

export async function cancelTask(intake: Intake, taskId: string, actor: Actor): Promise<string> {
  const admitted = await admitActor(intake, taskId, actor);
  if (!admitted.ok) return admitted.sentence;
  const { task, view, person } = admitted;
  const { cancelled, reason } = await task.cancel(person.name);
  return cancelled
    ? `${shortIdSpan(view.shortId)} is being cancelled.`
    : `${shortIdSpan(view.shortId)} was not cancelled: ${renderUntrusted(reason)}`;
}

/** `threadTs`: root of the thread that the task's message stands in; null when that is not known. */
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
  if (request.ask.kind !== 'run') return `${name} was a question, not a task: there is nothing to run again.`;
  if (view.outcome === null) return `${name} still runs. Cancel it first, or wait for its end.`;
  if (view.outcome.kind === 'failed' && view.outcome.changeKept) {
    const again = await deps.publishAgain(taskId, null);
    return again.started
      ? `The change of ${name} is kept; it is being published again.`
      : `${name} was not published again: ${renderUntrusted(again.reason)}`;
  }
  const again = await slackTaskId({ event: 'retry', taskId });
  const shortId = await shortIdOf(again);
  const started = await deps.startTask({
    ...request,
    taskId: again,
    shortId,
    acceptedAt: deps.now().toISOString(),
    repository,
    requester: null,
    // What was said after the first trigger was not asked for with it. A message that had to be sent directly names no thread of the channel.
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
    ? `${name} is tried again as ${shortIdSpan(shortId)}.`
    : `${name} has been tried again before, as ${shortIdSpan(shortId)}. Retry that one.`;
}

/** `changeHash`: of the change that the person has seen held, from the button. */
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
  const again = await intake.deps.publishAgain(taskId, { by: person.name, changeHash });
  return again.started
    ? `The change of ${shortIdSpan(view.shortId)} is approved and being published.`
    : `${shortIdSpan(view.shortId)} was not published: ${renderUntrusted(again.reason)}`;
}

/** Only what the person may use themselves. Whether it was offered is the record's question. */
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
  // Anew: the groups of this repository need not be among those asked about above.
  const person = await deps.chat.person(actor.userId, groupsAskedAbout([policy.slack]));
  const verdict = maySlackUse(policy.slack, {
    channelId: admitted.trigger.channelId,
    person,
    team: slack.team,
  });
  if (!verdict.allowed) return renderUntrusted(verdict.reason.message);
  return (await admitted.task.choose(repository))
    ? `${shortIdSpan(admitted.view.shortId)} goes on with ${nameOf(repository)}.`
    : sentences.notOffered;
}
