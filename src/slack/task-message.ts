/** The one message of a task as Block Kit. Pure data. */
import type { KnownBlock } from '@slack/types';
import type { TaskView } from '../core/task-view.ts';
import type { SlackTrigger } from '../core/task.ts';
import { escapeInline } from './mrkdwn.ts';

export function taskMessage(view: TaskView, trigger: SlackTrigger): { text: string; blocks: KnownBlock[] } {
  const text = `<@${trigger.userId}> asked: ${escapeInline(view.instruction)}`;
  return { text, blocks: [{ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } }] };
}
