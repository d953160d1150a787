/** Which earlier task of a thread a reply continues: the latest pull request, whatever came between. */
import type { AskedAt } from '../../core/chat.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import { placesOf } from '../../core/conversation.ts';
import { withRemarks } from '../../core/remark.ts';
import type { GithubTrigger, RepositoryRef, TaskRequest } from '../../core/task.ts';
import type { TaskView } from '../../core/task-view.ts';
import type { TaskDeps } from './stage.ts';

interface EarlierTask {
  readonly taskId: string;
  readonly view: TaskView;
}

/** How many tasks of a thread are looked at, newest first. */
const maxEarlier = 20;

/** The tasks of the conversation before a request, or before another place in its thread, newest first. */
export async function* tasksBefore(
  { taskId, trigger, acceptedAt }: Pick<TaskRequest, 'taskId' | 'trigger' | 'acceptedAt'>,
  place: AskedAt | null,
  deps: TaskDeps,
): AsyncGenerator<{ readonly taskId: string; readonly record: TaskRecordPort }> {
  if (trigger.kind === 'github') {
    const ids = await deps.issueTasks.onIssue(trigger.repositoryId, trigger.issueNumber);
    const at = Date.parse(acceptedAt);
    const older = ids.includes(taskId) ? ids.slice(ids.indexOf(taskId) + 1) : [];
    for (const id of older) yield { taskId: id, record: deps.recordOf(id) };
    for (const number of await relatedNumbers(trigger, deps))
      for (const id of await deps.issueTasks.onIssue(trigger.repositoryId, number)) {
        const record = deps.recordOf(id);
        const view = await record.view();
        if (view !== null && Date.parse(view.acceptedAt) < at) yield { taskId: id, record };
      }
  }
  if (trigger.kind !== 'slack' || place === null) return;
  const { channelId, threadTs } = trigger;
  if (threadTs === null) return;
  let before = place;
  for (let seen = 0; seen < maxEarlier; seen += 1) {
    const task = await deps.index.inThread(channelId, threadTs, before);
    if (task === null || task.taskId === before.taskId) return;
    yield { taskId: task.taskId, record: deps.recordOf(task.taskId) };
    before = { taskId: task.taskId, at: task.at };
  }
}

/** The other issues and pull requests of the conversation, by its last turn. */
async function relatedNumbers(
  { repositoryId, issueNumber }: GithubTrigger,
  deps: TaskDeps,
): Promise<readonly number[]> {
  const own = `#${issueNumber}`;
  const last = await deps.conversations.latestTurn(repositoryId, [own]);
  const snapshot = last === null ? null : await deps.recordOf(last).snapshot();
  if (snapshot?.authorization == null) return [];
  const { request, authorization, outcome, slackPost } = snapshot;
  const { places } = placesOf({ trigger: request.trigger, authorization, outcome, slackPost });
  return places
    .filter((place) => place.startsWith('#') && place !== own)
    .map((place) => Number(place.slice(1)));
}

/** The latest tasks in an issue and its pull requests: words in one reach the others. */
export async function idsOfConversation(trigger: GithubTrigger, deps: TaskDeps): Promise<readonly string[]> {
  const numbers = [trigger.issueNumber, ...(await relatedNumbers(trigger, deps))];
  const ids = await Promise.all(
    numbers.map(async (number) => await deps.issueTasks.onIssue(trigger.repositoryId, number)),
  );
  return [...new Set(ids.flat())];
}

/** What was refused, cancelled or failed before it began counts only when it is alone; a remark never. */
export async function latestWork(
  request: Pick<TaskRequest, 'taskId' | 'ask' | 'trigger' | 'acceptedAt'>,
  place: AskedAt,
  deps: TaskDeps,
): Promise<EarlierTask | null | 'being-routed'> {
  let latest: EarlierTask | null = null;
  const { taskId, ask } = request;
  for await (const earlier of tasksBefore(request, place, deps)) {
    // Before the look, so that a change after the look wakes this task.
    if (ask.kind === 'run') await earlier.record.addWaiter(taskId);
    const view = await earlier.record.view();
    if (view === null) break;
    if (ask.kind === 'run' && isBeingRouted(view)) return 'being-routed';
    if (view.outcome?.kind === 'steered' || view.ahead?.steers === true) continue;
    const found: EarlierTask = { taskId: earlier.taskId, view };
    if (!endedBeforeWork(view)) return found;
    latest ??= found;
  }
  return latest;
}

const kindsWithoutWork: readonly string[] = ['refused', 'answered', 'cancelled', 'failed'];

/** Whether a task ended before it was authorized, so that it has no base. */
function endedBeforeWork({ outcome, base, continues }: TaskView): boolean {
  return outcome !== null && kindsWithoutWork.includes(outcome.kind) && base === null && continues === null;
}

/** Not true while it asks a person for a repository: that can take hours, and nobody waits for it. */
function isBeingRouted({ repository, outcome, choices }: TaskView): boolean {
  return repository === null && outcome === null && choices === null;
}

/** What the earlier task of the thread left. */
export interface Earlier {
  readonly instruction: string;
  /** Title of its pull request; empty if it has none. */
  readonly title: string;
  /** Its own pull request, or the one that it worked on. null if there is neither. */
  readonly pullRequest: number | null;
}

/** null while the earlier task has not ended. */
export async function earlierTask(taskId: string, deps: TaskDeps): Promise<Earlier | null> {
  const view = await deps.recordOf(taskId).view();
  if (view === null) return { instruction: '', title: '', pullRequest: null };
  if (view.outcome === null) return null;
  const pull = view.outcome.kind === 'pull-request' ? view.outcome.pullRequest : null;
  return {
    instruction: withRemarks(view.instruction, view.remarks),
    title: pull?.title ?? '',
    pullRequest: pullRequestOf(view) ?? (await pullRequestBefore(taskId, view.repository, deps)),
  };
}

/** A follow-up without a result leaves the pull request that it worked on. */
const pullRequestOf = ({ outcome, continues }: TaskView): number | null =>
  outcome?.kind === 'pull-request' ? outcome.pullRequest.number : (continues?.number ?? null);

/** The latest pull request of the thread before a task that has none, in the same repository. */
async function pullRequestBefore(
  taskId: string,
  repository: RepositoryRef | null,
  deps: TaskDeps,
): Promise<number | null> {
  const request = (await deps.recordOf(taskId).snapshot())?.request;
  if (repository === null || request?.trigger.kind !== 'slack') return null;
  const place = { taskId, at: Date.parse(request.acceptedAt) };
  for await (const { record } of tasksBefore(request, place, deps)) {
    const view = await record.view();
    if (view?.repository == null || !isSame(view.repository, repository)) return null;
    const number = pullRequestOf(view);
    if (number !== null) return number;
  }
  return null;
}

const isSame = (one: RepositoryRef, other: RepositoryRef): boolean =>
  one.owner.toLowerCase() === other.owner.toLowerCase() &&
  one.name.toLowerCase() === other.name.toLowerCase();
