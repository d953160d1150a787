/** Reads the options in front of an instruction. `authorize.ts` decides whether a value is allowed. */
import { isBranchName } from './branch-name.ts';
import { effortSchema, type TaskOptions } from '../task.ts';
import { resembles } from '../../lib/nearest.ts';

export type OptionRead =
  /** The next word is not an option. */
  | { readonly kind: 'none' }
  /** `options` includes the options read before; `end` is where this option's value ends. */
  | { readonly kind: 'option'; readonly options: TaskOptions; readonly end: number }
  | { readonly kind: 'invalid'; readonly message: string };

const optionNames = ['base', 'model', 'effort'] as const;
/** `--`, and the dashes that phones and keyboards of other scripts make of it or of a part of it. */
const dashes = '[-\\u2010-\\u2015\\u2212\\uFE58\\uFE63\\uFF0D]{1,4}';
/** Dashes, the name of an option, and a value after `=` or `:`, or something else that belongs to no name. */
const optionWord = new RegExp(`^(${dashes})([A-Za-z_][\\w-]*)(?:[=:\uFF1D\uFF1A](.*)|(.+))?$`, 'su');
const known = 'The options are `--base`, `--model` and `--effort`.';

/** Pairs of quotes and backticks. Phones turn straight quotes into curly ones. */
const quotes: readonly string[] = ['""', "''", '``', '“”', '‘’', '„“', '«»'];

/** Removes the quotes or backticks that people put around a value to keep Markdown off it. */
export function unquote(value: string): string {
  const pair = `${value.at(0) ?? ''}${value.at(-1) ?? ''}`;
  return value.length > 2 && quotes.includes(pair) ? value.slice(1, -1) : value;
}

/** Quotes what the person typed for a sentence of ours: short, and harmless in inline code. */
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

/** Whether a dash in front of a word is a dash: a hyphen, or one dash and a word that resembles no option. */
const isPunctuation = (dash: string, word: string): boolean =>
  dash === '-' || (dash.length === 1 && resembles(word.slice(0, 12).toLowerCase(), optionNames) === null);

/** Reads one option on one line. Phones turn `--` into a dash; it counts unless another word follows it. */
export function readOption(text: string, at: number, before: TaskOptions): OptionRead {
  const token = /[ \t]*(\S+)/y;
  token.lastIndex = at;
  const word = token.exec(text)?.[1];
  const option = word === undefined ? null : optionWord.exec(word);
  if (word === undefined || option === null) return { kind: 'none' };
  let end = token.lastIndex;
  const name = optionNames.find((candidate) => candidate === option[2]?.toLowerCase());
  if (name === undefined || option[4] !== undefined) {
    if (isPunctuation(option[1] ?? '', option[2] ?? '')) return { kind: 'none' };
    return { kind: 'invalid', message: `There is no option ${quoted(word)}. ${known}` };
  }
  if (before[name] !== undefined) {
    return { kind: 'invalid', message: `\`--${name}\` is given twice. Write it once.` };
  }
  let value = option[3];
  if (value === undefined) {
    value = token.exec(text)?.[1] ?? '';
    if (value !== '') end = token.lastIndex;
  }
  if (value === '' || /^(?:--|[^\P{Pd}-])/u.test(value)) {
    return { kind: 'invalid', message: `\`--${name}\` needs a value after it. ${known}` };
  }
  const checked = checkValue(name, unquote(value));
  if (typeof checked === 'string') return { kind: 'invalid', message: checked };
  return { kind: 'option', options: { ...before, ...checked }, end };
}

/** Reads all options from `at` on, up to the first word that is not one. */
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
