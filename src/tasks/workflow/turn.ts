/**
 * Decides when a request becomes a turn of its conversation: an issue, a pull request, a thread in Slack.
 *
 * - Words that come while a task of the conversation runs are a remark. That task passes them on to Codex.
 *   What the model has not read when its turn ends becomes the next turn.
 * - What is no remark (a job, options, files, a form, a retry) waits for an earlier task that works on the
 *   same branch.
 * - An earlier task that is itself not decided is waited for, so that words stay in order.
 */
import type { Authorization } from '../../core/authorization.ts';
import { buildRemark, withNames } from '../../core/ask/prompt.ts';
import { askingLines } from '../../core/ask/pull-context.ts';
import type { AskedAt, ChatPerson } from '../../core/chat.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import { isRemark, remarkOf, takesTurns, type Remark } from '../../core/remark.ts';
import type { RepositoryFacts, RoutedRequest, TaskOutcome } from '../../core/task.ts';
import { earlierTask, latestWork, tasksBefore, type Earlier } from './earlier-tasks.ts';
import { reactSeen } from './react.ts';
import type { TaskDeps } from './stage.ts';

/** What routing found out about a task from Slack; all null for other tasks. */
export interface Asker {
  readonly person: ChatPerson | null;
  /** The place in the thread whose work this task continues; null: it continues none. */
  readonly thread: { readonly place: AskedAt; readonly newPullRequest: boolean } | null;
}

export type Turn =
  /** `earlier`: what it continues. */
  | { readonly kind: 'own'; readonly earlier: Earlier | null }
  /** Behind an earlier task, which wakes this one. */
  | { readonly kind: 'behind' }
  | { readonly kind: 'over'; readonly outcome: TaskOutcome };

const behind: Turn = { kind: 'behind' };

/** What became of words that an earlier task has; null if none has them. */
export async function fateOfWords(request: RoutedRequest, deps: TaskDeps): Promise<Turn | null> {
  const { record } = deps;
  const ahead = (await record.snapshot())?.ahead ?? null;
  if (ahead?.steers !== true) return null;
  const running = deps.recordOf(ahead.taskId);
  const fate = await running.remarkFate(request.taskId);
  const takeBack = async () => await record.learn({ ahead: { taskId: ahead.taskId, steers: false } });
  if (fate === null) {
    // An attempt of this step ended before it could give them.
    await takeBack();
    return null;
  }
  if (fate === 'reached') return { kind: 'over', outcome: { kind: 'steered', taskId: ahead.taskId } };
  if (fate === 'waiting') return behind;
  await running.addWaiter(request.taskId);
  const outcome = (await running.view())?.outcome;
  if (outcome === null) return behind;
  if (outcome?.kind !== 'cancelled') {
    await takeBack();
    return null;
  }
  // Who cancels the task means what was added to it too. Its post is the answer.
  await record.learn({ silent: true });
  return { kind: 'over', outcome };
}

export async function nextTurn(
  request: RoutedRequest,
  facts: RepositoryFacts,
  asker: Asker,
  deps: TaskDeps,
): Promise<Turn> {
  const { record } = deps;
  const { trigger } = request;
  const found = takesTurns(request) ? await earlierTurn(request, asker, deps) : null;
  if (found?.kind === 'undecided') {
    const ahead = (await record.snapshot())?.ahead ?? { taskId: found.taskId, steers: false };
    await record.learn({ ahead });
    return behind;
  }
  if (found === null) return await ownTurn(request, asker, deps);

  const running = (await found.record.snapshot())?.authorization ?? null;
  const remarkable = isRemark(request) && running?.facts.repositoryId === facts.repositoryId;
  const remark = remarkable ? await remarkToAdd(request, running, nameOf(request, asker), deps) : null;
  if (remark !== null) {
    const ahead = { taskId: found.taskId, steers: true };
    // First, so that no other attempt of this step makes the words a turn of their own, too.
    await record.learn({ ahead });
    const decided = await record.snapshot();
    if (decided?.ahead?.taskId !== found.taskId || !decided.ahead.steers) return behind;
    const fate = await found.record.addRemark(remark);
    if (fate === 'waiting' || fate === 'reached') {
      // Again: words that came later wait until these are given.
      await record.learn({ ahead });
      await reactSeen(request, facts, deps);
      // The next look has its fate.
      return behind;
    }
  }
  const sharesBranch = trigger.kind === 'slack' || (trigger.kind === 'github' && trigger.onPullRequest);
  if (!sharesBranch && !remarkable) return { kind: 'own', earlier: null };
  await record.learn({ ahead: { taskId: found.taskId, steers: false } });
  const where = trigger.kind === 'slack' ? 'in this thread' : 'here';
  await record.appendToLog({ kind: 'note', text: `Waiting for the earlier task ${where}.` });
  await record.updatePost().catch(() => undefined); // the next look tries again
  return behind;
}

/**
 * null for words that need the next turn: with files, which a sandbox gets when it starts, or with line
 * comments of another pull request than the one that the running task was asked in.
 */
async function remarkToAdd(
  request: RoutedRequest,
  { facts, pull }: Authorization,
  by: string,
  { chat, codeHost }: TaskDeps,
): Promise<Remark | null> {
  const { trigger, instruction } = request;
  const thread = trigger.kind === 'slack' ? ((await chat?.threadContext(trigger)) ?? null) : null;
  const here = trigger.kind === 'github' && pull?.number === trigger.issueNumber ? pull : null;
  const context = trigger.kind === 'github' ? await codeHost.issueContext(facts, request, here) : null;
  const attachments = [...(thread?.attachments ?? []), ...(context?.attachments ?? [])];
  if (attachments.some(({ own }) => own)) return null;
  const inPull = context?.pull ?? null;
  if (inPull === null && trigger.kind === 'github' && trigger.event !== 'issue_comment') return null;
  const words = withNames(instruction, thread?.asking);
  const message = buildRemark(by, words, inPull);
  const lines = inPull === null ? [] : askingLines(inPull);
  return remarkOf({ ...request, instruction: words }, { by, message, lines });
}

type Found =
  | { readonly kind: 'runs'; readonly taskId: string; readonly record: TaskRecordPort }
  /** It can still become a turn of its own. */
  | { readonly kind: 'undecided'; readonly taskId: string };

/** The latest earlier task that is a turn of its own and has not ended. */
async function earlierTurn(request: RoutedRequest, { thread }: Asker, deps: TaskDeps): Promise<Found | null> {
  let undecided: Found | null = null;
  for await (const { taskId, record } of tasksBefore(request, thread?.place ?? null, deps)) {
    // Before the look, so that a change after the look wakes this task.
    await record.addWaiter(request.taskId);
    const view = await record.view();
    if (view === null) continue; // expired
    if (view.outcome !== null) {
      // In a thread it has waited for all before it.
      if (request.trigger.kind === 'slack' && view.base !== null) break;
    } else if (view.ahead?.steers === true) {
      undecided ??= { kind: 'undecided', taskId };
      const isGiven = (await deps.recordOf(view.ahead.taskId).remarkFate(taskId)) !== null;
      if (!isGiven) return undecided;
    } else if (view.base !== null) {
      const snapshot = await record.snapshot();
      if (snapshot !== null && takesTurns(snapshot.request)) return { kind: 'runs', taskId, record };
    } else if (view.choices === null) return { kind: 'undecided', taskId };
  }
  return undecided;
}

async function ownTurn(request: RoutedRequest, { thread }: Asker, deps: TaskDeps): Promise<Turn> {
  if (request.trigger.kind === 'slack') {
    if (thread === null) return { kind: 'own', earlier: null };
    const found = await latestWork(request, thread.place, deps);
    if (found === 'being-routed') return behind;
    const earlier = found === null ? null : await earlierTask(found.taskId, deps);
    const isNew = thread.newPullRequest && earlier !== null;
    return { kind: 'own', earlier: isNew ? { ...earlier, pullRequest: null } : earlier };
  }
  const ahead = (await deps.record.snapshot())?.ahead ?? null;
  // What was never authorized has no say in this task.
  const isWork = ahead !== null && (await deps.recordOf(ahead.taskId).view())?.base != null;
  return { kind: 'own', earlier: isWork ? await earlierTask(ahead.taskId, deps) : null };
}

const nameOf = ({ requester }: RoutedRequest, { person }: Asker): string =>
  person?.name ?? requester?.login ?? 'somebody';
