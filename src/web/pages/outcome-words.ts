/** How a task ended, in words for its page. Untrusted texts are made visible, not escaped. */
import { reasonOfEnd, remedyText } from '../../core/reason.ts';
import { steeredText } from '../../core/task-words.ts';
import type { TaskOutcome } from '../../core/task.ts';
import type { ShownPatch } from './diff.tsx';
import { visibleLine, visibleText } from './visible-text.ts';

export interface OutcomeWords {
  readonly tone: 'good' | 'bad' | 'waiting' | 'plain';
  readonly title: string;
  readonly text: string;
  /** Whose doing it is and what to do next; '' where the end is an answer. */
  readonly remedy: string;
  readonly link?: { readonly url: string; readonly text: string };
}

export function outcomeWords(outcome: TaskOutcome): OutcomeWords {
  const reason = reasonOfEnd(outcome);
  const remedy = reason === null ? '' : visibleText(remedyText(reason, String, String));
  return { ...wordsOf(outcome), remedy };
}

function wordsOf(outcome: TaskOutcome): Omit<OutcomeWords, 'remedy'> {
  switch (outcome.kind) {
    case 'pull-request': {
      const { number, url, title, draft } = outcome.pullRequest;
      const link = { url, text: `#${number} ${visibleLine(title, 200)}` };
      const done = outcome.added === true ? 'Added to a pull request' : 'Pull request';
      return { tone: 'good', title: draft ? `${done}, as a draft` : done, text: outcome.leftOut ?? '', link };
    }
    case 'no-change':
      return { tone: 'plain', title: 'No change was needed', text: visibleText(outcome.summary) };
    case 'refused':
      return { tone: 'bad', title: 'Refused', text: visibleText(outcome.reason.message) };
    case 'held':
      return { tone: 'waiting', title: 'Waits for an approval', text: visibleText(outcome.reason.message) };
    case 'failed':
      return { tone: 'bad', title: 'Failed', text: visibleText(outcome.reason.message) };
    case 'cancelled':
      return { tone: 'plain', title: 'Cancelled', text: `By ${visibleLine(outcome.by, 100)}.` };
    case 'patch':
      return { tone: 'good', title: 'Done, as a patch', text: visibleText(outcome.reason.message) };
    case 'replied':
      return { tone: 'good', title: 'Answered', text: visibleText(outcome.text) };
    case 'steered':
      return { tone: 'plain', title: 'Handed on', text: steeredText };
    case 'ignored':
      return { tone: 'plain', title: 'Ignored', text: visibleText(outcome.reason.message) };
    case 'answered':
      return { tone: 'plain', title: 'Answered', text: visibleText(outcome.message) };
  }
}

/** The patch that the outcome carries; null if it carries none. */
export const patchOf = (outcome: TaskOutcome | null): ShownPatch | null =>
  outcome !== null && 'patch' in outcome ? (outcome.patch ?? null) : null;
