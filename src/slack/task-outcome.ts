/** Renders a task's outcome in mrkdwn. Escapes what came from a model, sandbox or repository. */
import { attemptsIn, cautionAdvice, cautionClaim, needsCaution } from '../core/attempts.ts';
import type { Receipt } from '../core/grant.ts';
import { deniedText, type Markup } from '../core/post-text.ts';
import type { Patch } from '../core/change-set.ts';
import { reasonOfEnd, remedyText } from '../core/reason.ts';
import type { Reason, TaskOutcome } from '../core/task.ts';
import { steeredText } from '../core/task-words.ts';
import { fitLines } from './blocks.ts';
import { bold, codeBlock, codeSpan, escapeInline, link, renderUntrusted } from './mrkdwn.ts';
import { renderUntrustedParts } from './mrkdwn-parts.ts';

const maxText = 2900;
/** Of all sections of an outcome together. Slack takes about 12,000 characters in a message. */
export const maxOutcomeText = 8000;

export const slackMarkup: Markup = { code: codeSpan, text: escapeInline, bold };

export interface OutcomeText {
  /** One line of mrkdwn; '' if the text is sufficient. */
  readonly headline: string;
  /** Further mrkdwn, for a section each. */
  readonly texts: readonly string[];
  /** One line for notifications, escaped but without formatting. Never empty. */
  readonly notification: string;
}

/** Renders the outcome. Every text is escaped and within the limit of a section. `room`: of all texts. */
export function outcomeText(outcome: TaskOutcome, room = maxOutcomeText): OutcomeText {
  const outcomeWithMessage = (headline: string, message: string, after = '') =>
    titled(headline, message, after, room);
  const withReason = (headline: string, reason: Reason, after = '') =>
    outcomeWithMessage(headline, reason.message, `${remedy(reason)}${after}`);
  const answerText = (text: string) => untitled(text, room);
  switch (outcome.kind) {
    case 'pull-request':
      return pullRequestText(outcome);
    case 'no-change':
      return outcome.leftOut === undefined
        ? outcomeWithMessage('☑️ Nothing was changed', outcome.summary)
        : outcomeWithMessage('⚠️ Nothing was published', `${outcome.leftOut}\n\n${outcome.summary}`);
    case 'ignored':
    case 'refused':
      return withReason('🚫 Not started', outcome.reason);
    case 'held': {
      const next =
        outcome.changeHash === null
          ? ''
          : `\n\nEveryone who can use this repository${outcome.secondPerson === true ? ', except who asked,' : ''} can publish the change anyway: press Approve.`;
      const held = withReason('✋ The change is held back', outcome.reason, next);
      return withPatch(held, outcome.patch, room);
    }
    case 'failed': {
      const kept = outcome.changeKept
        ? '\n\nThe change is kept. Press Retry to publish it without running Codex again.'
        : '';
      return withReason('❌ Failed', outcome.reason, kept);
    }
    case 'cancelled': {
      const headline = `⏹️ Cancelled by ${escapeInline(outcome.by, 100)}`;
      return { headline: bold(headline), texts: [remedyOfEnd(outcome)], notification: headline };
    }
    case 'patch': {
      const { reason, summary } = outcome;
      const words = `${reason.message}\n\n${summary}`;
      const patched = outcomeWithMessage('📋 The change is a patch', words, remedy(reason));
      return withPatch(patched, outcome.patch, room);
    }
    case 'replied':
      return answerText(outcome.text);
    case 'steered':
      return answerText(steeredText);
    case 'answered':
      return answerText(outcome.message);
  }
}

const untitled = (text: string, room: number): OutcomeText => ({
  headline: '',
  texts: renderUntrustedParts(text, room),
  notification: escapeInline(text, 300) || 'Answered',
});

/** Adds what an approval publishes, in a section of its own. */
function withPatch(outcome: OutcomeText, patch: Patch | undefined, room: number): OutcomeText {
  if (patch === undefined || patch.text === '') return outcome;
  const maxChars = Math.min(maxText, room);
  const more = patch.complete && patch.text.length < maxChars / 2 ? '' : ' (a part of it)';
  const code = codeBlock(patch.text, { maxChars: maxChars - 40 });
  return { ...outcome, texts: [...outcome.texts, `The change${more}:\n${code}`] };
}

const remedy = (reason: Reason): string =>
  remedyText(reason, bold, (next) => renderUntrusted(next, maxText / 2));

/** What to do next; '' where the end is an answer. */
export function remedyOfEnd(outcome: TaskOutcome): string {
  const reason = reasonOfEnd(outcome);
  return reason === null ? '' : remedy(reason);
}

/**
 * Renders a message, which may quote user input. Keeps code, and escapes everything else. `after`: mrkdwn of
 * our own, which no cut of the message reaches.
 */
function titled(headline: string, message: string, after: string, room: number): OutcomeText {
  const notification = escapeInline(message, 300);
  return {
    headline: bold(headline),
    texts: [...renderUntrustedParts(message, room), ...(after === '' ? [] : [after])],
    notification: notification === '' ? headline : `${headline}: ${notification}`,
  };
}

function pullRequestText({
  pullRequest,
  added,
  leftOut,
}: TaskOutcome & { kind: 'pull-request' }): OutcomeText {
  const { number, title, url, draft } = pullRequest;
  const what = `pull request ${number}${draft ? ' (draft)' : ''}`;
  const happened =
    added === true
      ? `A commit was added to ${what}`
      : `P${what.slice(1)} ${draft ? 'was opened' : 'is ready for review'}`;
  const mark = draft ? '📝' : '✅';
  return {
    headline: `${mark} ${bold(link(title === '' ? what : title, url, 250))}\n${happened}`,
    texts: leftOut === undefined ? [] : [escapeInline(leftOut, 1500)],
    notification: `${mark} ${happened}: ${escapeInline(title, 250)}`,
  };
}

/** Warns about a run that tried to send or write where the sandbox may not; '' if it did not. */
export function cautionText(receipt: Receipt): string {
  const attempts = attemptsIn(receipt);
  if (!needsCaution(attempts)) return '';
  const [first] = attempts.caution;
  const example =
    first === undefined ? '' : ` (${codeSpan(`${first.method} ${first.host}${first.path}`, 160)})`;
  return `⚠️ ${bold(cautionClaim)}${example}. ${cautionAdvice}`;
}

/** Lists the denied requests of the sandbox within one section; '' if there were none. */
export function deniedSection(receipt: Receipt): string {
  const denied = deniedText(receipt, slackMarkup);
  if (denied === null) return '';
  const rows = denied.rows.map((row) => `• ${row}`);
  return fitLines([`⛔ ${denied.headline}`, ...rows], maxText, (left) => `• and ${left} more`);
}
