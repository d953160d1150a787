/**
 * `npm test`: everything that checks the project without a browser or a container engine, in the order in which it is
 * quickest to fail. `npm test -- NAME…` runs only the named checks.
 */
import { spawn } from 'node:child_process';
import { projectRoot } from '../host/project-root.ts';

interface Check {
  readonly name: string;
  readonly argv: readonly string[];
}

const checks: readonly Check[] = [
  { name: 'format', argv: ['oxfmt', '--check', '.'] },
  { name: 'types', argv: ['tsc', '-p', 'src'] },
  { name: 'types-node', argv: ['tsc', '-p', '.'] },
  { name: 'types-workerd', argv: ['tsc', '-p', 'test/workerd'] },
  {
    name: 'lint',
    argv: ['oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives', '.'],
  },
  { name: 'dead-code', argv: ['knip'] },
  { name: 'schema', argv: ['node', 'scripts/generate-config-schema.ts', '--check'] },
  { name: 'deployment', argv: ['node', 'scripts/generate-environments.ts', '--check'] },
  { name: 'unit', argv: ['vitest', 'run', '--project', 'unit'] },
  { name: 'workerd', argv: ['vitest', 'run', '--project', 'workerd'] },
  { name: 'flows', argv: ['vitest', 'run', '--project', 'flows'] },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name));
if (wanted.includes('--help') || unknown.length > 0) {
  process.stdout.write(
    `npm test [-- NAME…]: runs all checks, or the named ones: ${checks.map((check) => check.name).join(', ')}\n`,
  );
  process.exit(unknown.length > 0 && !wanted.includes('--help') ? 1 : 0);
}

let failed = 0;
for (const check of checks.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const startedAt = performance.now();
  const { code, output } = await run(check.argv);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${check.name} (${seconds} s)\n`);
  if (code === 0) continue;
  failed += 1;
  process.stdout.write(`${output}\n`);
}
if (failed > 0) process.stdout.write(`${failed} of ${wanted.length || checks.length} checks failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function run(argv: readonly string[]): Promise<{ code: number; output: string }> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const chunks: Buffer[] = [];
  // A long check shows its output as it comes to whoever asked for that check alone; in the whole run only on failure.
  const live = wanted.length === 1;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (live ? process.stdout.write(chunk) : chunks.push(chunk)));
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      chunks.push(Buffer.from(String(error)));
      resolve(1);
    });
    child.once('close', (status) => resolve(status ?? 1));
  });
  return { code, output: Buffer.concat(chunks).toString() };
}
