/** Renders a pull request's text. What only the sandbox says is escaped, below its own heading. */
import { usdText } from '../core/cost.ts';
import type { Measure } from '../core/change-set.ts';
import type { PublishInput } from '../core/ports/publication.ts';
import { durationText } from '../core/task-words.ts';
import { cautionText } from '../github/caution-text.ts';
import { codeSpan, escapeInline, renderUntrustedMarkdown } from '../github/markdown.ts';
import { taskMarker } from '../github/progress-comment.ts';
import { countText } from '../lib/count-text.ts';
import { headOf } from '../lib/cut-text.ts';
import { airlockVersion } from '../version.ts';
import type { Detour } from './continuation.ts';
import { fitSections, joinSections, type Section } from './fit-sections.ts';
import { titleOf } from './git-commit.ts';
import { leftOutReason } from './left-out.ts';
import { receiptVariants } from './receipt-text.ts';
import { commandRows, reportText } from './reported-text.ts';
import { describedText } from './template-text.ts';
import { withoutTrailers } from './trailers.ts';

/** GitHub's limit for a body, in characters. */
export const maxBodyCharacters = 65_536;
/** Leaves room for the rest of the comment that it is a fold of. */
const maxReportCharacters = 12_000;
const maxTitle = 120;
const maxAskedLines = 20;
const maxAdded = 10;

/** `detour`: why it is no commit on the pull request that it continues; null if it continues none. */
export function pullRequestBody(input: PublishInput, detour: Detour | null = null): string {
  const foot = joinSections([reference(input), taskMarker(input.request.taskId)]);
  return fitSections(
    [always(detourNote(input, detour)), ...evidence(input), always(foot)],
    maxBodyCharacters,
  );
}

/** Describes a commit on a pull request whose body belongs to another task. */
export function followUpComment(input: PublishInput, commit: string): string {
  const title = `### ${escapeInline(titleOf(input.answer), maxTitle)}\n\nAdded with ${commit}.`;
  // Leaves room for the marker that `saveStickyComment` adds.
  return fitSections([always(title), ...evidence(input), always('')], maxBodyCharacters - 200);
}

/** For a fold in the comment of a task that was asked in the pull request, which has the rest itself. */
export function commitReport(input: PublishInput): string {
  return fitSections([...details(input), always('')], maxReportCharacters);
}

/** A model cannot write the rule, because its words are escaped. */
const endOfWords = '---\n\n<sub>Codex wrote the description above, Airlock everything else.</sub>';

const always = (text: string): Section => ({ rank: 0, variants: [text] });

/** In the order in which people read. The sums of the receipt get room before everything else. */
function evidence(input: PublishInput): readonly Section[] {
  const { receipt } = input.evidence;
  return [
    { rank: 2, variants: [cautionText(receipt), cautionText(receipt, 1)] },
    { rank: 3, variants: [40, 10, 1].map((rows) => remarks(input, rows)) },
    { rank: 4, variants: [12_000, 4000, 2000, 500].map((characters) => description(input, characters)) },
    { rank: 6, variants: [asked(input, 1500), asked(input, 200)] },
    ...details(input),
  ];
}

/** What ran, what was changed, what was reached. */
export function details(input: PublishInput): readonly Section[] {
  const { receipt, reported } = input.evidence;
  const heading = (words: string): string => `### ${words}\n\n`;
  return [
    { rank: 8, variants: commandRows.map((rows) => reported.below(heading, (one) => reportText(one, rows))) },
    { rank: 5, variants: [40, 5, 0].map((rows) => changeSection(input, rows)) },
    { rank: 1, variants: receiptVariants(receipt, input.policy.extraHosts) },
    { rank: 7, variants: [facts(input)] },
  ];
}

function detourNote({ continues }: PublishInput, detour: Detour | null): string {
  if (continues === null || detour === null) return '';
  // An intended reference: GitHub shows it on the other pull request too.
  const { code, why } = detour;
  const also = code === 'pull-request-merged' ? ', so some of its commits may appear here again' : '';
  return `> [!NOTE]\n> This continues #${continues.number} in a new pull request: ${why}${also}.`;
}

function remarks({ remarks: untrusted, draft, continues }: PublishInput, maxRows: number): string {
  if (untrusted.length === 0) return '';
  const shown = untrusted.slice(0, maxRows);
  const lines = shown.map((remark) => `> - ${escapeInline(remark, 600)}`);
  if (untrusted.length > shown.length) lines.push(`> - and ${untrusted.length - shown.length} more`);
  // An existing pull request does not become a draft again.
  const opening =
    draft && continues === null ? 'Opened as a draft. Before you review:' : 'Before you review:';
  return ['> [!WARNING]', `> ${opening}`, ...lines].join('\n');
}

function summary({ answer }: PublishInput, maxCharacters: number): string {
  const text = renderUntrustedMarkdown(withoutTrailers(answer.summary), maxCharacters).trim();
  if (text === '') return '_Codex gave no summary._';
  return answer.valid
    ? text
    : `${text}\n\n_Codex’s answer did not have the requested form. This text is made from what it said._`;
}

/** The repository's template filled in, in place of the summary. */
function description(input: PublishInput, maxCharacters: number): string {
  const { answer, template } = input;
  const pullRequestText = answer.pullRequestText ?? null;
  const words = { summary: summary(input, maxCharacters), pullRequestText, template };
  return `${describedText(words, maxCharacters)}\n\n${endOfWords}`;
}

/** Quotes the request and what was added to it. */
function asked({ request, evidence, facts: repository }: PublishInput, maxCharacters: number): string {
  const { instruction, trigger } = request;
  const { askedUrl, added } = evidence;
  const link = askedUrl === null ? '' : `[The request](${askedUrl})`;
  // What was said in Slack or to the API stays out of a public repository.
  const isQuotable = trigger.kind === 'github' || repository.private;
  const shown = isQuotable ? added.slice(0, maxAdded) : [];
  const more = isQuotable && added.length > shown.length ? `_And ${added.length - shown.length} more._` : '';
  const text = joinSections([
    isQuotable ? quoted(instruction, maxCharacters) : '',
    link,
    ...shown.map(({ by, text: words }) =>
      joinSections([`${escapeInline(by, 80)} added while Codex worked:`, quoted(words, maxCharacters)]),
    ),
    more,
  ]);
  return text === '' ? '' : `### Asked\n\n${text}`;
}

/** As words, so that they mention nobody and close no issue. */
function quoted(untrustedWords: string, maxCharacters: number): string {
  const words = untrustedWords.trim();
  const cut = headOf(words, maxCharacters);
  if (cut === '') return '';
  const lines = cut.split('\n').slice(0, maxAskedLines);
  const quotes = lines.map((line) => `> ${escapeInline(line, maxCharacters)}`.trimEnd());
  return [...quotes, ...(cut.length < words.length ? ['> …'] : [])].join('\n');
}

function changeSection({ change, baseBranch }: PublishInput, maxRows: number): string {
  const lines = [
    `### Change\n\n${countText(change.files.length, 'file')}, +${change.measure.insertions} −${change.measure.deletions}${notCompared(change.measure)}. Based on ${codeSpan(baseBranch)} at ${change.base}.`,
  ];
  if (change.skipped.length > 0) {
    const shown = change.skipped
      .slice(0, maxRows)
      .map((entry) => `- ${codeSpan(entry.path)}: ${leftOutReason(entry)}`);
    const more = change.skipped.length - shown.length;
    if (more > 0) shown.push(`- and ${more} more`);
    lines.push(`Left out:\n\n${shown.join('\n')}`);
  }
  return lines.join('\n\n');
}

function facts(input: PublishInput): string {
  const { evidence, request, model, effort, facts: repository } = input;
  const { usage, elapsedMs, costUsd } = evidence;
  const cached = usage.cachedInputTokens > 0 ? ` (${count(usage.cachedInputTokens)} cached)` : '';
  const unreported = usage.totalTokens - usage.inputTokens - usage.outputTokens;
  const parts = [
    `Model ${codeSpan(model)}, effort ${effort}`,
    `${count(usage.inputTokens)} tokens in${cached}, ${count(usage.outputTokens)} out`,
    unreported > 0 ? `about ${count(unreported)} more in answers that were cut off` : '',
    costUsd === null ? '' : cost(costUsd),
    `${durationText(elapsedMs)} after the request`,
    askedBy(request),
    leftOut(request, evidence.commentsLeftOut),
    `Airlock ${airlockVersion}`,
    ...privateLinks(evidence, repository),
  ];
  return `### Task\n\n${parts.filter((part) => part !== '').join(' · ')}`;
}

function askedBy({ requester, trigger }: PublishInput['request']): string {
  const inSlack = trigger.kind === 'slack' ? ' in Slack' : '';
  if (requester === null) return inSlack === '' ? '' : `requested${inSlack}`;
  // An intended mention: it notifies the requester.
  const { login } = requester;
  return `requested by ${/^[A-Za-z0-9-]{1,100}$/.test(login) ? `@${login}` : escapeInline(login)}${inSlack}`;
}

function leftOut({ trigger }: PublishInput['request'], many: number): string {
  if (many === 0) return '';
  return trigger.kind === 'slack'
    ? `${countText(many, 'message')} not shown to Codex (by software, written or edited later, or too long)`
    : `${countText(many, 'comment')} not shown to Codex (no write access, edited later, or too long)`;
}

/** A public repository should not even show the addresses of the task's page and of Slack. */
function privateLinks(evidence: PublishInput['evidence'], repository: PublishInput['facts']): string[] {
  if (!repository.private) return [];
  const { taskUrl, conversationUrl } = evidence;
  const links = taskUrl === null ? [] : [`[log](${encodeURI(taskUrl)})`];
  // Only an address that cannot end the link.
  if (conversationUrl !== null && /^https:\/\/[^\s()<>[\]\\"]{1,1000}$/.test(conversationUrl)) {
    links.push(`[conversation](${conversationUrl})`);
  }
  return links;
}

function notCompared({ unmeasured }: Measure): string {
  return unmeasured === 0 ? '' : ` (without ${countText(unmeasured, 'file')} that Airlock could not compare)`;
}

/** Only a complete run closes the issue that asked for it. */
function reference({ request, complete }: PublishInput): string {
  const { trigger } = request;
  if (trigger.kind !== 'github' || trigger.onPullRequest) return '';
  return `${complete ? 'Closes' : 'Refs'} #${trigger.issueNumber}`;
}

/** Marks the cost as an estimate. "less than" already does. */
function cost(usd: number): string {
  const figure = usdText(usd);
  return figure.startsWith('$') ? `about ${figure}` : figure;
}

/** Groups digits with commas, the same on every machine. */
function count(tokens: number): string {
  return String(tokens).replace(/\B(?=(\d{3})+$)/g, ',');
}
