/** What `npm test` runs, and what its arguments choose. */

import { availableParallelism } from 'node:os';

export interface Check {
  readonly name: string;
  readonly argv: readonly string[];
  /** The results of tests are counted. */
  readonly kind: 'program' | 'tests';
}

const program = (name: string, ...argv: readonly string[]): Check => ({ name, argv, kind: 'program' });
const tests = (name: string, ...args: readonly string[]): Check => ({
  name,
  argv: ['vitest', 'run', ...args],
  kind: 'tests',
});

/** In the order in which they start: as many at a time as there are processors, the longest early. */
export const allChecks: readonly Check[] = [
  // The probes, a thousand programs in a sandbox, are a command of their own, which `.ci/run` tests too.
  // A flow waits for other programs more than for a processor, more than other tests do.
  tests(
    'flows',
    '--project',
    'flows',
    `--maxWorkers=${2 + availableParallelism()}`,
    '--exclude',
    'test/flows/probes.test.ts',
  ),
  program('format', 'oxfmt', '--check', '.'),
  // The linter runs the compiler for its rules. `--type-check` reports the compiler's errors too, for every
  // tsconfig.json, so that `tsc` need not check the same files again: 22 instead of 38 processor seconds.
  program(
    'lint',
    // Its type checker is a Go program, which spends an eighth of its time on garbage with Go's default.
    'env',
    'GOGC=400',
    'GOMEMLIMIT=2GiB',
    'oxlint',
    '--type-aware',
    '--type-check',
    '--deny-warnings',
    '--report-unused-disable-directives',
    '.',
  ),
  program('dead-code', 'knip'),
  program('schema', 'node', 'scripts/generate-config-schema.ts', '--check'),
  program('deployment', 'node', 'scripts/generate-environments.ts', '--check'),
  // Each worker loads most modules, a sixth of the processor time of these tests with three of them. The
  // flows need the other processor meanwhile.
  tests('unit', '--project', 'unit', '--maxWorkers=1'),
  tests('processes', '--project', 'processes', `--maxWorkers=${2 + availableParallelism()}`),
  tests('workerd', '--project', 'workerd'),
];

/** Needs a Chromium, which not every machine has, so that it runs only when it is named. */
const browser = tests('browser', '--project', 'browser');

/** Needs verdaccio, which `npm ci --prefix test/registry` installs. */
const registry = tests('registry', '--project', 'registry');

export const usage = `npm test [-- NAME… | PATH…]

Without arguments runs every check. A NAME runs one check, a PATH the tests of one file or folder.

Checks: ${allChecks.map(({ name }) => name).join(', ')}
Only when named: browser (tests of pages; needs Chromium),
registry (private packages from verdaccio; needs npm ci --prefix test/registry)
`;

export type Choice =
  | { readonly kind: 'run'; readonly checks: readonly Check[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'unknown'; readonly argument: string };

/** `pathOf` resolves an argument to an absolute path, a folder's with a slash; null: none exists. */
export function choose(args: readonly string[], pathOf: (argument: string) => string | null): Choice {
  if (args.includes('--help') || args.includes('-h')) return { kind: 'help' };
  if (args.length === 0) return { kind: 'run', checks: allChecks };
  const named = [...allChecks, browser, registry].filter(({ name }) => args.includes(name));
  const others = args.filter((argument) => !named.some(({ name }) => name === argument));
  const paths: string[] = [];
  for (const argument of others) {
    const path = pathOf(argument);
    if (path === null) return { kind: 'unknown', argument };
    paths.push(path);
  }
  return { kind: 'run', checks: paths.length === 0 ? named : [...named, tests('tests', ...paths)] };
}
