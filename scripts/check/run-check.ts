/** Runs one check as a child process, collects its output and ends it when it has to stop. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../host/project-root.ts';
import type { Check } from './checks.ts';
import { countsFileVariable } from './count-reporter.ts';
import { testCountsSchema, type CheckResult, type TestCounts } from './summary.ts';

/** What a program gets to end by itself. */
const graceMs = 10_000;

export interface RunOptions {
  /** Shows the output as it comes; otherwise it is returned. */
  readonly live: boolean;
  readonly stop: AbortSignal;
}

export async function runCheck(
  check: Check,
  { live, stop }: RunOptions,
): Promise<CheckResult & { readonly output: string }> {
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'airlock-check-'));
  const countsFile = join(folder, 'counts.json');
  try {
    const { code, output } = await run(argvOf(check, live), countsFile, { live, stop });
    return {
      name: check.name,
      ok: code === 0,
      seconds: (performance.now() - startedAt) / 1000,
      counts: countsIn(countsFile),
      output,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function argvOf({ kind, argv }: Check, live: boolean): readonly string[] {
  if (kind === 'program') return argv;
  return [
    ...argv,
    `--reporter=${live ? 'default' : 'minimal'}`,
    '--reporter=./scripts/check/count-reporter.ts',
  ];
}

async function run(
  argv: readonly string[],
  countsFile: string,
  { live, stop }: RunOptions,
): Promise<{ code: number; output: string }> {
  if (stop.aborted) return { code: 1, output: '' };
  const [command = '', ...args] = argv;
  const child = spawn(command, args, {
    cwd: projectRoot,
    // The channel says nothing: its end tells a test run that this process is gone
    // (test/run/end-with-run.ts).
    stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe', 'ipc'],
    env: { ...process.env, ...(live ? {} : { NO_COLOR: '1' }), [countsFileVariable]: countsFile },
  });
  const end = () => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
  };
  stop.addEventListener('abort', end, { once: true });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => void chunks.push(chunk));
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      chunks.push(Buffer.from(String(error)));
      resolve(1);
    });
    child.once('close', (status) => resolve(status ?? 1));
  });
  stop.removeEventListener('abort', end);
  return { code, output: Buffer.concat(chunks).toString() };
}

/** null: the run ended before its end, or has no tests. */
function countsIn(file: string): TestCounts | null {
  try {
    return testCountsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
