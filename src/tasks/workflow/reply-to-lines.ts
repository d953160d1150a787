/** Answers the line comments that were listed for Codex, after the end of a task. */
import { lineAnswers } from '../../core/line-answers.ts';
import type { TaskOutcome } from '../../core/task.ts';
import { keptContext, keptContextSchema } from './stage-intake.ts';
import type { TaskDeps } from './stage.ts';

/** A second attempt finds the replies of the first. Rejects on transient errors. */
export async function replyToLines(outcome: TaskOutcome, deps: TaskDeps): Promise<void> {
  const { record, codeHost, codex, log } = deps;
  const [snapshot, view, context] = await Promise.all([
    record.snapshot(),
    record.view(),
    record.kept(keptContext),
  ]);
  if (snapshot === null || snapshot.authorization === null || context === null) return;
  const { request, authorization } = snapshot;
  const { lines } = keptContextSchema.parse(JSON.parse(context));
  const replies = view?.progress == null ? [] : (codex.answer(view.progress).replies ?? []);
  const asked = [...lines, ...(snapshot?.addedLines ?? [])];
  const answers = lineAnswers(request, outcome, asked, replies);
  if (answers.length === 0) return;
  const refused = await codeHost.replyToLines(authorization.facts, request, answers, outcome);
  for (const { id, reason } of refused)
    log('line_reply.not_saved', { taskId: request.taskId, lineComment: id, reason: reason.code });
}
