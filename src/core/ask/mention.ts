/**
 * Decides whether a comment or an issue addresses the bot, and reads what it asks. `authorize.ts` decides
 * whether the person may.
 *
 * - `readMention` decides, on the text that GitHub displays. `parseMention` is the filter in front of it, on
 *   the Markdown that the webhook delivers: it lets a text pass rather than lose a mention.
 * - A mention is a word of its own: `@airlock` or `@airlock[bot]` in any case, with white space, punctuation
 *   or letters of another script around it. It does not count in code and quotations. The first mention
 *   counts that asks for something.
 * - The instruction is everything that the person wrote, before and after the mention, code and quotations
 *   included, without the mention and its options: `split() is off by one. @airlock fix it` must not lose its
 *   first sentence.
 * - Options follow the mention directly, on its line. Later in the text `--flag` is prose.
 * - Commands are those of `instruction.ts`. A mention in passing (`starts-nothing.ts`) starts nothing.
 */
import { stripHiddenCharacters } from './hidden-characters.ts';
import {
  afterName,
  beforeQuestion,
  questionStart,
  commandIn,
  copied,
  cutInstruction,
  nothingAsked,
  runIn,
} from './instruction.ts';
import { readOptions } from './options.ts';
import { inPassing, type NotAsked } from './starts-nothing.ts';
import type { TaskOptions, TaskRequest } from '../task.ts';

/** Replaces a character of code: it is not white space and cannot be part of a mention. */
export const code = '\uFFFC';

/** A text as people see it. */
export interface Displayed {
  readonly text: string;
  /** As long as `text`. Where a mention does not count, code is replaced by `code`, a quotation by spaces. */
  readonly addressable: string;
}

export type Mention =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'mention';
      readonly ask: TaskRequest['ask'];
      readonly instruction: string;
      readonly options: TaskOptions;
    };

/**
 * Blanks what is plainly a quotation, a fenced code block or a comment, as in the templates of issues;
 * positions stay the same. Lets everything else pass, also where it may be code. Does not know raw HTML, in
 * which GitHub shows the marks of a quotation and of code as they are written.
 */
function plainlyAddressable(markdown: string): string {
  const lines = markdown.split('\n');
  const kept: string[] = [];
  let fence: { readonly marker: string; readonly columns: number; readonly from: number } | null = null;
  /** The line where an open comment begins. */
  let commentFrom: number | null = null;
  const blankSince = (from: number): void => {
    for (let at = from; at < kept.length; at += 1) kept[at] = ' '.repeat(kept[at]?.length ?? 0);
  };
  for (const line of lines) {
    const columns = line.length - line.trimStart().length;
    const content = line.trim();
    const closes = fence !== null && new RegExp(`^${fence.marker}${fence.marker.charAt(0)}*$`).test(content);
    // Another line with fewer columns ends the list item that the fence is in.
    if (fence !== null && !closes && content !== '' && columns < fence.columns) fence = null;
    const opensComment = commentFrom === null && fence === null && /^ {0,3}<!--/.test(line);
    if (opensComment) commentFrom = kept.length;
    // Only what is closed is blanked: the end of a list can end it too.
    if (commentFrom !== null) {
      const close = line.indexOf('-->', opensComment ? columns + 2 : 0);
      kept.push(line);
      if (close === -1) continue;
      blankSince(commentFrom);
      kept[kept.length - 1] = ' '.repeat(close + 3) + line.slice(close + 3);
      commentFrom = null;
    } else if (fence !== null) {
      kept.push(line);
      if (!closes) continue;
      blankSince(fence.from);
      fence = null;
    } else if (/^ {0,3}>/.test(line)) kept.push(' '.repeat(line.length));
    else {
      const marker = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/.exec(line)?.[1];
      if (marker !== undefined) fence = { marker, columns, from: kept.length };
      kept.push(withoutInlineCode(line));
    }
  }
  return kept.join('\n');
}

/** A character that can be part of an address, a path or a name in front of the `@`. */
const joinsBefore = `[A-Za-z0-9./\\\\@＠${code}+=&#%~-]|(?=\\p{L})\\p{scx=Latn}|\\p{M}`;
const invisible = '\\p{Default_Ignorable_Code_Point}';
/** White space, punctuation before what is no domain, or a character of another script: `@airlock、直して`. */
const nameEnd =
  `${invisible}{0,4}(?:$|\\s|[.,:;!?)\\]}"'”’*_<…–—]{1,8}(?:$|\\s|<|[^\\x00-\\x7F])|[,;:!?)][\\p{L}\\p{N}]|` +
  `(?![’‐‑·＿\\p{M}${code}]|${invisible}|(?=\\p{L})\\p{scx=Latn})[^\\x00-\\x7F])`;

/** Only where the backticks of a line pair up: another can belong to the line before. */
function withoutInlineCode(line: string): string {
  const isPlain = !/``|\\`/.test(line) && line.split('`').length % 2 === 1;
  return isPlain ? line.replace(/`[^`]*`/g, (span) => code.repeat(span.length)) : line;
}

/** Mentions that are looked at. A list of changes can credit the bot in each line. */
const maxMentions = 500;

interface Found {
  readonly start: number;
  readonly end: number;
  readonly passing: NotAsked | null;
}

/** The first mention that asks for something, or else the first one. */
function findMention(visible: string, handle: string): Found | null {
  const name = handle.replace(/[^a-z0-9-]/gi, '');
  const pattern = new RegExp(`(?<!${joinsBefore})[@＠]${name}(?:\\[bot\\])?(?=${nameEnd})`, 'giu');
  let first: Found | null = null;
  for (let n = 0; n < maxMentions; n += 1) {
    const match = pattern.exec(visible);
    if (match === null) break;
    const [start, end] = [match.index, match.index + match[0].length];
    const passing = inPassing(visible.slice(0, start), visible.slice(end));
    if (passing === null) return { start, end, passing };
    first ??= { start, end, passing };
  }
  return first;
}

/** What a mention without words asks: nothing, or what else the person wrote, as in an issue's title. */
export type Alone = 'asks-nothing' | 'asks-the-rest';

/** For the event by which a text arrived. */
export function aloneIn(event: string): Alone {
  return event === 'issue_comment' || event === 'review_comment' ? 'asks-nothing' : 'asks-the-rest';
}

/** `handle` is the configured name without `@`. Linear in the length of the text. */
export function parseMention(untrustedMarkdown: string, handle: string, alone?: Alone): Mention {
  const text = stripHiddenCharacters(untrustedMarkdown);
  return readMention({ text, addressable: plainlyAddressable(text) }, handle, alone);
}

/** As `parseMention`, for a text as it is displayed. */
export function readMention(
  { text, addressable }: Displayed,
  handle: string,
  alone: Alone = 'asks-nothing',
): Mention {
  const mention = findMention(addressable, handle);
  if (mention === null || mention.passing === 'silent') return { kind: 'none' };

  const comma = afterName.exec(addressable.slice(mention.end, mention.end + 9))?.[0].length ?? 0;
  const lineEnd = text.indexOf('\n', mention.end);
  const line = text.slice(0, lineEnd === -1 ? text.length : lineEnd);
  const read = readOptions(line, mention.end + comma);
  const after = read.kind === 'options' ? read.end : mention.end + comma;
  const gap = /^\s*/.exec(addressable.slice(after))?.[0].length ?? 0;
  const ask = beforeQuestion.exec(addressable.slice(after + gap, after + gap + questionStart))?.[0];
  const words = ask === undefined ? after : after + gap + ask.length;
  const instruction = cutInstruction(`${text.slice(0, mention.start)}${text.slice(words)}`.trim());
  if (read.kind === 'invalid') {
    return { kind: 'mention', ask: { kind: 'invalid', message: read.message }, instruction, options: {} };
  }
  if (ask !== undefined && mention.passing === null) {
    return { kind: 'mention', ask: { kind: 'run', job: 'question' }, instruction, options: read.options };
  }
  const said = `${addressable.slice(0, mention.start)} ${addressable.slice(after)}`;
  const command =
    mention.passing === 'copied'
      ? copied
      : mention.passing === 'empty'
        ? { 'asks-nothing': nothingAsked, 'asks-the-rest': null }[alone]
        : commandIn(said);
  return {
    kind: 'mention',
    ask: command ?? runIn(said),
    instruction: command === null ? instruction : '',
    options: read.options,
  };
}
