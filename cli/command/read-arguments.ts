/** Reads a command line by its table of options, and writes the help from the same table. Pure. */
import { parseArgs } from 'node:util';
import { nearest } from '../../src/lib/nearest.ts';

export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  readonly multiple?: boolean;
  /** What the help calls the value; only options with a value have it. */
  readonly value?: string;
  readonly about: string;
}
export type OptionTable = Readonly<Record<string, OptionSpec>>;

export interface CommandLine<Options extends OptionTable> {
  /** As people start it: `npm run demo`. */
  readonly name: string;
  /** Names of the arguments that are not options: `[owner/repo]`. Absent: it takes none. */
  readonly takes?: string;
  /** What it does, in one or two paragraphs. */
  readonly about: string;
  readonly options: Options;
  /** What is worth knowing after the options: needs, files, exit status. */
  readonly more?: string;
  /** Hands every argument except `--help` on to another program. */
  readonly handsOn?: boolean;
}

type Parsing<Options extends OptionTable> = {
  args: string[];
  options: Options;
  allowPositionals: true;
};
export type Values<Options extends OptionTable> = ReturnType<typeof parseArgs<Parsing<Options>>>['values'];

type Reading<Options extends OptionTable> =
  | { readonly kind: 'run'; readonly values: Values<Options>; readonly positionals: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problem: string };

export const jsonOption = (about: string) => ({ type: 'boolean', about }) as const;

export function readArguments<const Options extends OptionTable>(
  command: CommandLine<Options>,
  argv: readonly string[],
  environment: NodeJS.Dict<string>,
): Reading<Options> {
  const beforeRest = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  if (beforeRest.some((one) => one === '--help' || one === '-h')) return { kind: 'help' };
  const problem = command.handsOn === true ? null : problemIn(command, argv, environment);
  if (problem !== null)
    return { kind: 'wrong', problem: `${problem}\nTry ${withArguments(command.name, ['--help'])}` };
  const args = command.handsOn === true ? [] : [...argv];
  const parsed = parseArgs<Parsing<Options>>({ args, options: command.options, allowPositionals: true });
  const positionals = command.handsOn === true ? argv : parsed.positionals;
  return { kind: 'run', values: parsed.values, positionals };
}

/** npm hands arguments on only after two dashes. */
export const withArguments = (name: string, args: readonly string[]): string =>
  [name, '--', ...args.map((one) => (/^[\w@%+=:,./-]+$/.test(one) ? one : JSON.stringify(one)))].join(' ');

function problemIn(
  { name, takes, options }: CommandLine<OptionTable>,
  argv: readonly string[],
  environment: NodeJS.Dict<string>,
): string | null {
  const names = Object.keys(options);
  const swallowed = names.flatMap((option) => swallowedBy(option, options[option], environment));
  if (swallowed.length > 0)
    return (
      `npm took ${swallowed.join(' and ')} as its own: two dashes are missing. ` +
      `Write ${withArguments(name, [...argv, ...swallowed])}`
    );
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional' && takes === undefined) {
      const near = nearest(token.value, names);
      return `${name} takes no argument ${JSON.stringify(token.value)}.${didYouMean(near)}`;
    }
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (spec === undefined)
      return `Unknown option ${token.rawName}.${didYouMean(nearest(token.name, [...names, 'help']))}`;
    if (spec.type === 'boolean' && token.value !== undefined) return `${token.rawName} takes no value.`;
    // A value that looks like an option has to be written as --name=-value.
    const isMissing = token.value === undefined || token.value.trim() === '';
    if (spec.type === 'string' && (isMissing || (!token.inlineValue && /^-./.test(token.value))))
      return `${token.rawName} needs a value: ${token.rawName} ${spec.value ?? 'VALUE'}`;
  }
  return null;
}

const didYouMean = (near: string | null): string => (near === null ? '' : ` Did you mean --${near}?`);

/** npm puts `--slack` of `npm run demo --slack` into `npm_config_slack` and starts the command without it. */
function swallowedBy(
  name: string,
  spec: OptionSpec | undefined,
  environment: NodeJS.Dict<string>,
): readonly string[] {
  const value = environment[`npm_config_${name.replaceAll('-', '_')}`];
  if (value === undefined || value === '' || value === 'false') return [];
  if (spec?.type === 'boolean') return [`--${name}`];
  return [`--${name}`, ...(value === 'true' ? [] : [value])];
}

export function helpOf({ name, takes, about, options, more }: CommandLine<OptionTable>): string {
  const rows: (readonly [string, string])[] = Object.entries(options).map(
    ([option, { value, about: text }]) => [`--${option}${value === undefined ? '' : ` ${value}`}`, text],
  );
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  const dashes = rows.length > 0 || takes !== undefined ? ' --' : '';
  const usage = [`${name}${dashes}`, takes, rows.length > 0 ? '[options]' : null].filter(Boolean).join(' ');
  const lines = rows.map(
    ([left, right]) => `  ${left.padEnd(width)}   ${right.replaceAll('\n', `\n${' '.repeat(width + 5)}`)}\n`,
  );
  const quiet = name.replace('npm run ', 'npm run -s ');
  const json =
    'json' in options
      ? `\nnpm prints two lines of its own first; -s keeps them out of the JSON:\n  ${quiet} -- --json\n`
      : '';
  return [usage, '\n\n', about, '\n', ...(lines.length > 0 ? ['\n', ...lines] : []), json]
    .concat(more === undefined ? [] : ['\n', more, '\n'])
    .join('');
}
