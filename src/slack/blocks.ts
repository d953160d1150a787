/** Pieces of Block Kit within Slack's limits. Decides nothing about what they say; texts come in escaped, unless they are plain. */
import type { Button, ConfirmationDialog, ContextBlock, PlainTextElement, SectionBlock } from '@slack/types';
import { plainLine } from './mrkdwn.ts';
import type { ButtonValue } from './names.ts';

/** Characters of a section's text: https://docs.slack.dev/reference/block-kit/blocks/section-block. */
export const maxSectionChars = 3000;

/** Slack refuses empty text, so that there always is some. */
export function plain(text: string, maxChars: number): PlainTextElement {
  return { type: 'plain_text', text: plainLine(text, maxChars) || '…', emoji: false };
}

/** `verbatim`: Slack shows the text as it is, and links no address, channel or name that merely stands in it. */
export function section(mrkdwn: string, accessory?: Button): SectionBlock {
  return {
    type: 'section',
    text: { type: 'mrkdwn', text: mrkdwn === '' ? '…' : mrkdwn, verbatim: true },
    ...(accessory === undefined ? {} : { accessory }),
  };
}

export function context(mrkdwn: string): ContextBlock {
  return {
    type: 'context',
    elements: [{ type: 'mrkdwn', text: mrkdwn === '' ? '…' : mrkdwn, verbatim: true }],
  };
}

/** All texts plain. Title, question, yes and no: at most 100, 300, 30 and 30 characters. */
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

/** As many lines as fit; `more` says how many do not. A line that is too long by itself is the caller's mistake and is left out. */
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
