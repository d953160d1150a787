/**
 * What the pull request says: Codex's words first, then the evidence for them. Pure. Every word that came out of the
 * sandbox goes through `github/markdown.ts`; the exit codes and times are the sandbox's too, and the text says so.
 */
import type { PublishInput } from '../core/ports.ts';
import { codeSpan, escapeInline, plainTitle, renderUntrustedMarkdown } from '../github/markdown.ts';
import { taskMarker } from '../github/progress-comment.ts';
import { networkReceipt } from './receipt-text.ts';
import { testsRun, unwrappedCommand } from '../core/test-commands.ts';

/** GitHub's limit for a body, in characters. */
export const maxBodyCharacters = 65_536;
const maxTitle = 120;
/** Rows of a table; what is beyond is counted. */
const maxRows = 40;

export function pullRequestTitle(input: Pick<PublishInput, 'answer'>): string {
  const title = plainTitle(input.answer.title, maxTitle);
  return title === '' ? 'Change by Codex' : title;
}

/**
 * Sections in the order of their worth; when all of them are too long, whole sections are left out from the back of
 * `droppable`, so that no table is cut in the middle.
 */
export function pullRequestBody(input: PublishInput): string {
  const fixed = {
    head: join([remarks(input), summary(input)]),
    foot: join([closes(input), taskMarker(input.request.taskId)]),
  };
  const droppable = [
    checks(input),
    changeSection(input),
    networkReceipt(input.evidence.receipt),
    facts(input),
    commandTable(input),
  ];
  for (let kept = droppable.length; kept >= 0; kept -= 1) {
    const note =
      kept === droppable.length
        ? ''
        : '_Some of the evidence is left out here: it is too long for a pull request._';
    const body = join([fixed.head, ...droppable.slice(0, kept), note, fixed.foot]);
    if (body.length <= maxBodyCharacters) return body;
  }
  // Only a summary whose escapes multiply it comes here.
  const room = maxBodyCharacters - fixed.foot.length - 2;
  return `${fixed.head.slice(0, room)}\n\n${fixed.foot}`;
}

const join = (sections: readonly string[]): string =>
  sections.filter((section) => section !== '').join('\n\n');

function remarks({ remarks: untrusted }: PublishInput): string {
  if (untrusted.length === 0) return '';
  const lines = untrusted.slice(0, maxRows).map((remark) => `> - ${escapeInline(remark, 600)}`);
  return ['> [!WARNING]', '> Opened as a draft. Before you review:', ...lines].join('\n');
}

function summary({ answer }: PublishInput): string {
  const text = renderUntrustedMarkdown(answer.summary, 8000).trim();
  if (text === '') return '_Codex gave no summary._';
  return answer.valid
    ? text
    : `${text}\n\n_Codex’s answer did not have the asked form; this was made from what it said._`;
}

function checks({ evidence }: PublishInput): string {
  const tests = testsRun(evidence.commands);
  if (tests.kind === 'none') {
    const many = evidence.commands.length;
    return `### Tests\n\n**No test run was seen** among the ${plural(many, 'command')} that Codex ran.`;
  }
  const { run, count } = tests;
  const verdict = run.exitCode === 0 ? 'passed' : `failed with exit status ${run.exitCode}`;
  const times = count === 1 ? '' : `, the last of ${count} test runs`;
  return `### Tests\n\n${run.exitCode === 0 ? '✅' : '❌'} ${codeSpan(unwrappedCommand(run.command))} ${verdict} in the sandbox${times}.`;
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
    lines.push(`Left out, because they cannot be carried:\n\n${shown.join('\n')}`);
  }
  return lines.join('\n\n');
}

function facts({ evidence, request, facts: repository }: PublishInput): string {
  const { usage, elapsedMs, commentsLeftOut } = evidence;
  const cached = usage.cachedInputTokens > 0 ? ` (${count(usage.cachedInputTokens)} cached)` : '';
  const parts = [
    `Model ${codeSpan(evidence.model)}, effort ${evidence.effort}`,
    `${count(usage.inputTokens)} tokens in${cached}, ${count(usage.outputTokens)} out`,
    `${duration(elapsedMs)} from request to here`,
  ];
  const who = request.requester;
  if (who !== null) {
    // A mention of ours: it is how the requester hears of the pull request.
    parts.push(
      `asked for by ${/^[A-Za-z0-9-]{1,100}$/.test(who.login) ? `@${who.login}` : escapeInline(who.login)}`,
    );
  }
  if (commentsLeftOut > 0) {
    parts.push(
      `${plural(commentsLeftOut, 'comment')} not shown to Codex (no write access, edited since, or too long)`,
    );
  }
  // The task's page is behind a token; still, a public repository is no place for where it is.
  if (evidence.taskUrl !== null && repository.private) parts.push(`[log](${encodeURI(evidence.taskUrl)})`);
  return `### Task\n\n${parts.join(' · ')}`;
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

/** Three groups with a comma: read by people of all locales, and the same on every machine. */
function count(tokens: number): string {
  return String(tokens).replace(/\B(?=(\d{3})+$)/g, ',');
}

function duration(elapsedMs: number): string {
  const seconds = Math.max(0, Math.round(elapsedMs / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
