/**
 * The options that may stand in front of an instruction: `--base`, `--model` and `--effort`. Shared by everything that
 * people type. Whether a value is allowed on the repository is `authorize.ts`'s question; here it has to be one at all.
 */
import { isBranchName } from './branch-name.ts';
import { effortSchema, type TaskOptions } from '../task.ts';

export type OptionRead =
  /** The next word is none. */
  | { readonly kind: 'none' }
  /** `options` holds those read before as well; `end` is where the option's value ends. */
  | { readonly kind: 'option'; readonly options: TaskOptions; readonly end: number }
  | { readonly kind: 'invalid'; readonly message: string };

const optionNames = ['base', 'model', 'effort'] as const;
const known = 'The options are `--base`, `--model` and `--effort`.';

/** Quotes and backticks by pairs: phones make curly ones of straight ones. */
const quotes: readonly string[] = ['""', "''", '``', '“”', '‘’', '„“', '«»'];

/** A value as people type it: perhaps in quotes or backticks, which keep Markdown off it. */
export function unquote(value: string): string {
  const pair = `${value.at(0) ?? ''}${value.at(-1) ?? ''}`;
  return value.length > 2 && quotes.includes(pair) ? value.slice(1, -1) : value;
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

/**
 * Reads one option that begins at `at`, spaces before it skipped; its value stands on the same line. Phones turn `--`
 * into a dash, so that a dash counts as well.
 */
export function readOption(text: string, at: number, before: TaskOptions): OptionRead {
  const token = /[ \t]*(\S+)/y;
  token.lastIndex = at;
  const word = token.exec(text)?.[1];
  const option = word === undefined ? null : /^(?:--|[—–])(\w[\w-]*)(?:=(.*))?$/s.exec(word);
  if (word === undefined || option === null) return { kind: 'none' };
  let end = token.lastIndex;
  const name = optionNames.find((candidate) => candidate === option[1]?.toLowerCase());
  if (name === undefined) return { kind: 'invalid', message: `There is no option ${quoted(word)}. ${known}` };
  if (before[name] !== undefined) {
    return { kind: 'invalid', message: `\`--${name}\` is given twice. Write it once.` };
  }
  let value = option[2];
  if (value === undefined) {
    value = token.exec(text)?.[1] ?? '';
    if (value !== '') end = token.lastIndex;
  }
  if (value === '' || /^(?:--|[—–])/.test(value)) {
    return { kind: 'invalid', message: `\`--${name}\` needs a value after it. ${known}` };
  }
  const checked = checkValue(name, unquote(value));
  if (typeof checked === 'string') return { kind: 'invalid', message: checked };
  return { kind: 'option', options: { ...before, ...checked }, end };
}

/** All options from `at` on, up to the first word that is none. */
export function readOptions(
  line: string,
  at: number,
):
  | { readonly kind: 'options'; readonly options: TaskOptions; readonly end: number }
  | { readonly kind: 'invalid'; readonly message: string } {
  let options: TaskOptions = {};
  let end = at;
  for (;;) {
    const read = readOption(line, end, options);
    if (read.kind === 'invalid') return read;
    if (read.kind === 'none') return { kind: 'options', options, end };
    ({ options, end } = read);
  }
}
