/** Routes a task from Slack. People learn nothing of what they may not use. */
import type { AskedAt, ChatPerson, NamedBy, Routing } from '../../core/chat.ts';
import type { Chat } from '../../core/ports/chat-port.ts';
import type { SlackPolicy } from '../../core/policy.ts';
import { route } from '../../core/access/route.ts';
import { authorityOf } from '../../core/authority.ts';
import { reasonOf } from '../../core/reason.ts';
import { groupsAskedAbout, maySlackUse } from '../../core/access/slack-access.ts';
import type { RepositoryRef, SlackTrigger, TaskOutcome, TaskRequest } from '../../core/task.ts';
import { ageText, standingText } from '../../core/task-words.ts';
import { latestWork } from './earlier-tasks.ts';
import { slackHelp } from './help.ts';
import type { Stage, TaskDeps } from './stage.ts';
import type { Asker } from './turn.ts';

/** A request from Slack, with what it is routed by. */
export interface SlackAsk {
  readonly request: TaskRequest;
  readonly trigger: SlackTrigger;
  readonly slack: SlackPolicy;
  readonly chat: Chat;
}

export type Routed =
  | {
      readonly kind: 'routed';
      /** Null: it was asked on a page. */
      readonly person: ChatPerson | null;
      readonly routing: Routing;
      /** Null: it continues no work of the thread. `newPullRequest`: it repeats one that made one. */
      readonly thread: Asker['thread'];
    }
  | { readonly kind: 'ask'; readonly person: ChatPerson | null; readonly choices: readonly RepositoryRef[] };

/** null for a task from GitHub or the API, whose trigger names the repository. */
export function slackAsk(request: TaskRequest, deps: TaskDeps): SlackAsk | Stage<never> | null {
  const { trigger } = request;
  if (trigger.kind !== 'slack') return null;
  const { chat } = deps;
  const { slack } = deps.policy;
  if (chat === null || slack === null || slack.team !== trigger.teamId)
    return { go: false, outcome: { kind: 'refused', reason: reasonOf('slack-not-configured') } };
  return { request, trigger, slack, chat };
}

/** null while the earlier task of the thread is being routed itself. */
export async function routeTask(ask: SlackAsk, deps: TaskDeps): Promise<Stage<Routed | null>> {
  const { request, trigger, slack, chat } = ask;
  const { policy } = deps;
  const isInSlack = authorityOf(request) === 'slack';
  // Without groups first: only members need them.
  const somebody = isInSlack ? await chat.person(trigger.userId, []) : null;
  // Guests and strangers are refused whatever they ask, so that they learn nothing of the configuration.
  const isMember = maySlackUse(
    { kind: 'workspace' },
    { channelId: trigger.channelId, person: somebody, team: slack.team },
  );
  if (isInSlack && !isMember.allowed)
    return { go: false, outcome: { kind: 'refused', reason: isMember.reason } };
  const self = { taskId: request.taskId, at: Date.parse(request.acceptedAt) };
  // Before it looks for the earlier task, so that the later of two quick replies finds the other.
  if (request.ask.kind === 'run')
    await deps.index.put({
      ...self,
      shortId: request.shortId,
      userId: trigger.userId,
      channelId: trigger.channelId,
      threadTs: trigger.threadTs,
      messageTs: trigger.messageTs,
      postedTs: null,
    });

  const { place, newPullRequest } = await placeOf(self, trigger, deps);
  const found = await latestWork(request, place, deps);
  if (found === 'being-routed') return { go: true, value: null };
  const thread =
    found?.view.repository == null ? null : { taskId: found.taskId, repository: found.view.repository };
  const channelDefault = slack.channelDefaults.get(trigger.channelId) ?? null;
  // Only if nothing else decides, because the list can take calls to GitHub.
  const listed =
    request.repository === null && thread === null && channelDefault === null && request.ask.kind === 'run'
      ? await allRepositories(deps)
      : [];
  const known = [request.repository, thread?.repository ?? null, channelDefault, ...listed].filter(
    (repository) => repository !== null,
  );
  const accessOf = (repository: RepositoryRef) => {
    const found = policy.forRepository(repository);
    return found.allowed ? found.slack : ({ kind: 'none' } as const);
  };
  const groups = isInSlack ? groupsAskedAbout(known.map(accessOf)) : [];
  const person = groups.length === 0 ? somebody : await chat.person(trigger.userId, groups);
  const at = { channelId: trigger.channelId, person, team: slack.team };

  if (request.ask.kind !== 'run' && person !== null)
    return { go: false, outcome: await answer(ask, { at, person, thread, accessOf }, deps) };
  const routed = route({
    explicit: request.repository === null ? null : { repository: request.repository, by: namedBy(trigger) },
    thread,
    channelDefault,
    candidates: listed.filter((repository) => maySlackUse(accessOf(repository), at).allowed),
  });
  switch (routed.kind) {
    case 'none':
      return { go: false, outcome: { kind: 'refused', reason: routed.reason } };
    case 'ask':
      return { go: true, value: { kind: 'ask', person, choices: routed.choices } };
    case 'repository': {
      const { routing, continues } = routed;
      const thread = continues === null ? null : { place, newPullRequest };
      return { go: true, value: { kind: 'routed', person, routing, thread } };
    }
  }
}

/** A repository from a form counts as chosen in the form, also when the form changes a task. */
function namedBy({ event, again }: SlackTrigger): NamedBy {
  if (again?.by === 'retry') return 'again';
  return event === 'form' ? 'form' : 'named';
}

/** A repeated task takes the place of the first one that it repeats, so that its earlier task is the same. */
async function placeOf(
  self: AskedAt,
  trigger: SlackTrigger,
  deps: TaskDeps,
): Promise<{ readonly place: AskedAt; readonly newPullRequest: boolean }> {
  let place = self;
  let newPullRequest = false;
  let { again } = trigger;
  while (again !== undefined) {
    const record = deps.recordOf(again.taskId);
    const snapshot = await record.snapshot();
    // Expired: the last known one counts.
    if (snapshot === null) break;
    const { request: original, outcome } = snapshot;
    place = { taskId: original.taskId, at: Date.parse(original.acceptedAt) };
    newPullRequest ||= outcome?.kind === 'pull-request';
    again = original.trigger.kind === 'slack' ? original.trigger.again : undefined;
  }
  return { place, newPullRequest };
}

/** Sorted by name, without duplicates. */
async function allRepositories({ policy, codeHost }: TaskDeps): Promise<readonly RepositoryRef[]> {
  const below = policy.hasPatterns ? await codeHost.installedRepositories() : [];
  const byName = new Map(
    [...policy.named, ...below].map((repository) => [
      `${repository.owner}/${repository.name}`.toLowerCase(),
      repository,
    ]),
  );
  return [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? []);
}

interface Answering {
  readonly at: Parameters<typeof maySlackUse>[1];
  readonly person: ChatPerson;
  readonly thread: { readonly taskId: string; readonly repository: RepositoryRef } | null;
  readonly accessOf: (repository: RepositoryRef) => Parameters<typeof maySlackUse>[0];
}

/** Answers `help`, `status`, `cancel` and `retry` in a mention, about the latest task of the thread. */
async function answer(
  { request }: SlackAsk,
  { at, person, thread, accessOf }: Answering,
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const { ask } = request;
  if (ask.kind === 'help' || ask.kind === 'run') return { kind: 'answered', message: slackHelp };
  if (ask.kind === 'invalid')
    return { kind: 'refused', reason: reasonOf('mention-invalid', { problem: ask.message }) };
  if (thread === null)
    return { kind: 'answered', message: 'There is no task in this thread. Say `help` for what I can do.' };
  const access = maySlackUse(accessOf(thread.repository), at);
  if (!access.allowed) return { kind: 'refused', reason: access.reason };
  const record = deps.recordOf(thread.taskId);
  const view = await record.view();
  if (view === null) return { kind: 'answered', message: 'There is no task in this thread.' };
  switch (ask.kind) {
    case 'status': {
      const where = `Task ${view.shortId} on \`${thread.repository.owner}/${thread.repository.name}\``;
      const message =
        view.outcome === null
          ? `${where} (${standingText(view)}) was asked for ${ageText(view.elapsedMs)}.`
          : `${where} has ended (${view.outcome.kind}).`;
      return { kind: 'answered', message };
    }
    case 'cancel':
      return {
        kind: 'answered',
        message: `Task ${view.shortId}: ${(await record.cancel(person.name)).reason}`,
      };
    case 'approve':
      return { kind: 'answered', message: 'Press Approve on the message of the task.' };
    case 'retry': {
      if (view.outcome?.kind !== 'failed' || !view.outcome.changeKept)
        return {
          kind: 'answered',
          message: `Task ${view.shortId} has no change that waits to be published. Press Retry on its message to do the whole task again, or reply with what you want done.`,
        };
      const retried = await deps.retryPublication(thread.taskId, null);
      return {
        kind: 'answered',
        message: retried.started
          ? 'I am retrying the publication of the kept change. The message of its task shows the result.'
          : retried.reason,
      };
    }
  }
}
