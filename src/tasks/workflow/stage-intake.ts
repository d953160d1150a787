/** The first stages: authorize the request, acknowledge it, read its context. Nothing is spent yet. */
import { authorityOf } from '../../core/authority.ts';
import { authorize } from '../../core/access/authorize.ts';
import type { AttachmentRef } from '../../core/attachment.ts';
import type { Authorization } from '../../core/authorization.ts';
import { askingLines } from '../../core/ask/pull-context.ts';
import { buildPrompt } from '../../core/ask/prompt.ts';
import { latenessOf, tooLate } from '../../core/lateness.ts';
import { withoutRegistries } from '../../core/policy.ts';
import type { EarlierTurn, EarlierWork } from '../../core/earlier-turn.ts';
import { reasonOf } from '../../core/reason.ts';
import { isQuestion, type RepositoryFacts, type RoutedRequest, type TaskOutcome } from '../../core/task.ts';
import { ageText, standingText } from '../../core/task-words.ts';
import * as z from 'zod';
import { locateAlsoRead } from './also-read.ts';
import { approveHeld } from './approve-command.ts';
import { refusedByBudget } from './budget.ts';
import { readConventions } from './conventions.ts';
import { githubHelp } from './help.ts';
import { findEarlierTurn } from './conversation.ts';
import { idsOfConversation, type Earlier } from './earlier-tasks.ts';
import { checksToMend, mendsChecks, nothingToMend } from './checks-to-mend.ts';
import { reactSeen } from './react.ts';
import { readDisplayed } from './read-displayed.ts';
import { startOf } from './start-of.ts';
import { retriedRequest } from './retry-command.ts';
import { begunBefore } from './kept-change.ts';
import type { Stage, TaskDeps } from './stage.ts';
import { fateOfWords, nextTurn, type Asker } from './turn.ts';

/** What publication needs of the conversation. */
export const keptContext = 'context.json';
export const keptContextSchema = z.object({
  commentsLeftOut: z.number().int().nonnegative(),
  /** The line comments that Codex was given to deal with. */
  lines: z
    .array(z.object({ id: z.number().int().positive(), thread: z.number().int().positive() }))
    .default([]),
});

export interface Authorized {
  readonly request: RoutedRequest;
  readonly authorization: Authorization;
  /** What the task continues. */
  readonly earlier: Earlier | null;
  /** Whether the change is kept: by a Workflow instance that was lost later, and the sandbox with it. */
  readonly changeKept: boolean;
}

/** null while the task is behind an earlier one of its conversation. */
export async function authorizeTask(
  delivered: RoutedRequest,
  asker: Asker,
  deps: TaskDeps,
): Promise<Stage<Authorized | null>> {
  const begun = await begunBefore(deps);
  if (begun !== null) return { go: true, value: { ...begun, earlier: null, changeKept: true } };
  const given = await fateOfWords(delivered, deps);
  if (given !== null) return given.kind === 'over' ? ended(given.outcome) : { go: true, value: null };
  const policy = deps.policy.forRepository(delivered.repository);
  // An API task gets no comment, so a refusal by the allowlist needs no call to GitHub.
  if (!policy.allowed && delivered.trigger.kind === 'api')
    return ended({ kind: 'refused', reason: policy.reason });
  const facts = await deps.codeHost.locate(delivered.repository);
  const { requester } = delivered;
  const canWrite =
    facts === null || requester === null ? 'unknown' : await deps.codeHost.canWrite(facts, requester);
  // Before any refusal: what nobody can see gets no public answer. What is asked on a page was read before.
  const isOnPage = delivered.onPage !== undefined;
  const read =
    facts === null || isOnPage ? null : await readDisplayed(delivered, facts, canWrite === true, deps);
  if (read?.go === false) {
    await deps.settle(delivered, 'unknown');
    return read;
  }
  let request = read?.value ?? delivered;
  if (facts !== null) await deps.record.learn({ facts });
  const { person } = asker;
  const chat = deps.policy.slack === null ? null : { person, team: deps.policy.slack.team };
  let verdict = authorize({ request, policy, facts, canWrite, chat });
  if (request.trigger.kind === 'github') {
    const isElsewhere = facts?.repositoryId !== request.trigger.repositoryId;
    const mayAsk = canWrite === true && policy.allowed;
    const isKnown = !isElsewhere && canWrite !== 'unknown';
    const access = isKnown ? (mayAsk ? 'granted' : 'refused') : 'unknown';
    const { told } = await deps.settle(request, access);
    if (told) await deps.record.learn({ silent: true });
  }
  if (verdict.kind === 'refused') return ended({ kind: 'refused', reason: verdict.reason });
  if (facts === null || !policy.allowed) return ended({ kind: 'refused', reason: reasonOf('not-allowed') });
  const lateness = isOnPage ? null : latenessOf(delivered);
  if (lateness !== null) {
    const reason = tooLate(request, lateness);
    if (reason !== null) return ended({ kind: 'refused', reason });
    await deps.record.learn({ latenessMs: lateness });
  }
  const repeated = await retriedRequest(request, facts, deps);
  if (!repeated.go) return repeated;
  if (repeated.value !== request) {
    request = repeated.value;
    verdict = authorize({ request, policy, facts, canWrite, chat });
    if (verdict.kind === 'refused') return ended({ kind: 'refused', reason: verdict.reason });
  }
  const answered = await answer(request, facts, deps);
  if (answered !== null) return ended(answered);
  const spent = await refusedByBudget(request, { facts, policy }, deps);
  if (spent !== null) return ended({ kind: 'refused', reason: spent });

  const turn = await nextTurn(request, facts, asker, deps);
  if (turn.kind === 'over') return ended(turn.outcome);
  if (turn.kind === 'behind') return { go: true, value: null };
  const { earlier } = turn;
  const start = await startOf(request, facts, policy, verdict.base, earlier, deps);
  if (!start.go) return start;
  // An outsider wrote what runs, and reads the answer.
  const wanted = start.value.pull?.fork === true ? [] : policy.alsoRead;
  const alsoRead = await locateAlsoRead(wanted, facts, deps.codeHost);
  if (!alsoRead.ok) {
    deps.log('also_read.not_installed', { taskId: request.taskId, wanted });
    return ended({ kind: 'refused', reason: alsoRead.reason });
  }
  const authorization: Authorization = {
    facts,
    policy: start.value.pull?.fork === true ? withoutRegistries(policy) : policy,
    ...start.value,
    model: verdict.model,
    effort: verdict.effort,
    alsoRead: alsoRead.repositories,
    requester: request.requester ?? (await githubAccount(request, facts, deps)),
  };
  const nothing = await nothingToMend(request, authorization, deps);
  if (nothing !== null) return ended(nothing);
  await deps.record.learn({ authorization });
  const isOwn = (await deps.record.snapshot())?.authorization != null;
  return { go: true, value: isOwn ? { request, authorization, earlier, changeKept: false } : null };
}

/** As the configuration names it for the requester in Slack. It gives credit, never access. */
async function githubAccount(
  request: RoutedRequest,
  facts: RepositoryFacts,
  { policy, codeHost, log }: TaskDeps,
): Promise<Authorization['requester']> {
  const { trigger, taskId } = request;
  const isInSlack = trigger.kind === 'slack' && authorityOf(request) === 'slack';
  const login = isInSlack ? policy.slack?.githubLogins.get(trigger.userId) : undefined;
  if (login === undefined) return null;
  try {
    return await codeHost.account(facts, login);
  } catch (error) {
    log('account.not_found', { taskId, error: String(error) });
    return null;
  }
}

/** A command, or a mention that does not parse, needs no sandbox. null for a task to run. */
async function answer(
  request: RoutedRequest,
  facts: Authorization['facts'],
  deps: TaskDeps,
): Promise<TaskOutcome | null> {
  const { ask, trigger } = request;
  if (ask.kind === 'run') return null;
  if (ask.kind === 'invalid')
    return { kind: 'refused', reason: reasonOf('mention-invalid', { problem: ask.message }) };
  if (trigger.kind !== 'github') return { kind: 'answered', message: 'This command works in an issue.' };
  switch (ask.kind) {
    case 'help':
      return { kind: 'answered', message: githubHelp(trigger.mention) };
    case 'approve':
      return await approveHeld(ask.hash, request, facts, deps);
    case 'retry':
      // `retriedRequest` has answered it.
      return null;
    case 'status':
    case 'cancel': {
      const ids = await idsOfConversation({ ...trigger, repositoryId: facts.repositoryId }, deps);
      const by = request.requester?.login ?? 'somebody';
      const lines: string[] = [];
      let onlyCancelled = true;
      for (const id of ids) {
        if (id === request.taskId) continue;
        const record = deps.recordOf(id);
        const view = await record.view();
        // Words that were added to a task end with it.
        if (view === null || view.status === 'ended' || view.ahead?.steers === true) continue;
        if (ask.kind === 'status')
          lines.push(
            `Task ${view.shortId} (${standingText(view)}) was asked for ${ageText(view.elapsedMs)}.`,
          );
        else {
          const { cancelled, reason } = await record.cancel(by);
          onlyCancelled &&= cancelled;
          lines.push(`Task ${view.shortId}: ${reason}`);
        }
      }
      // The comments with the ends of the cancelled tasks are the answer.
      if (ask.kind === 'cancel' && lines.length > 0 && onlyCancelled)
        await deps.record.learn({ silent: true });
      return {
        kind: 'answered',
        message: lines.length === 0 ? 'Nothing is running here.' : lines.join('\n'),
      };
    }
  }
}

export async function acknowledge(
  request: RoutedRequest,
  authorization: Authorization,
  deps: TaskDeps,
): Promise<Stage<null>> {
  const comment = async () => await deps.record.updatePost();
  const failed = (error: unknown) =>
    deps.log('comment.failed', { taskId: request.taskId, error: String(error) });
  // One retry: the post shows what was understood before anything is spent. The retry waits for a rate limit.
  const commented = comment().catch(async (error: unknown) => {
    failed(error);
    await comment().catch(failed);
  });
  await Promise.all([reactSeen(request, authorization.facts, deps), commented]);
  return { go: true, value: null };
}

export interface ReadContext {
  readonly prompt: string;
  readonly isQuestion: boolean;
  readonly attachments: readonly AttachmentRef[];
  /** null: this is the first turn of its conversation, as far as it is remembered. */
  readonly earlierTurn: EarlierTurn | null;
}

export async function readContext(
  request: RoutedRequest,
  authorization: Authorization,
  earlier: Earlier | null,
  deps: TaskDeps,
): Promise<ReadContext> {
  const { trigger } = request;
  const { facts, pull } = authorization;
  const [context, thread, checks, found, conventions] = await Promise.all([
    trigger.kind === 'github' ? deps.codeHost.issueContext(facts, request, pull) : null,
    trigger.kind === 'slack' ? (deps.chat?.threadContext(trigger) ?? null) : null,
    checksToMend(request, authorization, { logs: true }, deps),
    findEarlierTurn(request, authorization, deps),
    readConventions(request, authorization, deps),
  ]);
  if (found !== null) await deps.record.learn({ earlierTurn: found.turn });
  for (const text of checks?.unread ?? []) await deps.record.appendToLog({ kind: 'note', text });
  if (thread?.unreadable === true) await deps.record.appendToLog({ kind: 'note', text: unreadableText });
  const prompt = buildPrompt({
    repository: request.repository,
    baseBranch: authorization.baseBranch,
    instruction: request.instruction,
    isQuestion: isQuestion(request),
    context,
    checks,
    mendsChecks: mendsChecks(request),
    thread,
    earlier: earlierWork(earlier, found?.work ?? null, authorization),
    conventions,
    alsoRead: authorization.alsoRead,
    extraHosts: authorization.policy.extraHosts,
  });
  const inPull = context?.pull ?? null;
  const commentsLeftOut =
    (context?.commentsLeftOut ?? 0) + (inPull?.leftOut ?? 0) + (thread?.messagesLeftOut ?? 0);
  const lines = inPull === null ? [] : askingLines(inPull);
  // Kept with the record for later publication attempts.
  await deps.record.keep(keptContext, JSON.stringify({ commentsLeftOut, lines }));
  return {
    prompt,
    isQuestion: isQuestion(request),
    attachments: context?.attachments ?? thread?.attachments ?? [],
    earlierTurn: found?.turn ?? null,
  };
}

const unreadableText =
  'The conversation around the request could not be read, so Codex works without it. Invite the bot to the channel, or check its scopes.';

/**
 * In Slack the task that routing found: it can have worked on the pull request that this task continues, and
 * its own work is nowhere else. Elsewhere the earlier turn of the conversation.
 */
function earlierWork(
  earlier: Earlier | null,
  turn: EarlierWork | null,
  { continues }: Authorization,
): EarlierWork | null {
  if (earlier === null) return turn?.instruction === '' ? null : turn;
  if (earlier.instruction === '') return null;
  const { instruction, title } = earlier;
  const work = title === '' ? 'nowhere' : continues === null ? 'elsewhere' : 'checkout';
  return { instruction, title, summary: turn?.summary ?? '', work };
}

function ended(outcome: TaskOutcome): { go: false; outcome: TaskOutcome } {
  return { go: false, outcome };
}
