/**
 * The first stages: may this be done at all, tell the person, read what was asked. Nothing has been spent yet.
 */
import { authorize } from '../core/authorize.ts';
import type { Authorization } from '../core/ports.ts';
import { buildPrompt } from '../core/prompt.ts';
import type { TaskOutcome, TaskRequest } from '../core/task.ts';
import { z } from 'zod';
import type { Stage, TaskDeps } from './stage.ts';

/** What publishing needs of the conversation. */
export const keptContext = 'context.json';
export const keptContextSchema = z.object({ commentsLeftOut: z.number().int().nonnegative().default(0) });

const helpText = (mention: string): string =>
  [
    `Mention me in an issue with what you want done: \`@${mention} fix the rounding in split()\`. Options, right after the mention:`,
    '`--base BRANCH`, `--model NAME`, `--effort minimal|low|medium|high|xhigh`.',
    '`status`, `cancel` and `retry` as the only word show or stop what runs on this issue, or publish again what could not be published. A mention without words works on the issue as it stands.',
  ].join('\n');

export async function authorizeTask(request: TaskRequest, deps: TaskDeps): Promise<Stage<Authorization>> {
  const policy = deps.policy.forRepository(request.repository);
  // Nobody waits for a comment of an API task, so GitHub need not be asked where the allowlist says no.
  if (!policy.allowed && request.trigger.kind === 'api')
    return ended({ kind: 'refused', reason: policy.reason });
  const facts = await deps.codeHost.locate(request.repository);
  if (facts !== null) await deps.record.located(facts);
  const canWrite =
    facts === null || request.requester === null
      ? 'unknown'
      : await deps.codeHost.canWrite(facts, request.requester.login);
  const verdict = authorize({ request, policy, facts, canWrite });
  if (verdict.kind === 'refused') return ended({ kind: 'refused', reason: verdict.reason });
  if (facts === null || !policy.allowed)
    return ended({
      kind: 'refused',
      reason: { code: 'not-allowed', message: 'This repository is not available.' },
    });
  const answered = await answer(request, facts, deps);
  if (answered !== null) return ended(answered);

  const branch = verdict.base.branch ?? facts.defaultBranch;
  const baseSha = await deps.codeHost.headOf(facts, branch);
  if (baseSha === null) {
    const message = `There is no branch “${branch}” in ${facts.owner}/${facts.name}. Name an existing one with \`--base\`.`;
    return ended({ kind: 'refused', reason: { code: 'base-missing', message } });
  }
  const authorization: Authorization = {
    facts,
    baseBranch: branch,
    baseSha,
    model: verdict.model,
    effort: verdict.effort,
    models: [verdict.model],
    limits: policy.limits,
    draft: policy.draft,
  };
  await deps.record.authorized(authorization);
  return { go: true, value: authorization };
}

/** `help`, `status`, `cancel` and a mention that could not be understood: all answered without a sandbox. */
async function answer(
  request: TaskRequest,
  facts: Authorization['facts'],
  deps: TaskDeps,
): Promise<TaskOutcome | null> {
  switch (request.ask.kind) {
    case 'run':
      return null;
    case 'invalid':
      return { kind: 'refused', reason: { code: 'mention-invalid', message: request.ask.message } };
    case 'help':
      return { kind: 'answered', message: helpText(deps.policy.mention) };
    case 'retry':
      return await retryPublishing(request, facts, deps);
    case 'status':
    case 'cancel': {
      if (request.trigger.kind !== 'github')
        return { kind: 'answered', message: 'This command works in an issue.' };
      const ids = await deps.codeHost.tasksOn(facts, request.trigger.issueNumber);
      const by = request.requester?.login ?? 'somebody';
      const lines: string[] = [];
      for (const id of ids) {
        if (id === request.taskId) continue;
        const record = deps.recordOf(id);
        const view = await record.view();
        if (view === null || view.status === 'ended') continue;
        if (request.ask.kind === 'status')
          lines.push(
            `Task ${view.shortId} is in the phase “${view.phase}”, ${Math.round(view.elapsedMs / 1000)} s after it was asked for.`,
          );
        else lines.push(`Task ${view.shortId}: ${(await record.cancel(by)).reason}`);
      }
      return {
        kind: 'answered',
        message: lines.length === 0 ? 'Nothing is running on this issue.' : lines.join('\n'),
      };
    }
  }
}

export async function acknowledge(
  request: TaskRequest,
  authorization: Authorization,
  deps: TaskDeps,
): Promise<Stage<null>> {
  const reacted = deps.codeHost.react(authorization.facts, request).catch((error: unknown) =>
    // A reaction is a courtesy: an issue that takes none must not cost the task.
    deps.log('reaction.failed', { taskId: request.taskId, error: String(error) }),
  );
  const commented = deps.record
    .saveComment()
    .catch((error: unknown) => deps.log('comment.failed', { taskId: request.taskId, error: String(error) }));
  await Promise.all([reacted, commented]);
  return { go: true, value: null };
}

export async function readContext(
  request: TaskRequest,
  authorization: Authorization,
  deps: TaskDeps,
): Promise<{ prompt: string }> {
  const context = await deps.codeHost.issueContext(authorization.facts, request);
  const prompt = buildPrompt({
    repository: request.repository,
    baseBranch: authorization.baseBranch,
    instruction: request.instruction,
    context,
  });
  // Kept with the record: publishing may happen again when this instance is long gone.
  await deps.record.keep(keptContext, JSON.stringify({ commentsLeftOut: context?.commentsLeftOut ?? 0 }));
  return { prompt };
}

function ended(outcome: TaskOutcome): { go: false; outcome: TaskOutcome } {
  return { go: false, outcome };
}

async function retryPublishing(
  request: TaskRequest,
  facts: Authorization['facts'],
  deps: TaskDeps,
): Promise<TaskOutcome> {
  const nothing =
    'Nothing on this issue waits to be published again. Mention me with what you want done to start a new task.';
  if (request.trigger.kind !== 'github') return { kind: 'answered', message: nothing };
  for (const id of await deps.codeHost.tasksOn(facts, request.trigger.issueNumber)) {
    const outcome = (await deps.recordOf(id).view())?.outcome;
    if (outcome?.kind !== 'failed' || !outcome.changeKept) continue;
    const again = await deps.publishAgain(id);
    return {
      kind: 'answered',
      message: again.started
        ? 'The change that was kept is being published again; its own comment shows the result.'
        : again.reason,
    };
  }
  return { kind: 'answered', message: nothing };
}
