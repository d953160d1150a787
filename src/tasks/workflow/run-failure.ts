/** Says in a sentence why a run of Codex did not do what was asked. Pure. */
import type { AgentEnd } from '../../core/authorization.ts';
import type { BudgetName } from '../../core/grant.ts';
import type { Progress } from '../../core/progress.ts';
import { reasonOf } from '../../core/reason.ts';
import type { Reason } from '../../core/task.ts';
import { headOf } from '../../lib/cut-text.ts';
import { taskLimits } from '../limits.ts';

const budgetWords: Readonly<Record<BudgetName, string>> = {
  tokens: 'The token budget',
  requests: `The budget of ${taskLimits.requests.toLocaleString('en')} requests`,
  bytesUp: `The budget of ${taskLimits.bytesUp / 1024 ** 3} GiB sent`,
  bytesDown: `The budget of ${taskLimits.bytesDown / 1024 ** 3} GiB received`,
};

const singleLine = (text: string): string => headOf(text.replace(/\s+/g, ' ').trim(), 500);

/** What a task ends with that has nothing but the failure of its run. `failure`: what happened. */
export function runFailureReason(end: AgentEnd, failure: string): Reason {
  const isLimit = end.kind === 'deadline' || end.kind === 'budget';
  return reasonOf(isLimit ? 'codex-failed.limit' : 'codex-failed', { failure });
}

/** A sentence if the run did not complete, or the model refused; null otherwise. */
export function failureOf(
  end: AgentEnd,
  progress: Pick<Progress, 'turn' | 'lastError' | 'finalMessage'> | null,
  refusal: string | null,
): string | null {
  switch (end.kind) {
    case 'cancelled':
      return 'The task was cancelled.';
    case 'lost':
      return 'The sandbox was lost.';
    case 'deadline':
      return 'The time limit was reached and Codex was stopped.';
    case 'budget':
      return `${budgetWords[end.budget]} was used up and Codex was stopped.`;
    case 'exited': {
      if (end.exitCode === 0 && progress?.turn?.status === 'completed') {
        if (refusal === null || progress.finalMessage !== null) return null;
        return `The model refused: “${singleLine(refusal)}”`;
      }
      const turn = progress?.turn;
      const why = (turn?.status === 'failed' ? turn.message : null) ?? progress?.lastError;
      return why == null ? `Codex ended early (exit status ${end.exitCode}).` : `Codex ended early: ${why}`;
    }
  }
}
