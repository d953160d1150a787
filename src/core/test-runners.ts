/** Recognizes test programs by the words of a command. A table, not a guess: `make` alone is no test run. */

interface Wrapper {
  /** It runs a command only after one of these words. */
  readonly after?: readonly string[];
  /** Options that take the next word as their value. */
  readonly valued?: readonly string[];
  /** Words of its own before the command. */
  readonly operands?: number;
  /** With one of these options it runs nothing. */
  readonly unless?: readonly string[];
}

/** Programs that run the command in their words and end with its exit status. */
const wrappers = new Map<string, Wrapper>([
  ['env', { valued: ['-u', '-C'] }],
  ['time', {}],
  ['command', { unless: ['-v', '-V'] }],
  ['exec', {}],
  ['nohup', {}],
  ['setsid', {}],
  ['nice', { valued: ['-n'] }],
  ['stdbuf', { valued: ['-o', '-e', '-i'] }],
  ['timeout', { valued: ['-k', '-s'], operands: 1 }],
  ['sudo', { valued: ['-u'] }],
  ['xvfb-run', { valued: ['-s', '-n'] }],
  ['cross-env', {}],
  ['dotenv', { valued: ['-e', '-f'] }],
  ['c8', { valued: ['-r', '--reporter'] }],
  ['nyc', { valued: ['-r', '--reporter'] }],
  ['corepack', {}],
  ['npx', { valued: ['-p', '--package'] }],
  ['bunx', {}],
  ['uvx', { valued: ['--from', '--with', '-p', '--python'] }],
  ['npm', { after: ['exec', 'x'], valued: ['--prefix', '-C', '-w', '--workspace', '--package'] }],
  ['pnpm', { after: ['exec', 'dlx'], valued: ['--filter', '-F', '-C', '--dir'] }],
  ['yarn', { after: ['exec', 'dlx'], valued: ['--cwd'] }],
  ['bun', { after: ['x'], valued: ['--cwd'] }],
  ['bundle', { after: ['exec'] }],
  ['uv', { after: ['run'], valued: ['--with', '--extra', '--group', '--python', '-p', '--directory'] }],
  ['poetry', { after: ['run'], valued: ['-C', '--directory'] }],
  ['pdm', { after: ['run'], valued: ['-p'] }],
  ['hatch', { after: ['run'] }],
  ['pipenv', { after: ['run'] }],
  ['pipx', { after: ['run'], valued: ['--spec'] }],
  ['conda', { after: ['run'], valued: ['-n', '-p'] }],
]);

const test = /^test(?::\S+)?(?: |$)/;
const testTarget = /(?:^| )(?:test|tests|check)(?: |$)/;
const buildTarget = /(?:^|[ :])(?:test|check|verify)(?: |$)/;
const packageScript =
  /^(?:workspace \S+ )?(?:(?:run |run-script )?(?:t|tst|test)(?::\S+)?|it|cit|install-test)(?: |$)/;
/** Package managers that also run a tool by its name. */
const runsTools = new Set(['pnpm', 'yarn', 'bun']);

/** What the operands of a runner, joined by blanks, look like when it tests. */
const runners = new Map<string, RegExp>([
  ...'jest mocha ava tap pytest py.test unittest nose2 tox nox rspec phpunit pest ctest bats gotestsum ginkgo'
    .split(' ')
    .map((name): [string, RegExp] => [name, /^/]),
  ['vitest', /^(?!(?:bench|list|init)(?: |$))/],
  ['playwright', test],
  ['cypress', /^run(?: |$)/],
  ['npm', packageScript],
  ['pnpm', packageScript],
  ['yarn', packageScript],
  ['bun', packageScript],
  ['deno', /^(?:task )?test(?: |$)/],
  ['go', test],
  ['cargo', /^(?:t|test|nextest r|nextest run)(?: |$)/],
  ['mvn', buildTarget],
  ['mvnw', buildTarget],
  ['gradle', buildTarget],
  ['gradlew', buildTarget],
  ['make', testTarget],
  ['gmake', testTarget],
  ['just', testTarget],
  ['rake', /(?:^| )(?:test|spec)(?::\S+)?(?: |$)/],
  ['composer', /^(?:(?:run|run-script) )?test(?: |$)/],
  ['php', /^artisan test(?: |$)/],
  ['zig', /^build test(?: |$)/],
  ['nx', /^(?:test(?: |$)|run \S+:test(?: |$))/],
  ['turbo', /^(?:run )?test(?: |$)/],
  ...'rails mix dotnet swift sbt dart flutter bazel meson hatch ng lerna stack cabal'
    .split(' ')
    .map((name): [string, RegExp] => [name, test]),
]);

/** Options that take the next word as their value, where it could be mistaken for an operand. */
const valuedOptions = new Map<string, readonly string[]>([
  ['npm', ['--prefix', '-C', '-w', '--workspace']],
  ['pnpm', ['--filter', '-F', '-C', '--dir']],
  ['yarn', ['--cwd']],
  ['bun', ['--cwd']],
  ['go', ['-C']],
  ['cargo', ['--manifest-path', '-Z', '-C', '--color']],
  ['gradle', ['-x', '-p', '-b']],
  ['gradlew', ['-x', '-p', '-b']],
  ['mvn', ['-f', '-pl', '-s', '-P']],
  ['mvnw', ['-f', '-pl', '-s', '-P']],
  ['make', ['-C', '-f']],
  ['gmake', ['-C', '-f']],
  ['just', ['-f', '-d']],
  ['node', ['--import', '--require', '-r', '--loader', '--experimental-loader', '--conditions', '-C']],
]);

/** With one of these words a runner prints or builds something and runs no test. */
const noRun = new Set([
  '--help',
  '-h',
  '--version',
  '--collect-only',
  '--co',
  '--no-run',
  '--listTests',
  '--list',
  '--list-tests',
  '--dry-run',
  '--just-print',
  '-DskipTests',
  '-DskipTests=true',
  '-Dmaven.test.skip=true',
]);

const assignment = /^[A-Za-z_]\w*\+?=/;

/** The name of a program without its folder, extension and, for `npx`, version. */
const nameOf = (word: string): string =>
  (word.split('/').at(-1) ?? '').replace(/(?<=.)@.*$/, '').replace(/\.(?:exe|cmd|bat|phar|[cm]?js)$/, '');

/** Removes assignments and wrappers such as `env`, `time` and `npx` from the words of a command. */
export function innerCommand(words: readonly string[]): readonly string[] {
  const start = words.findIndex((word) => !assignment.test(word));
  if (start < 0) return [];
  const rest = words.slice(start);
  const wrapped = wrappers.get(nameOf(rest[0] ?? ''));
  if (wrapped === undefined) return rest;
  const { after, valued = [], operands = 0, unless = [] } = wrapped;
  if (unless.includes(rest[1] ?? '')) return rest;
  let inner = withoutOptions(rest.slice(1), valued);
  if (after !== undefined) {
    if (!after.includes(inner[0] ?? '')) return rest;
    inner = withoutOptions(inner.slice(1), valued);
  }
  return innerCommand(inner.slice(operands));
}

/** Removes options until the first operand. */
function withoutOptions(words: readonly string[], valued: readonly string[]): readonly string[] {
  let at = 0;
  for (; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') return words.slice(at + 1);
    if (valued.includes(word)) at += 1;
    else if (!word.startsWith('-') && !/^\+./.test(word)) break;
  }
  return words.slice(at);
}

/** All operands: options are left out wherever they are. */
function operandsOf(words: readonly string[], valued: readonly string[]): readonly string[] {
  return words.filter(
    (word, index) =>
      !/^[-+]/.test(word) && !assignment.test(word) && !valued.includes(words[index - 1] ?? ''),
  );
}

/** Whether a command without wrappers, as `innerCommand` returns it, runs tests. */
export function runsTests(command: readonly string[]): boolean {
  const [program, ...args] = command;
  if (program === undefined || args.some((word) => noRun.has(word))) return false;
  const name = nameOf(program);
  if (name === 'node') return nodeRunsTests(args);
  if (/^(?:python[\d.]*|coverage)$/.test(name)) return pythonRunsTests(args);
  if (name === 'go' && args.some((word) => word === '-c' || word === '-list')) return false;
  if (/^g?make$/.test(name) && args.includes('-n')) return false;
  const operands = operandsOf(args, valuedOptions.get(name) ?? []);
  if (runners.get(name)?.test(operands.join(' ')) === true) return true;
  const tool = runsTools.has(name) || name === 'php';
  return tool && runsTests(operands[0] === 'run' ? operands.slice(1) : operands);
}

function nodeRunsTests(args: readonly string[]): boolean {
  const script = withoutOptions(args, valuedOptions.get('node') ?? []);
  const options = args.slice(0, args.length - script.length);
  return options.includes('--test') || (/node_modules\//.test(script[0] ?? '') && runsTests(script));
}

function pythonRunsTests(args: readonly string[]): boolean {
  const [first, ...rest] = args[0] === 'run' ? args.slice(1) : args;
  if (first === undefined) return false;
  if (first === '-m') return runsTests(rest);
  if (first.startsWith('-'))
    return first !== '-c' && pythonRunsTests(/^-[WX]$/.test(first) ? rest.slice(1) : rest);
  return nameOf(first) === 'manage.py' ? rest[0] === 'test' : runsTests([first, ...rest]);
}
