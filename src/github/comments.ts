/**
 * Renders a task's sticky comment as Markdown: its progress, then its outcome. Pure. `progress-comment.ts`
 * finds and marks the comment. All text out of a sandbox goes through `markdown.ts`.
 */
import type { Receipt } from '../core/grant.ts';
import {
  commandLine,
  deniedText,
  evidenceText,
  failedLines,
  footerText,
  hasWordsOfModel,
  latestCommand,
  planLines,
  reachedText,
  standingLine,
  stepsText,
  type Markup,
} from '../core/post-text.ts';
import type { CommandRun } from '../core/progress.ts';
import { reasonOfEnd, remedyText } from '../core/reason.ts';
import { Reported } from '../core/reported.ts';
import { setupLine } from '../core/setup-view.ts';
import type { TaskView } from '../core/task-view.ts';
import { steeredText } from '../core/task-words.ts';
import type { Patch } from '../core/change-set.ts';
import type { PullRequestRef, Reason, TaskOutcome } from '../core/task.ts';
import { cautionText } from './caution-text.ts';
import { codeSpan, escapeInline, fence, renderUntrustedMarkdown } from './markdown.ts';
import { isLogin } from './write-permission.ts';

/** Together these limits stay far below GitHub's 65,536 characters, escapes included. */
const maxTailChars = 1500;

const markup: Markup = {
  code: (untrusted, maxChars) => codeSpan(untrusted, { maxChars }),
  text: escapeInline,
  bold: (words) => (words === '' ? '' : `**${words}**`),
};
const planMarks = { completed: '- [x]', inProgress: '- [ ]', pending: '- [ ]', more: '- ' } as const;

function commandText(run: CommandRun, view: TaskView): string {
  const line = commandLine(run, view, markup);
  if (run.status !== 'running' || run.outputTail.trim() === '') return line;
  return `${line}\n\n${fence(run.outputTail, { language: 'text', maxChars: maxTailChars, keep: 'tail' })}`;
}

function deniedBlock(receipt: Receipt): string {
  const denied = deniedText(receipt, markup);
  return denied === null ? '' : `${denied.headline}\n\n${denied.rows.map((row) => `- ${row}`).join('\n')}`;
}

/** Links only an address that cannot end the link or run a script; returns the words alone otherwise. */
function link(words: string, url: string): string {
  return /^https?:\/\/[^\s()<>[\]\\"]+$/.test(url) ? `[${words}](${url})` : words;
}

function pullRequestLink(words: string, { number, url, draft }: PullRequestRef): string {
  return `${link(`${words} ${number}`, url)}${draft ? ' (draft)' : ''}`;
}

/** A reason is our text but may quote what a person typed, so only its inline code keeps its meaning. */
function why(reason: Reason): string {
  return joined([renderUntrustedMarkdown(reason.message, 2000), remedy(reason)]);
}

const remedy = (reason: Reason): string =>
  remedyText(reason, markup.bold, (next) => renderUntrustedMarkdown(next, 1500));

/** Shows a small change as a patch in a fold, or what fits into `room`, and says how to get the whole. */
function patchText(patch: Patch | undefined, taskId: string, room = 20_000): string {
  const whole = `${codeSpan(`GET /api/tasks/${taskId}/change`, { maxChars: 200 })} returns the whole change.`;
  // A fence is longer than what it holds: one around thousands of backticks would not fit.
  if (patch === undefined || patch.text === '' || /`{50}/.test(patch.text) || room < 500)
    return `\n\n${whole}`;
  const shown = fence(patch.text, { language: 'diff', maxChars: room });
  const applies = patch.complete && shown.includes(`\n${patch.text.replace(/\n$/, '')}\n`);
  const title = applies
    ? 'The change as a patch for <code>git apply</code>'
    : 'The change, as far as it can be shown';
  const fold = `\n\n<details>\n<summary>${title}</summary>\n\n${shown}\n\n</details>`;
  return applies ? fold : `\n\n${whole}${fold}`;
}

/** The comment that approves is read as any other is: who may not write gets a refusal. */
function howToApprove({ changeHash, secondPerson }: TaskOutcome & { kind: 'held' }): string {
  if (changeHash === null) return '';
  const who = secondPerson === true ? 'Somebody else with write access' : 'Anyone with write access';
  const command = codeSpan(`approve ${changeHash.slice(0, 12)}`, { maxChars: 30 });
  return `\n\nThe change is kept. ${who} can mention me with ${command}: I then publish exactly this change, as a draft that names the approver.`;
}

function remarksText(heading: string, untrusted: readonly string[]): string {
  if (untrusted.length === 0) return '';
  const lines = untrusted.slice(0, 10).map((remark) => `> - ${escapeInline(remark, 250)}`);
  if (untrusted.length > lines.length) lines.push(`> - and ${untrusted.length - lines.length} more`);
  return ['> [!WARNING]', `> ${heading}`, ...lines].join('\n');
}

type AddedCommit = NonNullable<(TaskOutcome & { kind: 'pull-request' })['commit']>;

const commitLink = (words: string, { url }: PullRequestRef, { sha }: AddedCommit): string =>
  link(`${words}${sha.slice(0, 7)}`, `${url}/commits/${sha}`);

/** Answers one line comment. `untrustedText`: what Codex says about it, one line; null if it says nothing. */
export function lineReply(untrustedText: string | null, outcome: TaskOutcome): string {
  const said = untrustedText === null ? null : renderUntrustedMarkdown(untrustedText, 1000);
  if (outcome.kind === 'pull-request' && outcome.commit !== undefined) {
    const commit = commitLink('commit ', outcome.pullRequest, outcome.commit);
    return said === null
      ? `Codex did not say what it did about this comment; see ${commit}.`
      : `${said} (${commit})`;
  }
  if (outcome.kind === 'patch') {
    const words = said ?? 'Codex did not say what it did about this comment.';
    return `${words} Nothing was pushed: my comment on this pull request has the change as a patch.`;
  }
  return said ?? 'Codex changed nothing, and did not say anything about this comment.';
}

/** What the body of a pull request shows, for a commit that has none of its own. null for other ends. */
function reportFold(outcome: TaskOutcome): string | null {
  if (outcome.kind !== 'pull-request' || outcome.commit === undefined) return null;
  const title = 'What ran, the change and the network receipt';
  return `<details>\n<summary>${title}</summary>\n\n${outcome.commit.report}\n\n</details>`;
}

/** Describes a commit in the conversation in which it was asked for. */
function commitText(
  pullRequest: PullRequestRef,
  added: AddedCommit,
  leftOut = '',
): { readonly headline: string; readonly text: string } {
  const { summary, remarks } = added;
  const commit = commitLink('Commit ', pullRequest, added);
  const ours = [remarksText('Before you review:', remarks), escapeInline(leftOut, 1000)];
  return {
    headline: `✅ ${commit} was added`,
    text: joined([...ours, renderUntrustedMarkdown(summary, 3000)]),
  };
}

function remedyOfEnd(outcome: TaskOutcome): string {
  const reason = reasonOfEnd(outcome);
  return reason === null ? '' : remedy(reason);
}

function outcomeText(
  outcome: TaskOutcome,
  taskId: string,
): { readonly headline: string; readonly text: string } {
  switch (outcome.kind) {
    case 'pull-request': {
      const { pullRequest, added, leftOut, commit } = outcome;
      if (commit !== undefined) return commitText(pullRequest, commit, leftOut);
      const link = pullRequestLink(added === true ? 'pull request' : 'Pull request', pullRequest);
      const text = leftOut === undefined ? '' : escapeInline(leftOut, 1500);
      if (added === true) return { headline: `✅ Commit added to ${link}`, text };
      return pullRequest.draft
        ? { headline: `📝 ${link} was opened`, text }
        : { headline: `✅ ${link} is ready for review`, text };
    }
    case 'no-change':
      return outcome.leftOut === undefined
        ? { headline: '☑️ Nothing was changed', text: renderUntrustedMarkdown(outcome.summary, 4000) }
        : {
            headline: '⚠️ Nothing was published',
            text: `${escapeInline(outcome.leftOut, 1500)}\n\n${renderUntrustedMarkdown(outcome.summary, 4000)}`,
          };
    case 'refused':
      return { headline: '🚫 Not started', text: why(outcome.reason) };
    case 'held':
      return {
        headline: '✋ The change is held back',
        text: `${why(outcome.reason)}${howToApprove(outcome)}${patchText(outcome.patch, taskId)}`,
      };
    case 'failed': {
      const kept = outcome.changeKept
        ? `\n\nThe change is kept. Mention me with \`retry\` to publish it again.${patchText(outcome.patch, taskId)}`
        : '';
      return { headline: '❌ Failed', text: `${why(outcome.reason)}${kept}` };
    }
    case 'cancelled':
      return { headline: `⏹️ Cancelled by ${escapeInline(outcome.by, 100)}`, text: remedyOfEnd(outcome) };
    case 'patch': {
      const { reason, remarks = [], leftOut = '', summary, patch } = outcome;
      const about = [remarksText('Before you apply it:', remarks), escapeInline(leftOut, 1500)];
      const text = joined([why(reason), ...about, renderUntrustedMarkdown(summary, 4000)]);
      const room = Math.min(20_000, 30_000 - text.length);
      return { headline: '📋 The change is a patch', text: `${text}${patchText(patch, taskId, room)}` };
    }
    case 'replied':
      return { headline: '', text: renderUntrustedMarkdown(outcome.text, 10_000) };
    case 'steered':
      return { headline: '', text: steeredText };
    case 'ignored':
      return { headline: '', text: why(outcome.reason) };
    case 'answered':
      return { headline: '', text: renderUntrustedMarkdown(outcome.message, 4000) };
  }
}

function footer(view: TaskView, taskUrl: string | null): string {
  const text = footerText(view, markup);
  return `<sub>${taskUrl === null ? text : `${text} · ${link('log', taskUrl)}`}</sub>`;
}

/** What the sandbox of a running task reports: how setup ended, Codex's plan and its latest command. */
function reportText({ setup, progress }: Pick<TaskView, 'setup' | 'progress'>, view: TaskView): string {
  const latest = latestCommand(view);
  return joined([
    setupLine(setup),
    progress === null ? '' : stepsText(progress),
    progress === null ? '' : planLines(progress.plan, markup, planMarks).join('\n'),
    latest === null ? '' : commandText(latest, view),
  ]);
}

const joined = (blocks: readonly string[]): string => blocks.filter((block) => block !== '').join('\n\n');

/**
 * Names the requester, so that GitHub notifies them of an end without a pull request. A pull request notifies
 * them itself.
 */
function mention({ outcome, requester }: TaskView): string {
  if (outcome === null || outcome.kind === 'pull-request' || requester === null) return '';
  return isLogin(requester) ? `@${requester}` : '';
}

/** Renders what remains of the progress comment when a comment of its own reports the end. */
export function foldedComment(
  view: TaskView,
  end: { readonly id: number; readonly inThread: boolean },
  taskUrl: string | null,
): string {
  const headline = view.outcome === null ? '' : outcomeText(view.outcome, view.taskId).headline;
  const details = `[details](#${end.inThread ? 'discussion_r' : 'issuecomment-'}${end.id})`;
  return [markup.bold(headline), details, footer(view, taskUrl)].filter((part) => part !== '').join(' · ');
}

/**
 * `taskUrl`: address of the task's page; null if there is none. `progress-comment.ts` adds the task's marker.
 */
export function progressComment(view: TaskView, taskUrl: string | null): string {
  const { outcome, receipt } = view;
  const traffic = [deniedBlock(receipt), failedLines(view, markup).join('\n\n')];
  if (outcome === null) {
    const reported = new Reported({ setup: view.setup, progress: view.progress });
    const report = reported.below(
      (words) => `${words}:\n\n`,
      (one) => reportText(one, view),
    );
    return joined([standingLine(view, markup), report, ...traffic, footer(view, taskUrl)]);
  }
  const { headline, text } = outcomeText(outcome, view.taskId);
  const evidence = joined([
    // Below the words of the model, which could write the like.
    outcome.kind === 'no-change' ? remedyOfEnd(outcome) : '',
    evidenceText(view, markup),
    ...traffic,
    reportFold(outcome) ?? reachedText(receipt, markup),
  ]);
  return joined([
    cautionText(receipt),
    [mention(view), markup.bold(headline)].filter((part) => part !== '').join(' '),
    text,
    hasWordsOfModel(outcome) && evidence !== '' ? '---' : '',
    evidence,
    footer(view, taskUrl),
  ]);
}
