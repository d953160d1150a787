/**
 * The `rich_text` block of typed text: mentions, links, channels, broadcasts; no styles.
 * https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
 */
import type { Json } from '../json-values.ts';

const token = /<(@|#|!|https?:\/\/|mailto:)([^>|]*)(?:\|([^>]*))?>/g;

export function richText(text: string): readonly Json[] {
  const elements: Json[] = [];
  let from = 0;
  for (const match of text.matchAll(token)) {
    addText(elements, text.slice(from, match.index));
    elements.push(element(match[1] ?? '', match[2] ?? '', match[3]));
    from = match.index + match[0].length;
  }
  addText(elements, text.slice(from));
  return [{ type: 'rich_text', block_id: 'typed', elements: [{ type: 'rich_text_section', elements }] }];
}

function element(kind: string, inside: string, label: string | undefined): Json {
  switch (kind) {
    case '@':
      return { type: 'user', user_id: inside };
    case '#':
      return { type: 'channel', channel_id: inside };
    case '!':
      return inside.startsWith('subteam^')
        ? { type: 'usergroup', usergroup_id: inside.slice('subteam^'.length) }
        : { type: 'broadcast', range: inside };
    default:
      return { type: 'link', url: `${kind}${inside}`, ...(label === undefined ? {} : { text: label }) };
  }
}

function addText(elements: Json[], encoded: string): void {
  if (encoded === '') return;
  const text = encoded.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  elements.push({ type: 'text', text });
}
