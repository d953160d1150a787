/**
 * What a task's post says, the same for the comment on GitHub and the message in Slack. Pure. Text out of a
 * sandbox is untrusted: `Markup` escapes it for the surface.
 */
import { countText } from '../lib/count-text.ts';
import { sizeText } from '../lib/byte-size.ts';
import { usdText } from './cost.ts';
import { latenessText } from './lateness.ts';
import { failedRequestLines } from './failed-requests.ts';
import type { Receipt } from './grant.ts';
import type { CommandRun, PlanItem, Progress } from './progress.ts';
import { Reported } from './reported.ts';
import { setupLine } from './setup-view.ts';
import type { TaskOutcome } from './task.ts';
import type { TaskView } from './task-view.ts';
import { earlierTurnText } from './earlier-turn.ts';
import { capitalized, durationText, runningText, standingText } from './task-words.ts';
import { testsRun, unwrappedCommand } from './test-commands.ts';

const maxPlanItems = 20;
const maxDeniedRows = 5;
const maxHosts = 5;

export interface Markup {
  /** Renders one line of inline code. */
  readonly code: (untrusted: string, maxChars: number) => string;
  /** Renders one line of text without markup or references. */
  readonly text: (untrusted: string, maxChars: number) => string;
  readonly bold: (escaped: string) => string;
}

/** Whether a post shows a text of the model, which a rule then ends: a model cannot write one. */
export function hasWordsOfModel(outcome: TaskOutcome): boolean {
  if (outcome.kind === 'pull-request') return outcome.commit !== undefined;
  return outcome.kind === 'patch' || outcome.kind === 'no-change' || outcome.kind === 'replied';
}

export function standingLine(view: TaskView, { bold }: Markup): string {
  return `⏳ ${bold(capitalized(standingText(view)))} · ${durationText(view.elapsedMs)}`;
}

/** `Step 2 of 5 · 12 commands so far`; '' before the first of them. */
export function stepsText({ plan, commandsTotal }: Progress): string {
  const current = plan.findIndex(({ status }) => status === 'inProgress');
  const done = plan.filter(({ status }) => status === 'completed').length;
  const step = current === -1 ? Math.min(done + 1, plan.length) : current + 1;
  return [
    plan.length === 0 ? '' : `Step ${step} of ${plan.length}`,
    commandsTotal === 0 ? '' : `${countText(commandsTotal, 'command')} so far`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** One line per step of the plan. `mark` is what a surface writes in front of a step. */
export function planLines(
  plan: readonly PlanItem[],
  { text, bold }: Markup,
  mark: Readonly<Record<PlanItem['status'], string>> & { readonly more: string },
): string[] {
  const lines = plan.slice(0, maxPlanItems).map(({ step, status }) => {
    const words = text(step, 200);
    return `${mark[status]} ${status === 'inProgress' ? bold(words) : words}`;
  });
  const left = plan.length - lines.length;
  return left > 0 ? [...lines, `${mark.more}and ${left} more`] : lines;
}

/** The command that runs, else the last one; null while Codex does not work. */
export function latestCommand({ phase, progress }: TaskView): CommandRun | null {
  if (phase !== 'codex' || progress === null) return null;
  return progress.commands.findLast(({ status }) => status === 'running') ?? progress.commands.at(-1) ?? null;
}

export function commandLine(run: CommandRun, view: TaskView, { code }: Markup): string {
  const { command, status, exitCode } = run;
  const words = code(unwrappedCommand(command), 300);
  if (status === 'running') return `Running ${words} for ${runningText(run, view)}`;
  return exitCode === 0 ? `Ran ${words}` : `Ran ${words}: exit code ${String(exitCode ?? 'unknown')}`;
}

/** Whether tests ran, and the result of the last run. */
function testsText({ commands, commandsTotal }: Progress, { code }: Markup): string {
  const tests = testsRun(commands);
  if (tests.kind === 'none')
    return commandsTotal > commands.length
      ? `⚠️ No test run was seen among the last ${commands.length} of ${commandsTotal} commands`
      : '⚠️ No tests were run';
  const command = code(unwrappedCommand(tests.run.command), 120);
  switch (tests.result) {
    case 'passed':
      return `Tests passed: ${command}`;
    case 'failed':
      return `⚠️ Tests failed with exit code ${tests.exitCode}: ${command}`;
    case 'unknown':
      return `⚠️ Tests were run, result not known: ${command}`;
  }
}

/** The evidence of an ended task: size of the change, tests, setup, tokens and cost. '' if there is none. */
export function evidenceText(view: TaskView, markup: Markup): string {
  const lines: string[] = [];
  if (view.change !== null) {
    const { files, insertions, deletions } = view.change;
    lines.push(`${countText(files, 'file')} changed, +${insertions} −${deletions}`);
  }
  const dropped = view.outcome?.kind === 'replied' ? view.outcome.dropped : undefined;
  if (dropped !== undefined)
    lines.push(
      `⚠️ Codex also changed ${countText(dropped, 'file')}. A question changes nothing: they are gone.`,
    );
  const { totalTokens } = view.usage;
  if (totalTokens > 0) {
    const cost = view.costUsd === null ? '' : `, about ${usdText(view.costUsd)}`;
    lines.push(`${countText(totalTokens, 'token')}${cost}`);
  }
  const { progress, change, setup } = view;
  const reported = new Reported({ progress: change === null ? null : progress, setup: setupLine(setup) });
  const report = reported.below(
    (words) => `${words}:\n`,
    (one) =>
      [one.progress === null ? '' : testsText(one.progress, markup), one.setup]
        .filter((line) => line !== '')
        .join('\n'),
  );
  return [lines.join('\n'), report].filter((part) => part !== '').join('\n\n');
}

/** Names the command that ran during a denied request; '' if unknown. */
export function duringCommandText({ command }: Receipt['denied'][number], { code }: Markup): string {
  return command == null ? '' : `, while ${code(command, 160)} ran`;
}

/** The latest denied requests of the sandbox, a line each; null if there were none. */
export function deniedText(
  { denied, deniedTotal: total }: Receipt,
  markup: Markup,
): { readonly headline: string; readonly rows: readonly string[] } | null {
  if (total === 0) return null;
  const latest = denied.slice(-maxDeniedRows);
  const rows = latest.map((row) => {
    const { method, host, path, reason, count } = row;
    const times = count > 1 ? ` (${count} times)` : '';
    const request = markup.code(`${method} ${host}${path}`, 160);
    return `${request}${times}: ${markup.text(reason, 200)}${duringCommandText(row, markup)}`;
  });
  const shown = latest.reduce((sum, { count }) => sum + count, 0);
  if (total > shown) rows.push(`and ${total - shown} more`);
  return { headline: `Blocked attempts: ${total}`, rows };
}

/** One line per failure of ours or of an upstream, and one about attachments that Codex did not get. */
export function failedLines(
  { receipt, attachmentsLeft, latenessMs }: Pick<TaskView, 'receipt' | 'attachmentsLeft' | 'latenessMs'>,
  { text }: Markup,
): string[] {
  const failed = failedRequestLines(receipt).map((line) => `⚠️ ${text(line, 300)}`);
  if (latenessMs !== null) failed.unshift(`⏱️ ${latenessText(latenessMs)}`);
  return attachmentsLeft === '' ? failed : [...failed, `📎 ${text(attachmentsLeft, 1500)}`];
}

/** Lists the hosts that the sandbox reached, by bytes transferred; '' if there were none. */
export function reachedText({ hosts }: Receipt, { code }: Markup): string {
  if (hosts.length === 0) return '';
  const bytes = (row: Receipt['hosts'][number]) => row.bytesUp + row.bytesDown;
  const rows = hosts.toSorted((one, other) => bytes(other) - bytes(one)).slice(0, maxHosts);
  const shown = rows.map(
    ({ host, requests, bytesUp, bytesDown }) =>
      `${code(host, 80)} (${countText(requests, 'request')}, ${sizeText(bytesUp)} sent, ` +
      `${sizeText(bytesDown)} received)`,
  );
  if (hosts.length > rows.length) shown.push(`${hosts.length - rows.length} more`);
  return `Reached: ${shown.join(', ')}`;
}

export function footerText(view: TaskView, { code, text }: Markup): string {
  const parts = [`task ${code(view.shortId, 40)}`];
  if (view.model !== null)
    parts.push(text(view.effort === null ? view.model : `${view.model} ${view.effort}`, 150));
  if (view.base !== null) parts.push(`from ${code(view.base.branch, 120)}`);
  const earlier = earlierTurnText(view.earlierTurn, code);
  if (earlier !== '') parts.push(earlier);
  parts.push(durationText(view.elapsedMs));
  return parts.join(' · ');
}
