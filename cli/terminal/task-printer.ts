/** Formats a task's log for a terminal. Untrusted text goes through `plain-text.ts`. */
import type { PlanItem } from '../../src/core/progress.ts';
import { reasonOfEnd, remedyText } from '../../src/core/reason.ts';
import type { TaskEvent } from '../../src/core/task-view.ts';
import {
  capitalized,
  phaseText,
  queuePlaceText,
  steeredText,
  threadText,
} from '../../src/core/task-words.ts';
import type { TaskOutcome, TaskPhase } from '../../src/core/task.ts';
import { bold, dim, green, red, yellow } from './colour.ts';
import { plain, plainLines } from './plain-text.ts';

/** Phases without a line of their own: they take no time, or other lines say more. */
const silentPhases: ReadonlySet<TaskPhase> = new Set(['acknowledge', 'slot', 'report', 'ended']);

/** Stamped with the seconds since `startedAt`. Of a plan, only changed items. */
export function taskPrinter(startedAt: number): (event: TaskEvent) => string[] {
  let plan: ReadonlySet<string> = new Set();
  return (event) => {
    if (event.body.kind !== 'plan') return linesOf(event, startedAt);
    const previous = plan;
    plan = new Set(event.body.plan.map(planKey));
    return linesOf(
      {
        ...event,
        body: { kind: 'plan', plan: event.body.plan.filter((item) => !previous.has(planKey(item))) },
      },
      startedAt,
    );
  };
}

const planKey = ({ step, status }: PlanItem) => `${status} ${step}`;

/** Returns no lines for events that people need not see. */
function linesOf(event: TaskEvent, startedAt: number): string[] {
  const stamp = dim(`${((event.at - startedAt) / 1000).toFixed(1).padStart(6)}s `);
  const line = (text: string) => `${stamp} ${text}`;
  const { body } = event;
  switch (body.kind) {
    case 'phase':
      return silentPhases.has(body.phase) ? [] : [line(bold(`▸ ${capitalized(phaseText(body.phase))}`))];
    case 'acknowledged':
      return [line('  👀 acknowledged, with a progress message that stays up to date')];
    case 'plan':
      return body.plan.map((item) =>
        line(
          `  ${item.status === 'completed' ? green('☑') : item.status === 'inProgress' ? yellow('◐') : '☐'} ${plain(item.step)}`,
        ),
      );
    case 'thread':
      return [line(dim(`  ${plain(threadText(body.threadId, body.resumed))}`))];
    case 'command.started':
      return [line(`  $ ${plain(body.command)}`)];
    case 'command.finished': {
      const tail = plainLines(body.outputTail)
        .slice(-6)
        .map((text) => line(dim(`    ${text}`)));
      return [
        ...tail,
        line(body.exitCode === 0 ? green('    ✓ exit 0') : red(`    ✗ exit ${body.exitCode}`)),
      ];
    }
    case 'files.changed':
      return body.paths.map((path) => line(`  ✎ ${plain(path)}`));
    case 'message':
      return plainLines(body.text).map((text) => line(`  ${text}`));
    case 'error':
      return [line(red(`  ${plain(body.text)}${body.willRetry ? ' (retrying)' : ''}`))];
    case 'egress.denied':
      return [
        line(red(`  ⛔ blocked: ${plain(body.method)} ${plain(body.host)}${plain(body.path)}`)),
        line(red(`     ${plain(body.reason)}`)),
      ];
    case 'egress.failed':
      return [
        line(yellow(`  ⚠️ failed: ${plain(body.method)} ${plain(body.host)}${plain(body.path)}`)),
        line(yellow(`     ${plain(body.reason)}${body.fault === 'ours' ? ' (on our side)' : ''}`)),
      ];
    case 'model.first-request':
      return [];
    case 'change':
      return [
        line(
          `  ${body.files} file${body.files === 1 ? '' : 's'} changed, ${green(`+${body.insertions}`)} ${red(`−${body.deletions}`)}`,
        ),
      ];
    case 'queued':
      return [line(dim(`  waiting for a free sandbox, ${queuePlaceText(body.position)}`))];
    case 'note':
      return [line(`  ${plain(body.text)}`)];
    case 'ended':
      return [line(outcomeLine(body.outcome))];
  }
}

export function outcomeLine(outcome: TaskOutcome): string {
  const reason = reasonOfEnd(outcome);
  const remedy = reason === null ? '' : ` ${remedyText(reason, String, plain)}`;
  switch (outcome.kind) {
    case 'pull-request': {
      const { number, url, draft } = outcome.pullRequest;
      return [
        draft
          ? yellow(bold(`📝 pull request #${number} (draft): ${url}`))
          : green(bold(`✔ pull request #${number}: ${url}`)),
        ...(outcome.leftOut === undefined ? [] : [yellow(plain(outcome.leftOut))]),
      ].join('\n');
    }
    case 'no-change':
      return outcome.leftOut === undefined
        ? yellow(`✔ nothing to change: ${plain(outcome.summary)}${remedy}`)
        : yellow(`✘ nothing published: ${plain(outcome.leftOut)} ${plain(outcome.summary)}${remedy}`);
    case 'patch':
      return yellow(
        `✘ nothing published: ${plain(outcome.reason.message)} ${plain(outcome.summary)}${remedy}`,
      );
    case 'replied':
      return plainLines(outcome.text).join('\n');
    case 'steered':
      return plain(steeredText);
    case 'answered':
      return plain(outcome.message);
    case 'ignored':
      return `${plain(outcome.reason.message)}${remedy}`;
    case 'refused':
      return red(`✘ refused: ${plain(outcome.reason.message)}${remedy}`);
    case 'held':
      return yellow(`✋ held: ${plain(outcome.reason.message)}${remedy}`);
    case 'failed':
      return red(`✘ failed: ${plain(outcome.reason.message)}${remedy}`);
    case 'cancelled':
      return yellow(`✘ cancelled by ${plain(outcome.by)}${remedy}`);
  }
}
