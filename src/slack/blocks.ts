/** Builds Block Kit within Slack's limits. mrkdwn parameters must be escaped already. */
import type { Button, ConfirmationDialog, ContextBlock, PlainTextElement, SectionBlock } from '@slack/types';
import { plainLine } from './mrkdwn.ts';
import type { ButtonValue } from './names.ts';

/** Characters of a section's text: docs.slack.dev/reference/block-kit/blocks/section-block */
export const maxSectionChars = 3000;

/** A plain text object, cut to `maxChars`. Shows “…” for empty text, which Slack refuses. */
export function plain(text: string, maxChars: number): PlainTextElement {
  return { type: 'plain_text', text: plainLine(text, maxChars) || '…', emoji: false };
}

/** A section. `verbatim` stops Slack from linking URLs, channels and user names in the text. */
export function section(mrkdwn: string, accessory?: Button): SectionBlock {
  return {
    type: 'section',
    text: { type: 'mrkdwn', text: mrkdwn === '' ? '…' : mrkdwn, verbatim: true },
    ...(accessory === undefined ? {} : { accessory }),
  };
}

/** A context block. `verbatim` as in `section`. */
export function context(mrkdwn: string): ContextBlock {
  return {
    type: 'context',
    elements: [{ type: 'mrkdwn', text: mrkdwn === '' ? '…' : mrkdwn, verbatim: true }],
  };
}

/** A confirmation dialog. Cuts title, text, confirm and deny to 100, 300, 30 and 30 characters. */
export function confirmation(
  asks: { title: string; text: string; confirm: string; deny: string },
  style?: 'danger' | 'primary',
): ConfirmationDialog {
  return {
    title: plain(asks.title, 100),
    text: plain(asks.text, 300),
    confirm: plain(asks.confirm, 30),
    deny: plain(asks.deny, 30),
    ...(style === undefined ? {} : { style }),
  };
}

/** A button. Cuts its label to 75 characters. */
export function button(
  actionId: string,
  words: string,
  value: ButtonValue,
  more: { style?: 'danger' | 'primary'; confirm?: ConfirmationDialog } = {},
): Button {
  return {
    type: 'button',
    action_id: actionId,
    text: plain(words, 75),
    value: JSON.stringify(value),
    ...(more.style === undefined ? {} : { style: more.style }),
    ...(more.confirm === undefined ? {} : { confirm: more.confirm }),
  };
}

/** Joins as many lines as fit into `maxChars`, and appends `more` with the number of omitted lines. */
export function fitLines(lines: readonly string[], maxChars: number, more: (left: number) => string): string {
  if (lines.join('\n').length <= maxChars) return lines.join('\n');
  const room = maxChars - more(lines.length).length - 1;
  const kept: string[] = [];
  let used = 0;
  for (const line of lines) {
    if (used + line.length + 1 > room) break;
    kept.push(line);
    used += line.length + 1;
  }
  return [...kept, more(lines.length - kept.length)].join('\n');
}
