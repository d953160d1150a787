/** Renders a task's post within Slack's limits for any view. Mentions only the requester. */
import type { ActionsBlock, Button, KnownBlock } from '@slack/types';
import { isOutsiderReason } from '../core/access/slack-access.ts';
import {
  commandLine,
  evidenceText,
  failedLines,
  footerText,
  hasWordsOfModel,
  latestCommand,
  planLines,
  reachedText,
  standingLine,
  stepsText,
} from '../core/post-text.ts';
import { reportedHeading } from '../core/reported.ts';
import { routedByWords } from '../core/access/route.ts';
import { setupLine } from '../core/setup-view.ts';
import type { TaskView } from '../core/task-view.ts';
import { capitalized, standingText } from '../core/task-words.ts';
import type { RepositoryRef, SlackTrigger } from '../core/task.ts';
import { button, confirmation, context, fitLines, maxSectionChars, plain, section } from './blocks.ts';
import { bold, codeSpan, escapeInline, link } from './mrkdwn.ts';
import { actionIds, chooseButtonId, choiceBlockId } from './names.ts';
import {
  cautionText,
  deniedSection,
  maxOutcomeText,
  outcomeText,
  remedyOfEnd,
  slackMarkup,
} from './task-outcome.ts';

export interface TaskMessage {
  /** The text for notifications and screen readers. Never empty. */
  readonly text: string;
  readonly blocks: KnownBlock[];
  /** One line of mrkdwn with the link to the result, for when Slack refuses the blocks. */
  readonly brief: string;
}

/** Above this number of choices, a searchable menu replaces the buttons. */
const maxChoiceButtons = 5;

/** What Slack takes in a message, in characters of its blocks as JSON; less than what was measured. */
const maxBlocksChars = 12_000;

/** Renders the post of a task. `trigger` names the requester to mention; `taskUrl`: the task's page. */
export function taskMessage(
  view: TaskView,
  trigger: SlackTrigger,
  taskUrl: string | null = null,
): TaskMessage {
  for (let room = maxOutcomeText; ; room /= 2) {
    const message = messageWith(view, trigger, room, taskUrl);
    if (room < 500 || JSON.stringify(message.blocks).length <= maxBlocksChars) return message;
  }
}

/** `room`: characters of the outcome's text, or of the plan. */
function messageWith(
  view: TaskView,
  trigger: SlackTrigger,
  room: number,
  taskUrl: string | null,
): TaskMessage {
  if (view.outcome?.kind === 'answered') {
    const { texts, notification } = outcomeText(view.outcome, room);
    return {
      text: notification,
      brief: notification,
      blocks: (texts.length === 0 ? [''] : texts).map((text) => section(text)),
    };
  }
  const message =
    view.outcome === null && view.status !== 'ended'
      ? view.choices === null
        ? runningMessage(view, room)
        : choiceMessage(view, view.choices)
      : endedMessage(view, room);
  return {
    text: message.text,
    brief:
      view.outcome?.kind === 'pull-request'
        ? outcomeText(view.outcome).headline.replace('\n', ' – ')
        : message.text,
    blocks: [
      section(requestLine(view, trigger)),
      ...(view.repository === null ? [] : [repositoryBlock(view, view.repository)]),
      ...message.blocks,
      context(footerText(view, slackMarkup) + (taskUrl === null ? '' : ` · ${link('page', taskUrl)}`)),
    ],
  };
}

/**
 * The request, with the only mention in the message. Its user id comes from a payload that Slack signed. Who
 * asked on a page is not known in Slack.
 */
function requestLine(view: TaskView, trigger: SlackTrigger): string {
  const [firstLine = ''] = view.instruction.trim().split('\n');
  const asked = escapeInline(firstLine, 500);
  const who =
    view.repeats === null
      ? `<@${trigger.userId}> asked`
      : `${escapeInline(view.requester ?? '', 100)} asked again, on the task’s page`;
  return asked === '' ? who : `${who}: ${bold(asked)}`;
}

/** The repository, the reason for it, and a button to change it while the task runs. */
function repositoryBlock(view: TaskView, repository: RepositoryRef): KnownBlock {
  const parts = [codeSpan(fullName(repository), 160)];
  if (view.continues !== null)
    parts.push(`continues ${link(`pull request ${view.continues.number}`, view.continues.url)}`);
  if (view.routedBy !== null) parts.push(escapeInline(routedByWords(view.routedBy)));
  const changeable = view.status !== 'ended' && view.outcome === null;
  return section(
    parts.join(' · '),
    changeable ? button(actionIds.change, 'Change', { taskId: view.taskId }) : undefined,
  );
}

function runningMessage(view: TaskView, room: number): Omit<TaskMessage, 'brief'> {
  const { progress } = view;
  const blocks: KnownBlock[] = [section(standingLine(view, slackMarkup))];
  const plan = planLines(progress?.plan ?? [], slackMarkup, planMarks);
  const latest = latestCommand(view);
  const reported = [
    setupLine(view.setup),
    progress === null ? '' : stepsText(progress),
    fitLines(plan, Math.min(room, maxSectionChars), (more) => `and ${more} more`),
    latest === null ? '' : commandLine(latest, view, slackMarkup),
  ].filter((text) => text !== '');
  // Each is a section of its own, because together they can be longer than a section may be.
  if (reported.length > 0)
    blocks.push(context(`${reportedHeading}:`), ...reported.map((text) => section(text)));
  const denied = deniedSection(view.receipt);
  if (denied !== '') blocks.push(section(denied));
  const failed = failedText(view);
  if (failed !== '') blocks.push(context(failed));
  blocks.push(actions([cancelButton(view), logButton(view)]));
  const about = view.repository === null ? '' : ` on ${escapeInline(fullName(view.repository), 160)}`;
  return { text: `⏳ ${capitalized(standingText(view))}${about}`, blocks };
}

const planMarks = { completed: '☑', inProgress: '▶', pending: '☐', more: '' } as const;

function choiceMessage(view: TaskView, choices: readonly RepositoryRef[]): Omit<TaskMessage, 'brief'> {
  const question = 'Which repository is this about?';
  const few = choices.length <= maxChoiceButtons;
  const choice: ActionsBlock | null =
    choices.length === 0
      ? null
      : few
        ? actions(
            choices.map((repository, index) =>
              button(chooseButtonId(index + 1), fullName(repository), {
                taskId: view.taskId,
                repository,
              }),
            ),
          )
        : {
            type: 'actions',
            block_id: choiceBlockId(view.taskId),
            elements: [
              {
                type: 'external_select',
                action_id: actionIds.choose,
                min_query_length: 0,
                placeholder: plain('Search repositories', 150),
              },
            ],
          };
  return {
    text: question,
    blocks: [
      section(`❓ ${bold(question)} Choose one to start the task.`),
      ...(choice === null ? [] : [choice]),
      actions([cancelButton(view)]),
    ],
  };
}

function endedMessage(view: TaskView, room: number): Omit<TaskMessage, 'brief'> {
  const { outcome } = view;
  if (outcome === null)
    return { text: 'The task has ended', blocks: [section(bold('Ended')), actions([logButton(view)])] };
  const { headline, texts, notification } = outcomeText(outcome, room);
  const evidence = evidenceText(view, slackMarkup);
  const denied = deniedSection(view.receipt);
  const sections = (parts: readonly string[]): KnownBlock[] =>
    parts.filter((part) => part !== '').map((part) => section(part));
  const blocks = sections([cautionText(view.receipt), headline, ...texts]);
  // Below the words of the model, which could write the like.
  const remedy = outcome.kind === 'no-change' ? remedyOfEnd(outcome) : '';
  const below = sections([remedy, evidence, denied]);
  if (hasWordsOfModel(outcome) && below.length > 0) blocks.push({ type: 'divider' });
  blocks.push(...below);
  for (const line of [failedText(view), reachedText(view.receipt, slackMarkup)])
    if (line !== '') blocks.push(context(line));
  const buttons = buttonsAfter(view);
  return { text: notification, blocks: buttons.length === 0 ? blocks : [...blocks, actions(buttons)] };
}

const failedText = (view: TaskView): string => failedLines(view, slackMarkup).join('\n');

function buttonsAfter(view: TaskView): Button[] {
  const { outcome } = view;
  const buttons: Button[] = [];
  if (outcome?.kind === 'held' && outcome.changeHash !== null) {
    buttons.push(
      button(
        actionIds.approve,
        'Approve',
        { taskId: view.taskId, changeHash: outcome.changeHash },
        {
          style: 'primary',
          confirm: confirmation({
            title: 'Publish this change?',
            text:
              'The change was held for a reason, so review it first. Once published, it can run in ' +
              `${view.repository === null ? 'the repository' : fullName(view.repository)} like any other ` +
              'change.',
            confirm: 'Publish',
            deny: 'Not now',
          }),
        },
      ),
    );
  }
  const opensAnother = outcome?.kind === 'pull-request';
  // Nobody outside the workspace can ask for anything, so they cannot retry.
  if (outcome?.kind !== 'refused' || !isOutsiderReason(outcome.reason))
    buttons.push(
      button(
        actionIds.retry,
        'Retry',
        { taskId: view.taskId },
        opensAnother ? { confirm: confirmation(retryQuestion) } : {},
      ),
    );
  // A refused task has no log worth reading.
  if (outcome?.kind !== 'refused') buttons.push(logButton(view));
  return buttons;
}

const retryQuestion = {
  title: 'Run this task again?',
  text: 'Codex has already finished this task. Running it again opens a second pull request.',
  confirm: 'Run it again',
  deny: 'Do not run it',
};

function cancelButton(view: TaskView): Button {
  return button(
    actionIds.cancel,
    'Cancel',
    { taskId: view.taskId },
    {
      style: 'danger',
      confirm: confirmation(
        {
          title: 'Cancel this task?',
          text: 'The work of Codex so far will be discarded.',
          confirm: 'Cancel the task',
          deny: 'Keep it running',
        },
        'danger',
      ),
    },
  );
}

function logButton(view: TaskView): Button {
  return button(actionIds.log, 'Open log', { taskId: view.taskId });
}

function actions(elements: Button[]): ActionsBlock {
  return { type: 'actions', elements };
}

function fullName(repository: RepositoryRef): string {
  return `${repository.owner}/${repository.name}`;
}
