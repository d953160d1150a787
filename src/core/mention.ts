/**
 * Whether a comment or an issue addresses the bot, and what it asks. Whether the asker may is `authorize.ts`'s question.
 *
 * - A mention is a token of its own: `@airlock` or `@airlock[bot]` in any case, with white space or punctuation around it.
 *   In code, quotations (also their lazy lines, as GitHub shows them) and HTML comments it is not one. The first counts.
 * - The instruction is all that the asker wrote, before the mention and after it, code and quotations included, less
 *   the mention, its options and hidden text: `split() is off by one. @airlock fix it` must not lose its first sentence.
 * - Options stand directly after the mention, on its line. Later in the text `--flag` is prose.
 * - A command (`help`, `status`, `cancel`, `stop` or `retry`) is one only as the sole word: `@airlock stop using var` is a task.
 */
import { isBranchName } from './branch-name.ts';
import { lowerAscii, stripHidden } from './hidden-text.ts';
import { segmentMarkdown } from './markdown-segments.ts';
import { effortSchema, type TaskOptions, type TaskRequest } from './task.ts';

export type Mention =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'mention';
      readonly ask: TaskRequest['ask'];
      readonly instruction: string;
      readonly options: TaskOptions;
    };

/** Characters; the bound in the task's schema. What is beyond is cut, and the text says so. */
const maxInstructionChars = 20_000;
const cutNote = '\n[cut here: the instruction was longer]';

/** Stands for a character of code: it is not white space and cannot be part of a mention. */
const code = '\uFFFC';

/** Elements whose content is shown as code or as somebody else's words. */
const quotingElement = /<(pre|code|kbd|samp|blockquote)(?=[\s>])/gi;

/** The text with everything blanked out in which a mention does not count; positions stay the same. */
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

function findMention(visible: string, handle: string): { start: number; end: number } | null {
  const name = handle.replace(/[^a-z0-9-]/gi, '');
  const pattern = new RegExp(
    `(?<=^|[\\s([{"'“‘*_,;:>])@${name}(?:\\[bot\\])?(?=$|\\s|[.,:;!?)\\]}"'”’*_<…–—]{1,8}(?:$|\\s|<))`,
    'i',
  );
  const found = pattern.exec(visible);
  return found === null ? null : { start: found.index, end: found.index + found[0].length };
}

type OptionsRead =
  | { readonly kind: 'options'; readonly options: TaskOptions; readonly end: number }
  | { readonly kind: 'invalid'; readonly message: string };

const optionNames = ['base', 'model', 'effort'] as const;
const known = 'The options are `--base`, `--model` and `--effort`.';

/** A value as people type it: perhaps in quotes or backticks, which keep Markdown off it. */
function unquote(value: string): string {
  return /^(["'`])(.+)\1$/.exec(value)?.[2] ?? value;
}

/** For our own sentence around it: what the asker typed, short and harmless in inline code. */
function quoted(untrustedValue: string): string {
  return `\`${untrustedValue.slice(0, 60).replaceAll('`', "'")}\``;
}

function checkValue(name: (typeof optionNames)[number], value: string): TaskOptions | string {
  if (name === 'base') {
    if (isBranchName(value)) return { base: value };
    return `${quoted(value)} cannot be the name of a branch. Write \`--base main\`, for example.`;
  }
  if (name === 'model') {
    if (/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/.test(value)) return { model: value };
    return `${quoted(value)} cannot be the name of a model. Leave \`--model\` out to use the repository's default.`;
  }
  const effort = effortSchema.safeParse(value.toLowerCase());
  if (effort.success) return { effort: effort.data };
  return `\`--effort\` takes one of ${effortSchema.options.map(quoted).join(', ')}, not ${quoted(value)}.`;
}

/** Reads options from `at` on. Phones turn `--` into a dash, so that a dash counts as well. */
function readOptions(line: string, at: number): OptionsRead {
  let options: TaskOptions = {};
  let end = at;
  const token = /[ \t]*(\S+)/y;
  for (;;) {
    token.lastIndex = end;
    const word = token.exec(line)?.[1];
    const option = word === undefined ? null : /^(?:--|[—–])(\w[\w-]*)(?:=(.*))?$/s.exec(word);
    if (word === undefined || option === null) return { kind: 'options', options, end };
    end = token.lastIndex;
    const name = optionNames.find((candidate) => candidate === option[1]?.toLowerCase());
    if (name === undefined)
      return { kind: 'invalid', message: `There is no option ${quoted(word)}. ${known}` };
    if (options[name] !== undefined) {
      return { kind: 'invalid', message: `\`--${name}\` is given twice. Write it once.` };
    }
    let value = option[2];
    if (value === undefined) {
      token.lastIndex = end;
      value = token.exec(line)?.[1] ?? '';
      if (value !== '') end = token.lastIndex;
    }
    if (value === '' || /^(?:--|[—–])/.test(value)) {
      return { kind: 'invalid', message: `\`--${name}\` needs a value after it. ${known}` };
    }
    const checked = checkValue(name, unquote(value));
    if (typeof checked === 'string') return { kind: 'invalid', message: checked };
    options = { ...options, ...checked };
  }
}

const commands: Readonly<Record<string, TaskRequest['ask']>> = {
  help: { kind: 'help' },
  status: { kind: 'status' },
  cancel: { kind: 'cancel' },
  stop: { kind: 'cancel' },
  retry: { kind: 'retry' },
};

/** The whole of what was asked, when it is one word. */
function commandIn(words: string): TaskRequest['ask'] | null {
  const word = /^\s*([a-z]{1,10})\s*[.!?]{0,3}\s*$/i.exec(words)?.[1]?.toLowerCase();
  return word !== undefined && Object.hasOwn(commands, word) ? (commands[word] ?? null) : null;
}

function cutInstruction(text: string): string {
  if (text.length <= maxInstructionChars) return text;
  return text.slice(0, maxInstructionChars - cutNote.length).replace(/[\uD800-\uDBFF]$/, '') + cutNote;
}

/** `handle` is the configured name without `@`. Time grows in proportion to the text. */
export function parseMention(untrustedMarkdown: string, handle: string): Mention {
  const markdown = untrustedMarkdown.replace(/\r\n?/g, '\n');
  const visible = addressable(markdown);
  const mention = findMention(visible, handle);
  if (mention === null) return { kind: 'none' };

  // `@airlock, fix it` and `@airlock: fix it` are how people write to somebody.
  const comma = /^[,:]/.test(visible.slice(mention.end, mention.end + 1)) ? 1 : 0;
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
  const command = commandIn(`${visible.slice(0, mention.start)} ${visible.slice(after)}`);
  return {
    kind: 'mention',
    ask: command ?? { kind: 'run' },
    instruction: command === null ? instruction : '',
    options: read.options,
  };
}
