/** Renders a task's log as a modal, oldest entry first. Beyond the limits it counts the oldest. */
import type { KnownBlock, ModalView } from '@slack/types';
import { deniedRow } from '../core/attempts.ts';
import type { TaskEvent, TaskEventBody, TaskView } from '../core/task-view.ts';
import {
  capitalized,
  clockText,
  durationText,
  phaseText,
  queuePlaceText,
  threadText,
} from '../core/task-words.ts';
import type { TaskOutcome } from '../core/task.ts';
import { unwrappedCommand } from '../core/test-commands.ts';
import { context, plain, section } from './blocks.ts';
import { bold, codeBlock, codeSpan, escapeInline, renderUntrusted } from './mrkdwn.ts';
import { callbackIds } from './names.ts';
import { countText } from '../lib/count-text.ts';
import { duringCommandText } from '../core/post-text.ts';
import { outcomeText, slackMarkup } from './task-outcome.ts';

/** Slack refuses a modal above 250 kB (docs.slack.dev/reference/methods/views.open). */
const maxTextChars = 40_000;
/** Entries share a block up to this: two adjacent ones exceed it, so at most 33; Slack allows 100. */
const maxBlockChars = 2500;
const maxOutputChars = 900;
const maxPaths = 12;

/** Renders the log of a task. `events` are its newest lines, in order. The first `seq` of a log is 1. */
export function logView(view: TaskView, events: readonly TaskEvent[]): ModalView {
  const startedAt = Date.parse(view.acceptedAt);
  const shown: string[] = [];
  let chars = 0;
  let kept = 0;
  // Start at the end, because the newest entries matter most.
  for (const event of events.toReversed()) {
    const text = `\`+${clockText(event.at - startedAt)}\` ${eventText(event, view)}`;
    const [latest] = shown;
    const joins = latest !== undefined && latest.length + text.length + 1 <= maxBlockChars;
    if (chars + text.length > maxTextChars) break;
    if (joins) shown[0] = `${text}\n${latest}`;
    else shown.unshift(text);
    chars += text.length;
    kept += 1;
  }
  const notGiven = Math.max(0, (events[0]?.seq ?? 1) - 1);
  const left = notGiven + events.length - kept;
  const blocks: KnownBlock[] = [
    section(summary(view)),
    ...(left > 0 ? [context(`${countText(left, 'earlier line is', 'earlier lines are')} omitted`)] : []),
    ...(kept === 0 ? [context('Nothing has happened yet')] : []),
    ...shown.map((text) => section(text)),
  ];
  return {
    type: 'modal',
    callback_id: callbackIds.log,
    title: plain(`Task ${view.shortId}`, 24),
    close: plain('Close', 24),
    blocks,
  };
}

function summary(view: TaskView): string {
  const about =
    view.repository === null ? '' : ` · ${codeSpan(`${view.repository.owner}/${view.repository.name}`, 160)}`;
  const [firstLine = ''] = view.instruction.trim().split('\n');
  const asked = bold(escapeInline(firstLine, 300));
  return `${asked === '' ? '' : `${asked}\n`}${view.status}${about} · ${durationText(view.elapsedMs)}`;
}

function eventText({ body }: TaskEvent, { receipt }: TaskView): string {
  switch (body.kind) {
    case 'phase':
      return bold(capitalized(phaseText(body.phase)));
    case 'acknowledged':
      return 'acknowledged';
    case 'plan': {
      const done = body.plan.filter(({ status }) => status === 'completed').length;
      const now = body.plan.find(({ status }) => status === 'inProgress');
      return (
        `plan: ${done} of ${body.plan.length} ` +
        `done${now === undefined ? '' : `, now: ${escapeInline(now.step, 200)}`}`
      );
    }
    case 'thread':
      return escapeInline(threadText(body.threadId, body.resumed), 300);
    case 'command.started':
      return `runs ${codeSpan(unwrappedCommand(body.command), 300)}`;
    case 'command.finished': {
      const took = body.durationMs === null ? '' : ` after ${durationText(body.durationMs)}`;
      const output = codeBlock(body.outputTail, { maxChars: maxOutputChars, keep: 'tail' });
      const line = `${codeSpan(unwrappedCommand(body.command), 300)} exited with ${body.exitCode}${took}`;
      return `${body.exitCode === 0 ? '' : '⚠️ '}${line}${output === '' ? '' : `\n${output}`}`;
    }
    case 'files.changed': {
      const paths = body.paths.slice(0, maxPaths).map((path) => codeSpan(path, 120));
      const more = body.paths.length - paths.length;
      return `edited ${paths.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    }
    case 'message':
      return `💬 ${renderUntrusted(body.text, 1000)}`;
    case 'error':
      return `⚠️ ${escapeInline(body.text, 500)}${body.willRetry ? ' (retrying)' : ''}`;
    case 'egress.denied':
      return (
        `⛔ blocked ${codeSpan(`${body.method} ${body.host}${body.path}`, 200)}: ` +
        `${escapeInline(body.reason, 200)}${duringCommand(body, receipt)}`
      );
    case 'egress.failed':
      return (
        `⚠️ failed${body.fault === 'ours' ? ' on our side' : ''} ` +
        `${codeSpan(`${body.method} ${body.host}${body.path}`, 200)}: ${escapeInline(body.reason, 200)}`
      );
    case 'model.first-request':
      return 'first request to the model';
    case 'change':
      return `${countText(body.files, 'file')} changed, +${body.insertions} −${body.deletions}`;
    case 'queued':
      return `waiting for a free sandbox, ${queuePlaceText(body.position)}`;
    case 'note':
      return escapeInline(body.text, 500);
    case 'ended':
      return endText(body.outcome);
  }
}

/** From the receipt. Empty if several equal requests were blocked. */
function duringCommand(
  body: TaskEventBody & { kind: 'egress.denied' },
  receipt: TaskView['receipt'],
): string {
  const row = deniedRow(receipt, body);
  return row?.count === 1 ? duringCommandText(row, slackMarkup) : '';
}

function endText(outcome: TaskOutcome): string {
  return bold(outcomeText(outcome).notification.replaceAll('*', ''));
}
