/** Renders what the sandbox reports about itself: tests, setup, and the commands that Codex ran. */
import type { SandboxReport } from '../core/ports/publication.ts';
import type { SetupReport } from '../core/setup.ts';
import { cacheRefusedText } from '../core/setup-view.ts';
import { durationText } from '../core/task-words.ts';
import { testsRun, unwrappedCommand } from '../core/test-commands.ts';
import { codeSpan } from '../github/markdown.ts';
import { countText } from '../lib/count-text.ts';
import { joinSections } from './fit-sections.ts';

/** Rows of the table of commands, from the fullest variant on. Further rows are only counted. */
export const commandRows = [40, 10, 0] as const;
const maxSetupPaths = 10;

export function reportText(report: SandboxReport, maxRows: number): string {
  const { setup } = report;
  const tests = testsRun(report.commands);
  const passed = tests.kind !== 'none' && tests.result === 'passed';
  return joinSections([
    testsText(report, tests),
    setup === null && passed ? '' : setupText(setup, maxRows > 0),
    commandTable(report, maxRows),
  ]);
}

function testsText({ commands, commandsTotal }: SandboxReport, tests: ReturnType<typeof testsRun>): string {
  const known = commandsTotal > commands.length ? `last ${commands.length} of ` : '';
  if (tests.kind === 'none')
    return `**No test run was seen** among the ${known}${countText(commandsTotal, 'command')} that Codex ran.`;
  const { run, result, exitCode, count, failedBefore } = tests;
  const command = codeSpan(unwrappedCommand(run.command));
  const times = count === 1 || failedBefore ? '' : `, the last of ${count} test runs`;
  if (result === 'unknown')
    return `⚠️ **Tests were run, result not known**: the exit status of ${command}${times === '' ? '' : `${times},`} need not be that of its tests.`;
  const verdict = failedBefore ? 'failed before, passes now in the sandbox' : testVerdict(exitCode);
  return `${result === 'passed' ? '✅' : '❌'} ${command} ${verdict}${times}.`;
}

/** 126 and 127 are a shell's exit statuses for a program that it may not or cannot start. */
function testVerdict(exitCode: number): string {
  if (exitCode === 0) return 'passed in the sandbox';
  if (exitCode === 126 || exitCode === 127)
    return `**could not be run** in the sandbox (exit status ${exitCode})`;
  return `failed with exit status ${exitCode} in the sandbox`;
}

/** Reports whether the dependencies of the tests were installed. */
function setupText(setup: SetupReport | null, withPaths: boolean): string {
  if (setup === null) return 'Dependencies were not installed: no setup is configured.';
  const command = codeSpan(setup.command);
  const duration = durationText(setup.durationMs);
  return joinSections([
    setup.status === 'ok'
      ? `Dependencies were installed: setup ${command} succeeded in ${duration}${setup.fromCache ? ', starting from the cache' : ''}.`
      : `⚠️ Dependencies may be missing: setup ${command} ${setup.status === 'timed-out' ? 'was stopped at its time limit' : `ended with exit status ${setup.exitCode}`} after ${duration}.`,
    setup.cacheRefused === null ? '' : cacheRefusedText(setup.cacheRefused),
    withPaths ? pathsText('Setup changed tracked files, which were restored:', setup.restored) : '',
    withPaths
      ? pathsText('Setup left new files, which are not part of this change:', setup.pathsLeftBySetup)
      : '',
  ]);
}

function pathsText(title: string, { paths, total }: SetupReport['pathsLeftBySetup']): string {
  if (total === 0) return '';
  const shown = paths.slice(0, maxSetupPaths).map((path) => codeSpan(path));
  if (total > shown.length) shown.push(`and ${total - shown.length} more`);
  return `${title} ${shown.join(', ')}`;
}

function commandTable({ commands, commandsTotal }: SandboxReport, maxRows: number): string {
  if (commands.length === 0 || maxRows === 0) return '';
  const shown = commands.slice(-maxRows);
  const rows = shown.map((run) => {
    const status = run.exitCode === null ? 'not finished' : String(run.exitCode);
    const seconds = run.durationMs === null ? '' : (run.durationMs / 1000).toFixed(1);
    return `| ${codeSpan(unwrappedCommand(run.command), { inTable: true })} | ${status} | ${seconds} |`;
  });
  const all = countText(commandsTotal, 'command');
  const title = commandsTotal > shown.length ? `the last ${shown.length} of ${all}` : all;
  const table = ['| command | exit status | seconds |', '|---|---|---|', ...rows].join('\n');
  return `<details>\n<summary>What was run: ${title}</summary>\n\n${table}\n\n</details>`;
}
