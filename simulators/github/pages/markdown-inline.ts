/** Renders inline Markdown: code, links, emphasis, mentions. Escapes all other text. */
import { escapeHtml } from '../../pages/html.ts';

/**
 * Matches one inline element. A single pass with this expression prevents one rule from rewriting another's
 * output. Precedence: code, links and images, allowed tags, emphasis, bare URLs, mentions.
 */
const token = new RegExp(
  [
    '(?<ticks>`+)(?<code>[^`](?:.*?[^`])?)\\k<ticks>(?!`)',
    '!?\\[(?<label>[^\\]\\n]{0,500})\\]\\((?<href>[^\\s()]{1,2000})(?:\\s+"[^"]*")?\\)',
    '<(?<tag>/?(?:details|summary|br|kbd|sub|sup|b|strong|i|em|code))(?<open>\\s+open)?\\s*/?>',
    '\\\\(?<literal>[\\\\`*_{}\\[\\]()#+\\-.!|<>~@])',
    '\\*\\*(?<strong>\\S(?:[^*\\n]*\\S)?)\\*\\*',
    '~~(?<gone>\\S(?:[^~\\n]*\\S)?)~~',
    '(?<![\\w*])\\*(?<em>[^\\s*](?:[^*\\n]*[^\\s*])?)\\*(?![\\w*])',
    '(?<!\\w)_(?<under>[^\\s_](?:[^_\\n]*[^\\s_])?)_(?!\\w)',
    '(?<bare>https?://[^\\s<>()"\'`\\]]{1,2000}[^\\s<>()"\'`\\].,;:!?])',
    '(?<![\\w/#&])#(?<issue>\\d{1,7})\\b',
    '(?<![\\w/@.-])@(?<mention>[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?)',
  ].join('|'),
  'gi',
);

export function inline(text: string, depth = 0): string {
  // Bounds the recursion of nested emphasis.
  if (depth > 6) return escapeHtml(text);
  let html = '';
  let at = 0;
  for (const found of text.matchAll(token)) {
    html += escapeHtml(text.slice(at, found.index)) + marked(found.groups ?? {}, found[0], depth);
    at = found.index + found[0].length;
  }
  return html + escapeHtml(text.slice(at));
}

function marked(groups: Readonly<Record<string, string | undefined>>, whole: string, depth: number): string {
  const { code, label, href, tag, open, literal, strong, gone, em, under, bare, issue, mention } = groups;
  if (code !== undefined) return `<code>${escapeHtml(code.replace(/^ (.*) $/, '$1'))}</code>`;
  // Images become links, because a page must not fetch anything.
  if (label !== undefined && href !== undefined) return link(href, inline(label, depth + 1), whole);
  if (tag !== undefined) return `<${tag.toLowerCase()}${open === undefined ? '' : ' open'}>`;
  if (literal !== undefined) return escapeHtml(literal);
  if (strong !== undefined) return `<strong>${inline(strong, depth + 1)}</strong>`;
  if (gone !== undefined) return `<del>${inline(gone, depth + 1)}</del>`;
  const emphasis = em ?? under;
  if (emphasis !== undefined) return `<em>${inline(emphasis, depth + 1)}</em>`;
  if (bare !== undefined) return link(bare, escapeHtml(bare), whole);
  // Relative to the page of an issue or pull request, which redirects between the two kinds.
  if (issue !== undefined) return `<a href="../issues/${issue}">#${issue}</a>`;
  if (mention !== undefined) return `<span class="mention">@${escapeHtml(mention)}</span>`;
  return escapeHtml(whole);
}

/** Links only http(s) URLs, paths and fragments, never `javascript:` or `data:`. */
function link(href: string, html: string, whole: string): string {
  if (!/^(https?:\/\/|#|\/(?!\/))/i.test(href)) return escapeHtml(whole);
  return `<a href="${escapeHtml(href)}" rel="nofollow noopener noreferrer">${html}</a>`;
}
