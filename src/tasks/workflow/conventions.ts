/** Reads how the repository writes its pull requests, keeps it, and fits Codex's answer to it. */
import { conventionsSchema, noConventions, type Conventions } from '../../core/ask/conventions.ts';
import type { Authorization } from '../../core/authorization.ts';
import type { ChangeSet } from '../../core/change-set.ts';
import { fitTitle } from '../../core/ask/fit-title.ts';
import type { Answer, Progress } from '../../core/progress.ts';
import { isQuestion, type RoutedRequest } from '../../core/task.ts';
import { conventionOf } from '../../core/ask/title-convention.ts';
import type { TaskDeps } from './stage.ts';

const keptConventions = 'conventions.json';

/** Reads them once. Best effort: a task does not fail for the form of its title. */
export async function readConventions(
  request: RoutedRequest,
  { facts, baseSha, guidanceSha, pull, continues }: Authorization,
  { codeHost, record, log }: Pick<TaskDeps, 'codeHost' | 'record' | 'log'>,
): Promise<Conventions> {
  if (isQuestion(request)) return noConventions;
  const kept = await conventionsKept({ record });
  if (kept !== null) return kept;
  const wanted = { template: pull === null && continues === null };
  try {
    const read = await codeHost.conventions(facts, guidanceSha ?? baseSha, wanted);
    await record.keep(keptConventions, JSON.stringify(read));
    return read;
  } catch (error) {
    log('conventions.not_read', { taskId: request.taskId, error: String(error) });
    return noConventions;
  }
}

async function conventionsKept({ record }: Pick<TaskDeps, 'record'>): Promise<Conventions | null> {
  const kept = await record.kept(keptConventions);
  return kept === null ? null : conventionsSchema.parse(JSON.parse(kept));
}

/** Codex's answer as every attempt publishes it. `template`: what Codex was asked to fill in. */
export async function answerToPublish(
  request: Pick<RoutedRequest, 'trigger' | 'instruction'>,
  { files }: Pick<ChangeSet, 'files'>,
  progress: Progress,
  { codex, record }: Pick<TaskDeps, 'codex' | 'record'>,
): Promise<{ readonly answer: Answer; readonly template: string | null }> {
  const { subjects, template } = (await conventionsKept({ record })) ?? noConventions;
  const answer = codex.answer(progress);
  const { trigger, instruction } = request;
  const about = trigger.kind === 'github' ? (trigger.issue?.title ?? '') : '';
  const facts = { paths: files.map(({ path }) => path), words: `${instruction}\n${about}` };
  return { answer: { ...answer, title: fitTitle(answer.title, conventionOf(subjects), facts) }, template };
}
