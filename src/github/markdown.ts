/**
 * Renders untrusted text as GitHub Markdown: words and code that cannot notify, refer, close, link, load,
 * contain HTML or forge a marker. A zero-width space stops mentions, which a backslash does not.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import { breakCommitCommands } from '../core/commit-commands.ts';
import { breakEmoji, zeroWidthSpace } from '../core/emoji.ts';
import { headOf, tailOf } from '../lib/cut-text.ts';

const ellipsis = '…';

/** Breaks @mentions, `#1`, `GH-1`, `owner/repo#1`, URLs and `www.` names, and so closing keywords. */
export function neutraliseMentions(untrustedText: string): string {
  return untrustedText
    .replaceAll('@', `@${zeroWidthSpace}`)
    .replace(/#(?=\d)/g, `#${zeroWidthSpace}`)
    .replace(/(GH-)(?=\d)/gi, `$1${zeroWidthSpace}`)
    .replaceAll('://', `:${zeroWidthSpace}//`)
    .replace(/(www)(?=\.)/gi, `$1${zeroWidthSpace}`);
}

/** Cuts to at most `maxChars` UTF-16 units without splitting a surrogate pair. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return `${headOf(text, maxChars - 1)}${ellipsis}`;
}

/** One line without hidden characters, its white space collapsed. Does not escape Markdown. */
export function singleLine(untrustedText: string, maxChars: number): string {
  const visible = stripHiddenCharacters(untrustedText.slice(0, maxChars * 4));
  return cut(visible.replace(/\s+/g, ' ').trim(), maxChars);
}

/** Returns plain text without mentions, references and commands, for a title of a pull request or commit. */
export function plainTitle(untrustedText: string, maxChars: number): string {
  return neutraliseMentions(breakCommitCommands(singleLine(untrustedText, maxChars)));
}

/** Escapes every character that Markdown or HTML may read as markup. Takes one line. */
function escapeMarkup(line: string): string {
  const markup = breakCommitCommands(breakEmoji(line))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_{}[\]()!|~$^]/g, (character) => `\\${character}`)
    // GitHub begins a formula at a dollar sign after a space, even behind a backslash.
    .replaceAll('\\$', `${zeroWidthSpace}\\$`)
    // At the start of a line these begin a heading, a list, a rule or a table.
    .replace(/^([#+\-=:])/, (character) => `\\${character}`)
    .replace(/^(\d{1,9})\./, '$1\\.');
  return neutraliseMentions(markup);
}

/** Renders untrusted text as words inside a line of ours. `maxChars` counts before escaping. */
export function escapeInline(untrustedText: string, maxChars = 300): string {
  return escapeMarkup(singleLine(untrustedText, maxChars));
}

function longestBacktickRun(text: string): number {
  let longest = 0;
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  return longest;
}

/** Inline code. `inTable` escapes bars, which end a cell; elsewhere the backslash would show. */
export function codeSpan(
  untrustedText: string,
  options: { maxChars?: number; inTable?: boolean } = {},
): string {
  const line = breakCommitCommands(singleLine(untrustedText, options.maxChars ?? 200));
  // Markdown has no empty code span.
  if (line === '') return '(empty)';
  // In a table a backslash before a bar escapes the backslash that escapes the bar.
  if (options.inTable === true && line.includes('\\|')) return `<code>${escapeMarkup(line)}</code>`;
  const ticks = '`'.repeat(longestBacktickRun(line) + 1);
  const padding = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  const content = options.inTable === true ? line.replaceAll('|', '\\|') : line;
  return `${ticks}${padding}${content}${padding}${ticks}`;
}

// eslint-disable-next-line no-control-regex -- terminal colours and titles are what is removed here
const terminalSequences = /\u001B(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001B]{0,500}(?:\u0007|\u001B\\))/g;

export interface FenceOptions {
  /** Info string. Never text from the sandbox. */
  readonly language?: 'diff' | 'json' | 'text';
  readonly maxChars?: number;
  /** Which end to keep if the text is too long. */
  readonly keep?: 'head' | 'tail';
}

/** A fenced block whose fence is longer than any run of backticks in it. */
export function fence(untrustedText: string, options: FenceOptions = {}): string {
  const maxChars = options.maxChars ?? 4000;
  const text = stripHiddenCharacters(untrustedText.replace(terminalSequences, '')).trimEnd();
  const kept =
    options.keep === 'tail' && text.length > maxChars
      ? `${ellipsis}${tailOf(text, maxChars - 1)}`
      : cut(text, maxChars);
  const ticks = '`'.repeat(Math.max(3, longestBacktickRun(kept) + 1));
  return `${ticks}${options.language ?? ''}\n${breakCommitCommands(kept)}\n${ticks}`;
}

/** Keeps inline code and escapes the rest. */
function renderLine(line: string): string {
  // Odd pieces are the insides of `code`. An unpaired backtick is an ordinary character.
  return line
    .split(/`([^`\n]+)`/)
    .map((piece, index) =>
      index % 2 === 1 ? codeSpan(piece, { maxChars: 1000 }) : escapeMarkup(piece.replace(/\s+/g, ' ')),
    )
    .join('');
}

/** With a checkbox, if it is an item of a form. */
function renderItem(text: string, form: MarkdownForm | null): string {
  const [, box, words = ''] = (form === null ? null : /^\[([ xX])\]\s+(\S.*)$/.exec(text)) ?? [];
  return box === undefined ? renderLine(text) : `[${box}] ${renderLine(words)}`;
}

const listItem = /^(\s{0,12})(?:[-*+]|(\d{1,3})[.)])\s+(.*)$/;

/** A form that somebody filled in: its checkboxes stay, and these headings. */
export interface MarkdownForm {
  readonly headings: ReadonlySet<string>;
}

/**
 * Keeps paragraphs, lists and code of a longer untrusted text. Headings become bold: no section of ours. At
 * most `maxChars` of the text, less if escapes more than double it, and a sentence that says so.
 */
export function renderUntrustedMarkdown(
  untrustedText: string,
  maxChars = 8000,
  form: MarkdownForm | null = null,
): string {
  const text = stripHiddenCharacters(untrustedText).trim();
  for (let chars = maxChars; ; chars = Math.floor(chars / 2)) {
    const rendered = renderLines(cut(text, chars), form);
    if (chars > 100 && rendered.length > 2 * maxChars) continue;
    return text.length <= chars
      ? rendered
      : `${rendered}\n\n_Shortened: the text has ${text.length} characters._`;
  }
}

function renderLines(text: string, form: MarkdownForm | null): string {
  const lines = text.split('\n');
  const maxChars = text.length;
  const out: string[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const opening = /^\s{0,12}(`{3,}|~{3,})[^`]*$/.exec(line);
    const marker = opening?.[1];
    if (marker !== undefined) {
      const code: string[] = [];
      for (index += 1; index < lines.length; index += 1) {
        const inside = lines[index] ?? '';
        const trimmed = inside.trim();
        if (trimmed.startsWith(marker) && trimmed === marker.charAt(0).repeat(trimmed.length)) break;
        code.push(inside);
      }
      out.push(fence(code.join('\n'), { maxChars }));
      continue;
    }
    const item = listItem.exec(line);
    const [, level, heading] = /^\s{0,3}(#{1,6})\s+(\S.*)$/.exec(line) ?? [];
    if (item !== null) {
      const indent = ' '.repeat(Math.floor((item[1] ?? '').length / 2) * 2);
      out.push(`${indent}${item[2] === undefined ? '-' : `${item[2]}.`} ${renderItem(item[3] ?? '', form)}`);
    } else if (heading !== undefined)
      out.push(
        form?.headings.has(heading.trim()) === true
          ? `${level} ${renderLine(heading.replace(/[\s#]+$/, ''))}`
          : `**${renderLine(heading)}**`,
      );
    else out.push(renderLine(line.trim()));
  }
  return out.join('\n');
}
