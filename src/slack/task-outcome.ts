/**
 * Renders a task's outcome in mrkdwn: headline, text and evidence. Pure. Escapes everything that came from a
 * model, a sandbox or a repository.
 */
import { attemptsIn, needsCaution } from '../core/attempts.ts';
import { usdText } from '../core/cost.ts';
import { sizeText } from '../lib/byte-size.ts';
import { failedRequestLines } from '../core/failed-requests.ts';
import type { Receipt } from '../core/grant.ts';
import { setupLine } from '../core/setup-view.ts';
import type { CommandRun } from '../core/progress.ts';
import { Reported } from '../core/reported.ts';
import type { TaskView } from '../core/task-view.ts';
import type { Patch } from '../core/change-set.ts';
import type { TaskOutcome } from '../core/task.ts';
import { testsRun, unwrappedCommand } from '../core/test-commands.ts';
import { fitLines } from './blocks.ts';
import { bold, codeBlock, codeSpan, escapeInline, link, renderUntrusted } from './mrkdwn.ts';
import { countText } from '../lib/count-text.ts';

const maxDeniedRows = 5;
const maxHosts = 5;
const maxText = 2900;

export interface OutcomeText {
  /** One line of mrkdwn; '' if the text is sufficient. */
  readonly headline: string;
  /** Further mrkdwn, possibly ''. */
  readonly text: string;
  /** One line for notifications, escaped but without formatting. Never empty. */
  readonly notification: string;
}

/** Renders the outcome. Every text is escaped and within the limit of a section. */
export function outcomeText(outcome: TaskOutcome): OutcomeText {
  switch (outcome.kind) {
    case 'pull-request':
      return pullRequestText(outcome);
    case 'no-change':
      return outcome.leftOut === undefined
        ? outcomeWithMessage('☑️ Nothing was changed', outcome.summary)
        : outcomeWithMessage('⚠️ Nothing was published', `${outcome.leftOut}\n\n${outcome.summary}`);
    case 'ignored':
    case 'refused':
      return outcomeWithMessage('🚫 Not started', outcome.reason.message);
    case 'held': {
      const next =
        outcome.changeHash === null
          ? ''
          : '\n\nEveryone who can use this repository can publish the change anyway: press Approve.';
      const held = outcomeWithMessage('✋ The change is held back', `${outcome.reason.message}${next}`);
      return { ...held, text: withPatch(held.text, outcome.patch) };
    }
    case 'failed': {
      const kept = outcome.changeKept
        ? '\n\nThe change is kept. Press Retry to publish it without running Codex again.'
        : '';
      return outcomeWithMessage('❌ Failed', `${outcome.reason.message}${kept}`);
    }
    case 'cancelled': {
      const headline = `⏹️ Cancelled by ${escapeInline(outcome.by, 100)}`;
      return { headline: bold(headline), text: '', notification: headline };
    }
    case 'answered':
      return {
        headline: '',
        text: renderUntrusted(outcome.message, maxText),
        notification: escapeInline(outcome.message, 300) || 'Answered',
      };
  }
}

/** Adds what an approval publishes, as far as there is room in the section. */
function withPatch(text: string, patch: Patch | undefined): string {
  const room = maxText - text.length - 20;
  if (patch === undefined || patch.text === '' || room < 200) return text;
  const more = patch.complete && patch.text.length < room / 2 ? '' : ' (a part of it)';
  return `${text}\n\nThe change${more}:\n${codeBlock(patch.text, { maxChars: room - 40 })}`;
}

/** Renders a message, which may quote user input. Keeps code, and escapes everything else. */
function outcomeWithMessage(headline: string, message: string): OutcomeText {
  const notification = escapeInline(message, 300);
  return {
    headline: bold(headline),
    text: renderUntrusted(message, maxText),
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
    text: leftOut === undefined ? '' : escapeInline(leftOut, 1500),
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
  return `⚠️ ${bold('This run tried to send or write where it may not. Airlock blocked it')}${example}. Text that Codex read may have hijacked it: review every line, and do not run the change before you have.`;
}

/** Whether tests ran, and the result of the last run. */
function testsText(commands: readonly CommandRun[]): string {
  const tests = testsRun(commands);
  if (tests.kind === 'none') return '⚠️ No tests were run';
  const command = codeSpan(unwrappedCommand(tests.run.command), 120);
  switch (tests.result) {
    case 'passed':
      return `Tests passed: ${command}`;
    case 'failed':
      return `⚠️ Tests failed with exit code ${tests.exitCode}: ${command}`;
    case 'unknown':
      return `⚠️ Tests were run, result not known: ${command}`;
  }
}

/** The evidence: size of the change, tests, setup, tokens and cost. '' if there is none. */
export function evidenceText(view: TaskView): string {
  const lines: string[] = [];
  if (view.change !== null) {
    const { files, insertions, deletions } = view.change;
    lines.push(`${countText(files, 'file')} changed, +${insertions} −${deletions}`);
  }
  const { totalTokens } = view.usage;
  if (totalTokens > 0) {
    const cost = view.costUsd === null ? '' : `, about ${usdText(view.costUsd)}`;
    lines.push(`${countText(totalTokens, 'token')}${cost}`);
  }
  const { progress, change, setup } = view;
  const commands = progress === null || change === null ? null : progress.commands;
  const reported = new Reported({ commands, setup: setupLine(setup) });
  const report = reported.below(
    (words) => `${words}:\n`,
    (one) =>
      [one.commands === null ? '' : testsText(one.commands), one.setup]
        .filter((line) => line !== '')
        .join('\n'),
  );
  if (report !== '') lines.push(report);
  return lines.join('\n');
}

/** Names the command that ran during a denied request; '' if unknown. */
export function duringCommandText({ command }: Receipt['denied'][number]): string {
  return command == null ? '' : `, while ${codeSpan(command, 120)} ran`;
}

/** Lists the hosts that the sandbox reached, by bytes transferred; '' if there were none. */
export function reachedText({ hosts }: Receipt): string {
  if (hosts.length === 0) return '';
  const bytes = (row: Receipt['hosts'][number]) => row.bytesUp + row.bytesDown;
  const rows = hosts.toSorted((one, other) => bytes(other) - bytes(one)).slice(0, maxHosts);
  const shown = rows.map(
    ({ host, requests, bytesUp, bytesDown }) =>
      `${codeSpan(host, 80)} (${countText(requests, 'request')}, ${sizeText(bytesUp)} sent, ` +
      `${sizeText(bytesDown)} received)`,
  );
  if (hosts.length > rows.length) shown.push(`${hosts.length - rows.length} more`);
  return `Reached: ${shown.join(', ')}`;
}

/** Lists the denied requests of the sandbox; '' if there were none. */
export function deniedText(receipt: Receipt): string {
  const total = receipt.deniedTotal;
  if (total === 0) return '';
  const rows = receipt.denied.slice(-maxDeniedRows);
  const lines = rows.map((row) => {
    const { method, host, path, reason, count } = row;
    const times = count > 1 ? ` (${count} times)` : '';
    return (
      `• ${codeSpan(`${method} ${host}${path}`, 160)}${times}: ` +
      `${escapeInline(reason, 200)}${duringCommandText(row)}`
    );
  });
  const shown = rows.reduce((sum, { count }) => sum + count, 0);
  if (total > shown) lines.push(`• and ${total - shown} more`);
  const headline = `⛔ Blocked by the sandbox: ${countText(total, 'request')}`;
  return fitLines([headline, ...lines], maxText, (left) => `• and ${left} more`);
}

/** Requests that we or an upstream failed; '' when there were none. */
export function failedText(receipt: Receipt): string {
  return failedRequestLines(receipt)
    .map((line) => `⚠️ ${escapeInline(line, 300)}`)
    .join('\n');
}
