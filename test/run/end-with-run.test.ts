/** A run that is killed leaves no process. Each row starts a run and looks at its processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { processTreeOf, readProcessTable, readStartTime } from '../../host/sandbox/process-table.ts';
import { projectRoot } from '../../host/project-root.ts';
import { runMark } from './run-mark.ts';

interface Known {
  readonly pid: number;
  readonly name: string;
  /** With the pid, names a process for good: pids are used again. */
  readonly startedAt: string;
}

/** null: it has ended. */
function knownProcess(pid: number): Known | null {
  const startedAt = readStartTime(pid);
  if (startedAt === null) return null;
  try {
    return { pid, name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), startedAt };
  } catch {
    return null;
  }
}
const stillRuns = ({ pid, startedAt }: Known) => readStartTime(pid) === startedAt;

interface Run {
  readonly main: number;
  /** The worker that runs the test. */
  readonly worker: number;
  readonly processes: readonly Known[];
}

async function startRun(): Promise<Run> {
  const vitest = join(projectRoot, 'node_modules/vitest/vitest.mjs');
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--config', join(import.meta.dirname, 'killed/vitest.config.ts')],
    { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  let output = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('everything runs')) resolve();
      });
    child.once('close', () => reject(new Error(`the run ended:\n${output}`)));
  });
  const main = child.pid ?? 0;
  const table = readProcessTable();
  const tree = processTreeOf(table, main);
  const worker = tree.find(({ pid }) =>
    tree.some((one) => one.parent === pid && nameOf(one.pid) === 'workerd'),
  );
  if (worker === undefined) throw new Error(`no workerd in the run:\n${output}`);
  return { main, worker: worker.pid, processes: tree.flatMap(({ pid }) => knownProcess(pid) ?? []) };
}
const nameOf = (pid: number) => knownProcess(pid)?.name;

async function untilNoneRuns(processes: readonly Known[]): Promise<void> {
  while (processes.some(stillRuns)) await sleep(50);
}

it.each<[string, (run: Run) => void]>([
  ['the run itself', ({ main }) => process.kill(main, 'SIGKILL')],
  ['the worker that runs the tests', ({ worker }) => process.kill(worker, 'SIGKILL')],
  ['the run and its process group', ({ main }) => process.kill(-main, 'SIGKILL')],
])('leaves no workerd, no sandbox and no program when SIGKILL ends %s', async (_, kill) => {
  const run = await startRun();
  const names = run.processes.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['workerd', 'bwrap', 'sleep']));
  expect(names.filter((name) => name === 'sleep')).toHaveLength(2);
  kill(run);
  await untilNoneRuns(run.processes);
});

it('spares the workers of a run that lives, and kills what they started', async () => {
  const run = `${process.pid}-spared`;
  const marked = { env: { [runMark]: run, PATH: process.env['PATH'] }, stdio: 'ignore' as const };
  const worker = spawn('sh', ['-c', 'sleep 1000 & wait'], marked);
  try {
    const program = await vi.waitUntil(() => programOf(worker.pid), { timeout: 150_000 });
    const watchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts'), run], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = once(watchdog, 'exit');
    watchdog.stdin.end();
    await ended;
    expect(stillRuns(program)).toBe(false);
    expect(worker.signalCode).toBeNull();
  } finally {
    worker.kill('SIGKILL');
  }
});

function programOf(worker: number | undefined): Known | null {
  const child = readProcessTable().find(({ parent }) => parent === worker);
  const known = child === undefined ? null : knownProcess(child.pid);
  return known?.name === 'sleep' ? known : null;
}
