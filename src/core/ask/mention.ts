/**
 * Decides whether a comment or an issue addresses the bot, and reads what it asks. `authorize.ts` decides
 * whether the person may.
 *
 * - A mention is a word of its own: `@airlock` or `@airlock[bot]` in any case, with white space, punctuation
 *   or letters of another script around it. It does not count in code, quotations (including lazy lines, as
 *   GitHub shows them) and HTML comments. The first mention counts.
 * - The instruction is everything that the person wrote, before and after the mention, code and quotations
 *   included, without the mention, its options and hidden text: `split() is off by one. @airlock fix it` must
 *   not lose its first sentence.
 * - Options follow the mention directly, on its line. Later in the text `--flag` is prose.
 * - Commands are those of `instruction.ts`. A mention in passing (`in-passing.ts`) starts nothing.
 */
import { lowerAscii, stripHidden } from './hidden-text.ts';
import { inPassing } from './in-passing.ts';
import { afterName, commandIn, copied, cutInstruction } from './instruction.ts';
import { segmentMarkdown } from './markdown-segments.ts';
import { readOptions } from './options.ts';
import type { TaskOptions, TaskRequest } from '../task.ts';

export type Mention =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'mention';
      readonly ask: TaskRequest['ask'];
      readonly instruction: string;
      readonly options: TaskOptions;
    };

/** Replaces a character of code: it is not white space and cannot be part of a mention. */
const code = '\uFFFC';

/** Elements whose content GitHub shows as code or as somebody else's words. */
const quotingElement = /<(pre|code|kbd|samp|blockquote)(?=[\s>])/gi;

/** Blanks out everything in which a mention does not count; positions stay the same. */
function addressable(markdown: string): string {
  let visible = '';
  for (const { start, end, kind, quoted } of segmentMarkdown(markdown)) {
    if (kind === 'text' && !quoted) visible += markdown.slice(start, end);
    else if (kind !== 'code' || quoted) visible += ' '.repeat(end - start);
    // A code block ends in a line break, which is white space before the next line's mention.
    else visible += `${code.repeat(end - start - 1)}${markdown[end - 1] === '\n' ? '\n' : code}`;
  }
  const lower = lowerAscii(visible);
  let kept = '';
  let done = 0;
  quotingElement.lastIndex = 0;
  for (let open = quotingElement.exec(visible); open !== null; open = quotingElement.exec(visible)) {
    const close = lower.indexOf(`</${(open[1] ?? '').toLowerCase()}>`, open.index);
    const end = close === -1 ? visible.length : close;
    kept += visible.slice(done, open.index) + code.repeat(end - open.index);
    done = end;
    quotingElement.lastIndex = end;
  }
  return kept + visible.slice(done);
}

/** A character that can be part of an address, a path or a name in front of the `@`. */
const joinsBefore = `[A-Za-z0-9./\\\\@＠${code}+=&#%~-]|(?=\\p{L})\\p{scx=Latn}|\\p{M}`;
const invisible = '\\p{Default_Ignorable_Code_Point}';
/**
 * What ends the name: white space, punctuation before a word that cannot be a domain, or a character that no
 * login contains, as in `@airlock、直して` and `@airlock直して`. Not hyphens, apostrophes, accents.
 */
const nameEnd =
  `${invisible}{0,4}(?:$|\\s|[.,:;!?)\\]}"'”’*_<…–—]{1,8}(?:$|\\s|<|[^\\x00-\\x7F])|[,;:!?)][\\p{L}\\p{N}]|` +
  `(?![’‐‑·＿\\p{M}${code}]|${invisible}|(?=\\p{L})\\p{scx=Latn})[^\\x00-\\x7F])`;

function findMention(visible: string, handle: string): { start: number; end: number } | null {
  const name = handle.replace(/[^a-z0-9-]/gi, '');
  const pattern = new RegExp(`(?<!${joinsBefore})[@＠]${name}(?:\\[bot\\])?(?=${nameEnd})`, 'iu');
  const found = pattern.exec(visible);
  return found === null ? null : { start: found.index, end: found.index + found[0].length };
}

/** `handle` is the configured name without `@`. Linear in the length of the text. */
export function parseMention(untrustedMarkdown: string, handle: string): Mention {
  const markdown = untrustedMarkdown.replace(/\r\n?/g, '\n');
  const visible = addressable(markdown);
  const mention = findMention(visible, handle);
  if (mention === null) return { kind: 'none' };

  const passing = inPassing(visible.slice(0, mention.start), visible.slice(mention.end));
  if (passing === 'thanks') return { kind: 'none' };

  const comma = afterName.exec(visible.slice(mention.end, mention.end + 9))?.[0].length ?? 0;
  const lineEnd = markdown.indexOf('\n', mention.end);
  const line = markdown.slice(0, lineEnd === -1 ? markdown.length : lineEnd);
  const read = readOptions(line, mention.end + comma);
  const after = read.kind === 'options' ? read.end : mention.end + comma;
  const instruction = cutInstruction(
    stripHidden(`${markdown.slice(0, mention.start)}${markdown.slice(after)}`),
  );
  if (read.kind === 'invalid') {
    return { kind: 'mention', ask: { kind: 'invalid', message: read.message }, instruction, options: {} };
  }
  const command =
    passing === 'copied' ? copied : commandIn(`${visible.slice(0, mention.start)} ${visible.slice(after)}`);
  return {
    kind: 'mention',
    ask: command ?? { kind: 'run' },
    instruction: command === null ? instruction : '',
    options: read.options,
  };
}
