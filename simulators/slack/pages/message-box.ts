/** Renders a message as HTML: blocks, buttons, reactions. Text is escaped before markup is added. */
import { escapeHtml } from '../../pages/html.ts';
import { plainText } from '../blocks.ts';
import type { EphemeralView } from '../contract-views.ts';
import type { StoredMessage } from '../journal.ts';
import { isJson, jsonOf, listOf, textOf, type Json } from '../json-values.ts';
import type { Site } from '../site.ts';
import { mrkdwn } from './mrkdwn.ts';

/** The reactions that the bot adds or handles. Any other is shown by name. */
const reactionEmoji: Readonly<Record<string, string>> = { eyes: '👀', x: '❌' };

export function messageBox(site: Site, message: StoredMessage): string {
  const { document, versions } = message;
  const changed = versions.length - 1;
  const edits = changed === 0 ? '' : ` · changed ${changed === 1 ? 'once' : `${changed} times`}`;
  const reactions = [...message.reactions].map(
    ([name, users]) =>
      `<span title="${escapeHtml(names(site, users))}">${reactionEmoji[name] ?? `:${escapeHtml(name)}:`} ${users.size}</span>`,
  );
  const files = listOf(document['files']).map(
    (file) => `<div class="context">📎 ${escapeHtml(textOf(file['name']))}</div>`,
  );
  const row = reactions.length === 0 ? '' : `<div class="reactions">${reactions.join('')}</div>`;
  return box(site, message.userId, message.ts, edits, content(site, document) + files.join('') + row);
}

export function ephemeralBox(site: Site, shown: EphemeralView): string {
  const reader = site.workspace.findPerson(shown.userId)?.displayName ?? shown.userId;
  const blocks = shown.blocks.map((block) => ({ ...block }));
  return box(
    site,
    site.workspace.bot.id,
    shown.ts,
    ` · only for ${reader}`,
    content(site, { text: shown.text, blocks }),
  );
}

function box(site: Site, userId: string, ts: string, note: string, html: string): string {
  const person = site.workspace.findPerson(userId);
  const name = person?.displayName ?? userId;
  const bot = person?.kind === 'bot' ? ' bot' : '';
  const hue = Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) % 360, 7);
  const at = new Date(Number(ts.split('.')[0]) * 1000).toISOString().slice(11, 19);
  return `<article class="entry" id="p${escapeHtml(ts.replace('.', ''))}"><span class="face${bot}" style="background:hsl(${hue} 45% 42%)" aria-hidden="true">${escapeHtml(name.slice(0, 1))}</span><div>
<div><span class="who">${escapeHtml(name)}</span><span class="when">${at}${escapeHtml(note)}</span></div>${html}</div></article>`;
}

function names(site: Site, ids: Iterable<string>): string {
  return [...ids].map((id) => site.workspace.findPerson(id)?.displayName ?? id).join(', ');
}

function content(site: Site, document: Json): string {
  const blocks = listOf(document['blocks']).filter(({ type }) => type !== 'rich_text');
  if (blocks.length === 0) return `<div class="text">${mrkdwn(site, textOf(document['text']))}</div>`;
  return blocks.map((block) => blockHtml(site, block)).join('');
}

function blockHtml(site: Site, block: Json): string {
  const text = (value: unknown): string => {
    const { type } = jsonOf(value);
    return type === 'mrkdwn' ? mrkdwn(site, plainText(value)) : escapeHtml(plainText(value));
  };
  switch (block['type']) {
    case 'divider':
      return '<hr>';
    case 'header':
      return `<div class="block header">${text(block['text'])}</div>`;
    case 'context':
      return `<div class="block context">${listOf(block['elements']).map(text).join(' ')}</div>`;
    case 'actions':
      return `<div class="block">${listOf(block['elements']).map(element).join('')}</div>`;
    default: {
      const fields = listOf(block['fields']).map((field) => `<div class="text">${text(field)}</div>`);
      const accessory = isJson(block['accessory']) ? element(block['accessory']) : '';
      const columns = fields.length === 0 ? '' : `<div class="fields">${fields.join('')}</div>`;
      return `<div class="block"><div class="text">${text(block['text'])}</div>${columns}${accessory}</div>`;
    }
  }
}

function element(of: Json): string {
  const style = of['style'] === 'primary' || of['style'] === 'danger' ? ` ${of['style']}` : '';
  const label = plainText(of['text']) || plainText(of['placeholder']) || textOf(of['type']);
  const url = textOf(of['url']);
  const button = `<span class="button${style}">${escapeHtml(label)}</span>`;
  return /^https?:\/\//.test(url) ? `<a href="${escapeHtml(url)}" rel="noreferrer">${button}</a>` : button;
}
