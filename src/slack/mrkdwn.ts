/**
 * Escapes untrusted text for Slack's mrkdwn. The result shows text and code, but cannot notify anyone, link,
 * imitate our formatting or break out of a code span. Blocks with such text set `verbatim`, so that Slack
 * does not link bare URLs.
 *
 * Slack escapes only `&`, `<` and `>` (https://docs.slack.dev/messaging/formatting-message-text#escaping),
 * which makes `<!channel>`, `<@U1>` and `<https://…|words>` plain text. It has no escape for `*`, `_`, `~`
 * and the backtick, so those are replaced with look-alikes where they would have an effect. All limits count
 * characters after escaping, as Slack does.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { breakEmoji, zeroWidthSpace } from '../core/emoji.ts';

const ellipsis = '…';

/** Modifier letter grave accent, asterisk operator, tilde operator, modifier letter low macron. */
const graveAccent = '\u02CB';
const lookAlikes: Readonly<Record<string, string>> = { '`': graveAccent, '*': '\u2217', '~': '\u223C' };
const lowMacron = '\u02CD';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** One escaped string per character, so that cutting never splits an entity or a surrogate pair. */
type Pieces = readonly string[];

function codePieces(code: string): Pieces {
  return Array.from(code, (character) => entities[character] ?? character);
}

function prosePieces(words: string): Pieces {
  const characters = Array.from(breakEmoji(words));
  return characters.map((character, index) => {
    const wordCharacter = /[\p{L}\p{N}]/u;
    if (character === '_') {
      // Within a word it has no effect, so file names keep it.
      const inside =
        wordCharacter.test(characters[index - 1] ?? '') && wordCharacter.test(characters[index + 1] ?? '');
      return inside ? character : lowMacron;
    }
    // Slack finds `@here` and bare URLs after unescaping. A zero-width space prevents both.
    if (character === '@') return `@${zeroWidthSpace}`;
    if (character === ':' && characters[index + 1] === '/' && characters[index + 2] === '/')
      return `:${zeroWidthSpace}`;
    return entities[character] ?? lookAlikes[character] ?? character;
  });
}

/** The length of a line with its escapes, in words or in code. */
export function escapedLength(line: string): number {
  return prosePieces(line).reduce((sum, piece) => sum + piece.length, 0);
}

function fit(pieces: Pieces, maxChars: number, keep: 'head' | 'tail'): string {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length <= maxChars) return pieces.join('');
  const kept: string[] = [];
  let room = maxChars - ellipsis.length;
  for (const piece of keep === 'head' ? pieces : pieces.toReversed()) {
    if (piece.length > room) break;
    room -= piece.length;
    kept.push(piece);
  }
  return keep === 'head' ? `${kept.join('')}${ellipsis}` : `${ellipsis}${kept.toReversed().join('')}`;
}

/** Removes hidden characters and joins lines. Looks only at the start of the text, so the work is bounded. */
function oneLine(untrustedText: string, maxChars: number): string {
  return stripHiddenCharacters(untrustedText.slice(0, maxChars * 4 + 100))
    .replace(/\s+/g, ' ')
    .trim();
}

/** Escapes text to one line. */
export function escapeInline(untrustedText: string, maxChars = 300): string {
  return fit(prosePieces(oneLine(untrustedText, maxChars)), maxChars, 'head');
}

/** Cuts text to one line for `plain_text` objects (titles, buttons, options), which need no escaping. */
export function plainLine(untrustedText: string, maxChars: number): string {
  return fit(Array.from(oneLine(untrustedText, maxChars)), maxChars, 'head');
}

/** Slack cannot show backticks in inline code, so they become a look-alike. */
export function codeSpan(untrustedText: string, maxChars = 200): string {
  const line = oneLine(untrustedText, maxChars).replaceAll('`', graveAccent);
  return line === '' ? '(empty)' : `\`${fit(codePieces(line), Math.max(1, maxChars - 2), 'head')}\``;
}

// eslint-disable-next-line no-control-regex -- matches terminal escape sequences
const terminalSequences = /\u001B(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001B]{0,500}(?:\u0007|\u001B\\))/g;

/** At most `maxChars` with its fences. `keep`: which end to keep. '' for empty code. */
export function codeBlock(
  untrustedText: string,
  options: { maxChars?: number; keep?: 'head' | 'tail' } = {},
): string {
  const { maxChars = 1500, keep = 'head' } = options;
  const window = maxChars * 4 + 100;
  const part = keep === 'head' ? untrustedText.slice(0, window) : untrustedText.slice(-window);
  const code = stripHiddenCharacters(part.replace(terminalSequences, ''))
    .replace(/^\n+/, '')
    .trimEnd()
    .replace(/`{3,}/g, (run) => graveAccent.repeat(run.length));
  if (code === '') return '';
  return `\`\`\`\n${fit(codePieces(code), Math.max(1, maxChars - 8), keep)}\n\`\`\``;
}

/** Matches http(s) URLs that cannot end the link, disguise their host or run a script. */
const safeUrl =
  /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:[/?#][^\s<>|"'`\\\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}]*)?$/u;

/** Renders a link and escapes `words`. Returns only the words if `url` is not a plain http(s) URL. */
export function link(words: string, url: string, maxWords = 200): string {
  const shown = escapeInline(words, maxWords) || 'link';
  const target = url.replaceAll('&', '&amp;');
  return target.length <= 1000 && safeUrl.test(url) ? `<${target}|${shown}>` : shown;
}

/** Makes escaped text bold. '' stays ''. */
export function bold(escaped: string): string {
  return escaped === '' ? '' : `*${escaped}*`;
}

/** Renders one line of at most `maxChars`: keeps inline code and escapes the rest. */
function renderLine(line: string, maxChars: number): string {
  // Odd pieces are the content of inline code. An unpaired backtick is an ordinary character.
  let room = maxChars;
  let rendered = '';
  for (const [index, piece] of line.split(/`([^`\n]+)`/).entries()) {
    if (piece === '' || room < 4) continue;
    const shown =
      index % 2 === 1 ? codeSpan(piece, room) : fit(prosePieces(piece.replace(/\s+/g, ' ')), room, 'head');
    rendered += shown;
    room -= shown.length;
  }
  return rendered;
}

/** The characters that open the fence in which the text after `line` is; null outside of one. */
export function fenceAfter(line: string, open: string | null): string | null {
  if (open === null) return /^\s{0,12}(`{3,}|~{3,})[^`]*$/.exec(line)?.[1] ?? null;
  const trimmed = line.trim();
  return trimmed.startsWith(open) && trimmed === open.charAt(0).repeat(trimmed.length) ? null : open;
}

/** Keeps paragraphs, lists, headings (as bold) and code; shows everything else as typed. */
export function renderUntrusted(untrustedMarkdown: string, maxChars = 2900): string {
  const lines = stripHiddenCharacters(untrustedMarkdown.slice(0, maxChars * 2))
    .trim()
    .split('\n');
  const out: string[] = [];
  let room = maxChars - ellipsis.length - 1;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const opened = fenceAfter(line, null);
    let rendered: string;
    if (opened !== null) {
      const code: string[] = [];
      for (index += 1; index < lines.length; index += 1) {
        const inside = lines[index] ?? '';
        if (fenceAfter(inside, opened) === null) break;
        code.push(inside);
      }
      if (room < 20) rendered = ellipsis.repeat(room + 1);
      else rendered = codeBlock(code.join('\n'), { maxChars: room });
    } else rendered = renderTextLine(line, room);
    if (rendered.length > room) {
      out.push(ellipsis);
      break;
    }
    out.push(rendered);
    room -= rendered.length + 1;
    if (room < 20 && index < lines.length - 1) {
      out.push(ellipsis);
      break;
    }
  }
  return out
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function renderTextLine(line: string, room: number): string {
  const item = /^(\s{0,12})(?:[-*+]|(\d{1,3})[.)])\s+(.*)$/.exec(line);
  if (item !== null) {
    const indent = ' '.repeat(Math.floor((item[1] ?? '').length / 2) * 2);
    const bullet = `${indent}${item[2] === undefined ? '•' : `${item[2]}.`} `;
    return `${bullet}${renderLine(item[3] ?? '', room - bullet.length)}`;
  }
  const heading = /^\s{0,3}#{1,6}\s+(\S.*)$/.exec(line);
  if (heading !== null) return bold(renderLine((heading[1] ?? '').replaceAll('`', ''), room - 2));
  return renderLine(line.trim(), room);
}
