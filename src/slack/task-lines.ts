/** Lists the tasks of a user and a channel, one line each, and decides which of them the user can see. */
import type { IndexedTask } from '../core/chat.ts';
import { groupsAskedAbout, maySlackUse, outsiderReason } from '../core/access/slack-access.ts';
import { reasonText } from '../core/reason.ts';
import type { TaskOutcome } from '../core/task.ts';
import type { TaskView } from '../core/task-view.ts';
import { ageText, standingText } from '../core/task-words.ts';
import type { Asker } from './candidates.ts';
import type { Intake } from './intake.ts';
import { link, renderUntrusted } from './mrkdwn.ts';
import { repositorySpan, shortIdSpan } from './sentences.ts';

function outcomeWords(outcome: TaskOutcome): string {
  switch (outcome.kind) {
    case 'pull-request':
      return [
        outcome.added === true ? 'commit on' : 'pull request',
        link(`#${outcome.pullRequest.number}`, outcome.pullRequest.url),
      ].join(' ');
    case 'no-change':
      return outcome.leftOut === undefined ? 'no change' : 'nothing published';
    case 'refused':
      return 'refused';
    case 'held':
      return 'held back';
    case 'failed':
      return outcome.changeKept ? 'failed, the change is kept' : 'failed';
    case 'cancelled':
      return 'cancelled';
    case 'patch':
      return 'a patch, nothing published';
    case 'replied':
      return 'answered';
    case 'steered':
      return 'handed to the running task';
    case 'answered':
    case 'ignored':
      return outcome.kind;
  }
}

function taskLine(view: TaskView, now: Date): string {
  const repository = view.repository === null ? 'no repository yet' : repositorySpan(view.repository);
  const state = view.outcome === null ? standingText(view) : outcomeWords(view.outcome);
  const age = ageText(now.getTime() - Date.parse(view.acceptedAt));
  return `• ${shortIdSpan(view.shortId)} ${repository} · ${state} · ${age}`;
}

/** The latest tasks of the user and of the channel, without duplicates, newest first. */
export async function recentTasks(
  { deps }: Pick<Intake, 'deps'>,
  who: Asker,
): Promise<readonly IndexedTask[]> {
  const lists = await Promise.all([
    deps.index.recent({ userId: who.userId }, 50),
    deps.index.recent({ channelId: who.channelId }, 50),
  ]);
  const byId = new Map(lists.flat().map((task) => [task.taskId, task]));
  return [...byId.values()].sort((a, b) => b.at - a.at);
}

export type ListScope = 'own-running' | 'all' | { readonly taskId: string };

/** Limit of listed tasks, to keep the message short. */
const maxLines = 10;

/** A user sees their own tasks and those whose repository they can use; an outsider none. */
export async function listTasks(intake: Intake, who: Asker, scope: ListScope): Promise<string> {
  const { deps, slack } = intake;
  const recent = await recentTasks(intake, who);
  const wanted = recent.filter((task) => {
    if (typeof scope === 'object') return task.taskId === scope.taskId;
    return scope === 'all' || task.userId === who.userId;
  });
  const found = await Promise.all(
    wanted.slice(0, maxLines * 2).map(async (task) => ({ task, view: await deps.task(task.taskId).view() })),
  );
  const known = found.flatMap(({ task, view }) => {
    if (view === null) return [];
    const policy = view.repository === null ? null : deps.policy.forRepository(view.repository);
    return [{ task, view, access: policy?.allowed === true ? policy.slack : ({ kind: 'none' } as const) }];
  });
  const person = await deps.chat.person(who.userId, groupsAskedAbout(known.map(({ access }) => access)));
  const outsider = outsiderReason(person, slack.team);
  if (outsider !== null) return renderUntrusted(reasonText(outsider));
  const shown = known.filter(
    ({ task, access }) =>
      task.userId === who.userId ||
      maySlackUse(access, { channelId: task.channelId, person, team: slack.team }).allowed,
  );
  const running = shown.filter(({ view }) => view.outcome === null);
  const lines = (scope === 'own-running' && running.length > 0 ? running : shown)
    .slice(0, scope === 'own-running' && running.length === 0 ? 1 : maxLines)
    .map(({ view }) => taskLine(view, deps.now()));
  if (lines.length === 0) return scope === 'all' ? 'There are no tasks here yet.' : 'You have no tasks yet.';
  const title =
    scope === 'own-running' && running.length === 0 ? ['You have no running tasks. Your latest one:'] : [];
  return [...title, ...lines].join('\n');
}

/** The tasks whose short id begins with the prefix, newest first. */
export function withPrefix(tasks: readonly IndexedTask[], prefix: string): readonly IndexedTask[] {
  return tasks.filter(({ shortId }) => shortId.startsWith(prefix));
}
