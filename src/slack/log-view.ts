/** A task's log as a modal. Pure data. */
import type { ModalView } from '@slack/types';
import type { TaskEvent, TaskView } from '../core/task-view.ts';
import { escapeInline } from './mrkdwn.ts';
import { callbackIds } from './names.ts';

export function logView(view: TaskView, events: readonly TaskEvent[]): ModalView {
  return {
    type: 'modal',
    callback_id: callbackIds.log,
    title: { type: 'plain_text', text: `Task ${view.shortId}`, emoji: false },
    close: { type: 'plain_text', text: 'Close', emoji: false },
    blocks: [
      {
        type: 'section',
        text: { type: 'mrkdwn', text: escapeInline(`${events.length} lines`), verbatim: true },
      },
    ],
  };
}
