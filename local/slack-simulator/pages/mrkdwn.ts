/**
 * Slack's mrkdwn as HTML, as far as it is needed to read a message: mentions, links, bold, italic, strike, code, quotations.
 * https://docs.slack.dev/messaging/formatting-message-text
 */
import { escapeHtml } from '../../github-simulator/pages/html.ts';
import type { Site } from '../site.ts';

const block = /```([\s\S]*?)```/g;
const inline = /`([^`\n]+)`|<([^<>\n]+)>/g;

export function mrkdwn(site: Site, text: string): string {
  return split(
    text,
    block,
    (code) => `<pre>${escapeHtml(decoded(code[1] ?? ''))}</pre>`,
    (rest) =>
      split(
        rest,
        inline,
        (match) => {
          if (match[1] !== undefined) return `<code>${escapeHtml(decoded(match[1]))}</code>`;
          return reference(site, match[2] ?? '');
        },
        styled,
      ),
  );
}

/** `matched` for what the expression finds, `between` for the rest. */
function split(
  text: string,
  expression: RegExp,
  matched: (match: RegExpExecArray) => string,
  between: (text: string) => string,
): string {
  let html = '';
  let from = 0;
  for (const match of text.matchAll(expression)) {
    html += between(text.slice(from, match.index)) + matched(match);
    from = match.index + match[0].length;
  }
  return html + between(text.slice(from));
}

/** What is between angle brackets: a person, a channel, a broadcast or a link. */
function reference(site: Site, inside: string): string {
  const [target = '', label] = inside.split('|');
  const mention = (name: string): string => `<span class="mention">${escapeHtml(name)}</span>`;
  if (target.startsWith('@'))
    return mention(`@${site.workspace.findPerson(target.slice(1))?.displayName ?? label ?? target.slice(1)}`);
  if (target.startsWith('#'))
    return mention(`#${site.workspace.findChannel(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  if (target.startsWith('!')) return mention(label ?? `@${target.slice(1)}`);
  if (/^(https?:\/\/|mailto:)/.test(target))
    return `<a href="${escapeHtml(decoded(target))}" rel="noreferrer">${escapeHtml(decoded(label ?? target))}</a>`;
  return escapeHtml(decoded(`<${inside}>`));
}

function styled(text: string): string {
  return escapeHtml(decoded(text))
    .replaceAll(/(^|[\s(])\*([^*\n]+)\*(?=$|[\s).,:;!?])/gm, '$1<strong>$2</strong>')
    .replaceAll(/(^|[\s(])_([^_\n]+)_(?=$|[\s).,:;!?])/gm, '$1<em>$2</em>')
    .replaceAll(/(^|[\s(])~([^~\n]+)~(?=$|[\s).,:;!?])/gm, '$1<s>$2</s>')
    .replaceAll(/^&gt; ?(.*)$/gm, '<blockquote>$1</blockquote>');
}

/** Slack's three entities; others are text. */
function decoded(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
