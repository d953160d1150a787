/**
 * Renders the text of a pull request: Codex's summary, then the evidence. Pure. All text from the sandbox
 * goes through `github/markdown.ts`. Exit codes and times come from the sandbox too, and the text says so.
 */
import { usdText } from '../core/cost.ts';
import type { PublishInput } from '../core/ports/publication.ts';
import type { SetupReport } from '../core/setup.ts';
import { cacheRefusedText } from '../core/setup-view.ts';
import { durationText } from '../core/task-words.ts';
import { testsRun, unwrappedCommand } from '../core/test-commands.ts';
import { codeSpan, escapeInline, plainTitle, renderUntrustedMarkdown } from '../github/markdown.ts';
import { taskMarker } from '../github/progress-comment.ts';
import type { Detour } from './continuation.ts';
import { networkReceipt } from './receipt-text.ts';
import { headOf } from '../lib/cut-text.ts';

/** GitHub's limit for a body, in characters. */
export const maxBodyCharacters = 65_536;
const maxTitle = 120;
/** Rows of a table. Further rows are only counted. */
const maxRows = 40;
const maxSetupPaths = 10;

export function pullRequestTitle(input: Pick<PublishInput, 'answer'>): string {
  const title = plainTitle(input.answer.title, maxTitle);
  return title === '' ? 'Change by Codex' : title;
}

/**
 * `detour`: why the change is not a commit on the pull request that it continues; null if it continues none.
 */
export function pullRequestBody(input: PublishInput, detour: Detour | null = null): string {
  const head = join([detourNote(input, detour), remarks(input), summary(input)]);
  const foot = join([closes(input), taskMarker(input.request.taskId)]);
  return withEvidence(input, head, foot);
}

/**
 * Renders the comment that describes a commit on an existing pull request, whose body belongs to the task
 * that opened it.
 */
export function followUpComment(input: PublishInput, commit: string): string {
  const title = `### ${escapeInline(pullRequestTitle(input), maxTitle)}\n\nAdded with ${commit}.`;
  // Leaves room for the marker that `saveStickyComment` adds.
  return withEvidence(input, join([title, remarks(input), summary(input)]), '', maxBodyCharacters - 200);
}

/**
 * Orders the sections by importance. If the text is too long, drops whole sections from the end, so that no
 * table is cut.
 */
function withEvidence(
  input: PublishInput,
  head: string,
  foot: string,
  maxCharacters = maxBodyCharacters,
): string {
  const droppable = [
    checks(input),
    changeSection(input),
    networkReceipt(input.evidence.receipt, input.policy.extraHosts),
    facts(input),
    commandTable(input),
  ];
  for (let kept = droppable.length; kept >= 0; kept -= 1) {
    const note =
      kept === droppable.length
        ? ''
        : '_Some evidence is left out, because the text would be too long for GitHub._';
    const body = join([head, ...droppable.slice(0, kept), note, foot]);
    if (body.length <= maxCharacters) return body;
  }
  // Reached only if escapes multiply the length of the summary.
  return join([headOf(head, maxCharacters - foot.length - 2), foot]);
}

const join = (sections: readonly string[]): string =>
  sections.filter((section) => section !== '').join('\n\n');

function detourNote({ continues }: PublishInput, detour: Detour | null): string {
  if (continues === null || detour === null) return '';
  // An intended reference: GitHub shows it on the other pull request too.
  return `> [!NOTE]\n> This continues #${continues.number} in a new pull request: ${detour.why}.`;
}

function remarks({ remarks: untrusted, draft, continues }: PublishInput): string {
  if (untrusted.length === 0) return '';
  const lines = untrusted.slice(0, maxRows).map((remark) => `> - ${escapeInline(remark, 600)}`);
  // An existing pull request does not become a draft again.
  const opening =
    draft && continues === null ? 'Opened as a draft. Before you review:' : 'Before you review:';
  return ['> [!WARNING]', `> ${opening}`, ...lines].join('\n');
}

function summary({ answer }: PublishInput): string {
  const text = renderUntrustedMarkdown(answer.summary, 8000).trim();
  if (text === '') return '_Codex gave no summary._';
  return answer.valid
    ? text
    : `${text}\n\n_Codex’s answer did not have the requested form. This text is made from what it said._`;
}

function checks({ evidence }: PublishInput): string {
  return `### Tests\n\n${testsText(evidence.commands)}\n\n${setupText(evidence.setup)}`;
}

function testsText(commands: PublishInput['evidence']['commands']): string {
  const tests = testsRun(commands);
  if (tests.kind === 'none')
    return `**No test run was seen** among the ${plural(commands.length, 'command')} that Codex ran.`;
  const { run, result, exitCode, count } = tests;
  const command = codeSpan(unwrappedCommand(run.command));
  const times = count === 1 ? '' : `, the last of ${count} test runs`;
  if (result === 'unknown')
    return `⚠️ **Tests were run, result not known**: the exit status of ${command}${times === '' ? '' : `${times},`} need not be that of its tests.`;
  return `${result === 'passed' ? '✅' : '❌'} ${command} ${testVerdict(exitCode)}${times}.`;
}

/** 126 and 127 are a shell's exit statuses for a program that it may not or cannot start. */
function testVerdict(exitCode: number): string {
  if (exitCode === 0) return 'passed in the sandbox';
  if (exitCode === 126 || exitCode === 127)
    return `**could not be run** in the sandbox (exit status ${exitCode})`;
  return `failed with exit status ${exitCode} in the sandbox`;
}

/** Reports whether the dependencies of the tests were installed. */
function setupText(setup: SetupReport | null): string {
  if (setup === null) return 'Dependencies were not installed: no setup is configured.';
  const command = codeSpan(setup.command);
  const duration = durationText(setup.durationMs);
  const lines = [
    setup.status === 'ok'
      ? `Dependencies were installed: setup ${command} succeeded in ${duration}${setup.fromCache ? ', starting from the cache' : ''}.`
      : `⚠️ Dependencies may be missing: setup ${command} ${setup.status === 'timed-out' ? 'was stopped at its time limit' : `ended with exit status ${setup.exitCode}`} after ${duration}.`,
    setup.cacheRefused === null ? '' : cacheRefusedText(setup.cacheRefused),
    pathsText('Setup changed tracked files, which were restored:', setup.restored),
    pathsText('Setup left new files, which are not part of this change:', setup.pathsLeftBySetup),
  ];
  return lines.filter((line) => line !== '').join('\n\n');
}

function pathsText(title: string, { paths, total }: SetupReport['pathsLeftBySetup']): string {
  if (total === 0) return '';
  const shown = paths.slice(0, maxSetupPaths).map((path) => codeSpan(path));
  if (total > shown.length) shown.push(`and ${total - shown.length} more`);
  return `${title} ${shown.join(', ')}`;
}

function commandTable({ evidence }: PublishInput): string {
  const { commands } = evidence;
  if (commands.length === 0) return '';
  const shown = commands.slice(-maxRows);
  const rows = shown.map((run) => {
    const status = run.exitCode === null ? 'not finished' : String(run.exitCode);
    const seconds = run.durationMs === null ? '' : (run.durationMs / 1000).toFixed(1);
    return `| ${codeSpan(unwrappedCommand(run.command), { inTable: true })} | ${status} | ${seconds} |`;
  });
  const earlier = commands.length - shown.length;
  const title =
    earlier > 0
      ? `the last ${shown.length} of ${plural(commands.length, 'command')}`
      : plural(commands.length, 'command');
  return details(
    `What was run: ${title}`,
    ['| command | exit status | seconds |', '|---|---|---|', ...rows].join('\n'),
  );
}

function changeSection({ change }: PublishInput): string {
  const lines = [
    `### Change\n\n${plural(change.files.length, 'file')}, +${change.insertions} −${change.deletions}.`,
  ];
  if (change.skipped.length > 0) {
    const shown = change.skipped.slice(0, maxRows).map(({ path, why }) => `- ${codeSpan(path)}: ${why}`);
    const more = change.skipped.length - shown.length;
    if (more > 0) shown.push(`- and ${more} more`);
    lines.push(`Left out, because they could not be collected from the sandbox:\n\n${shown.join('\n')}`);
  }
  return lines.join('\n\n');
}

function facts({ evidence, request, model, effort, facts: repository }: PublishInput): string {
  const { usage, elapsedMs, costUsd } = evidence;
  const cached = usage.cachedInputTokens > 0 ? ` (${count(usage.cachedInputTokens)} cached)` : '';
  const parts = [
    `Model ${codeSpan(model)}, effort ${effort}`,
    `${count(usage.inputTokens)} tokens in${cached}, ${count(usage.outputTokens)} out`,
    costUsd === null ? '' : cost(costUsd),
    `${durationText(elapsedMs)} after the request`,
    askedBy(request),
    leftOut(request, evidence.commentsLeftOut),
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
    ? `${plural(many, 'message')} not shown to Codex (by software, written or edited later, or too long)`
    : `${plural(many, 'comment')} not shown to Codex (no write access, edited later, or too long)`;
}

/**
 * The task's page needs a token and Slack needs a login, but a public repository should not even show their
 * addresses.
 */
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

function closes({ request }: PublishInput): string {
  const { trigger } = request;
  return trigger.kind === 'github' && !trigger.onPullRequest ? `Closes #${trigger.issueNumber}` : '';
}

function details(title: string, content: string): string {
  return `<details>\n<summary>${title}</summary>\n\n${content}\n\n</details>`;
}

function plural(many: number, noun: string): string {
  return `${many} ${noun}${many === 1 ? '' : 's'}`;
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
