/**
 * `npm test`: everything that checks the project without a browser or a container engine. Prints the output
 * of what fails, and `N passed, N failed` as its last line.
 */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { projectRoot } from '../host/project-root.ts';
import { choose, usage, type Check } from './check/checks.ts';
import { runCheck } from './check/run-check.ts';
import { endLine, summarize, type CheckResult } from './check/summary.ts';

const choice = choose(process.argv.slice(2), pathOf);
if (choice.kind === 'help') process.stdout.write(usage);
else if (choice.kind === 'unknown') {
  process.stderr.write(`There is no check and no file or folder ${choice.argument}.\n\n${usage}`);
  process.exitCode = 2;
} else await runAll(choice.checks);

async function runAll(checks: readonly Check[]): Promise<void> {
  const startedAt = performance.now();
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => stopping.abort(signal));
  // scripts/run.mjs holds this channel open: when it is killed, the checks end too.
  process.once('disconnect', () => stopping.abort('SIGHUP'));

  const results: CheckResult[] = [];
  const live = checks.length === 1;
  const runOne = async (check: Check): Promise<void> => {
    if (stopping.signal.aborted) return;
    process.stdout.write(`▸ ${check.name}\n`);
    const result = await runCheck(check, { live, stop: stopping.signal });
    results.push(result);
    process.stdout.write(`${endLine(result)}\n`);
    if (!result.ok && !live && !stopping.signal.aborted) process.stdout.write(`${result.output.trim()}\n\n`);
  };
  const waiting = [...checks];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await runOne(next);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));

  process.stdout.write(summarize(results, (performance.now() - startedAt) / 1000));
  if (stopping.signal.aborted) process.exitCode = stopping.signal.reason === 'SIGINT' ? 130 : 143;
  else process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
  process.channel?.unref();
}

/** Relative to where npm was started, or to the project. */
function pathOf(argument: string): string | null {
  for (const base of [process.env['INIT_CWD'] ?? projectRoot, projectRoot]) {
    const path = resolve(base, argument);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined) return found.isDirectory() ? `${path}/` : path;
  }
  return null;
}
