/** Ends a task that asked a question: with the answer, and without a change, whatever the sandbox holds. */
import type { Authorization } from '../../core/authorization.ts';
import type { TaskOutcome } from '../../core/task.ts';
import { keepThread } from './conversation.ts';
import { failureOf, runFailureReason } from './run-failure.ts';
import { collectLines } from './stage-publish.ts';
import { lostOutcome, unlessLost } from './stage-sandbox.ts';
import type { Stage, TaskDeps } from './stage.ts';

export async function replyToQuestion(authorization: Authorization, deps: TaskDeps): Promise<Stage<never>> {
  const { record, codex } = deps;
  const [snapshot, view] = await Promise.all([record.snapshot(), record.view()]);
  const end = snapshot?.agentEnd ?? null;
  const ended = (outcome: TaskOutcome): Stage<never> => ({ go: false, outcome });
  if (end?.kind === 'cancelled') return ended({ kind: 'cancelled', by: end.by });
  if (end === null || end.kind === 'lost') return ended(lostOutcome);
  return await unlessLost(async () => {
    await keepThread(deps);
    const progress = view?.progress ?? null;
    const failure = failureOf(end, progress, snapshot?.refusal ?? null);
    const text = progress === null ? '' : codex.reply(progress);
    if (failure === null && text !== '') {
      const dropped = await changedFiles(authorization, deps);
      return ended({ kind: 'replied', text, ...(dropped === 0 ? {} : { dropped }) });
    }
    const reason = runFailureReason(end, failure ?? 'Codex gave no answer.');
    return ended({ kind: 'failed', reason, changeKept: false });
  });
}

/** How many files Codex changed nevertheless. Best effort: the answer does not depend on it. */
async function changedFiles(authorization: Authorization, deps: TaskDeps): Promise<number> {
  try {
    const lines = await collectLines(deps, authorization);
    if (lines === null) return 0;
    const parsed = deps.publication.parseChange(lines, authorization.baseSha);
    return parsed.ok ? parsed.change.files.length : 0;
  } catch (error) {
    deps.log('question.uncounted', { error: String(error) });
    return 0;
  }
}
