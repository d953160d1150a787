/** Renders Slack's mrkdwn as HTML. Text is escaped before markup is added. */
import { escapeHtml } from '../../pages/html.ts';
import { mrkdwnPieces, type Piece } from '../mrkdwn-pieces.ts';
import type { Site } from '../site.ts';

const fenced = /(```[\s\S]*?```)/;
const quoted = /((?:^&gt;.*(?:\n|$))+)/m;

export function mrkdwn(site: Site, text: string): string {
  // `split` with a capture group puts the matches at odd indexes.
  return text
    .split(fenced)
    .flatMap((part, index) => (index % 2 === 1 ? [inline(site, part)] : part.split(quoted).map(quotation)))
    .join('');

  function quotation(part: string, index: number): string {
    if (index % 2 === 0) return inline(site, part);
    return `<blockquote>${inline(site, part.trimEnd().replaceAll(/^&gt; ?/gm, ''))}</blockquote>`;
  }
}

function inline(site: Site, text: string): string {
  return mrkdwnPieces(text, {
    person: (id) => site.workspace.findPerson(id)?.displayName ?? null,
    channel: (id) => site.workspace.findChannel(id)?.name ?? null,
  })
    .map(pieceHtml)
    .join('');
}

function pieceHtml(piece: Piece): string {
  let html = plainHtml(piece);
  if (piece.bold) html = `<strong>${html}</strong>`;
  if (piece.italic) html = `<em>${html}</em>`;
  return piece.strike ? `<s>${html}</s>` : html;
}

function plainHtml({ kind, text, url }: Piece): string {
  const escaped = escapeHtml(text);
  switch (kind) {
    case 'block':
      return `<pre>${escaped}</pre>`;
    case 'code':
      return `<code>${escaped}</code>`;
    case 'mention':
      return `<span class="mention">${escaped}</span>`;
    case 'link':
      return `<a href="${escapeHtml(url ?? '')}" rel="noreferrer">${escaped}</a>`;
    case 'text':
      return escaped;
  }
}
