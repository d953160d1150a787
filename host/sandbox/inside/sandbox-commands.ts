/**
 * Runs commands inside the sandbox: `exec` waits for the end; a detached run writes to a file that is read
 * from an offset. The namespaces around the sandbox do the confining.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { killAll, killCommand, killStrays, markVariable } from './sandbox-processes.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly withoutProcessLimit: boolean;
  readonly keepsProcesses: boolean;
}

export interface ExecOutcome {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly truncated: boolean;
  readonly timedOut: boolean;
}

export interface RunOutcome {
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly exitCode: number | null;
}

/** For an ended command's pipes, which a background child may have inherited. */
const drainMs = 200;
/** inotify would cost a watch per reader and find nothing more. */
const pollMs = 20;

interface Run {
  readonly output: Promise<FileHandle>;
  exitCode: number | null;
}

const runs = new Map<string, Run>();
/** First processes of all live commands, so that the end of one run does not kill the others. */
const liveRoots = new Set<number>();

/** Never rejects: a program that cannot be started gets exit code 127 or 126, as in a shell. */
export async function execCommand(
  command: Command,
  limits: { timeoutMs: number; maxOutputBytes: number },
): Promise<ExecOutcome> {
  const mark = randomUUID();
  const child = start(command, mark, ['ignore', 'pipe', 'pipe']);
  const stdout = collect(child.stdout, limits.maxOutputBytes);
  const stderr = collect(child.stderr, limits.maxOutputBytes);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) killCommand(child.pid, mark);
  }, limits.timeoutMs);
  const { exitCode, problem } = await ended(child);
  clearTimeout(timer);
  if (problem === null) await Promise.race([closed, sleep(drainMs, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return {
    exitCode,
    stdout: stdout.bytes(),
    stderr: problem === null ? stderr.bytes() : Buffer.from(problem),
    truncated: stdout.truncated() || stderr.truncated(),
    timedOut,
  };
}

/** Unless it exists. Synchronous up to the entry in `runs`, so that concurrent calls start one. */
export function startRun(name: string, command: Command, folder: string): void {
  if (runs.has(name)) return;
  if (command.withoutProcessLimit) killAll();
  const path = `${folder}/${name}`;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // O_APPEND, so that a process with this descriptor cannot overwrite output that was already read.
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_APPEND;
  const out = openSync(`${path}/output`, flags, 0o600);
  const err = openSync(`${path}/errors`, flags, 0o600);
  // Opened once: later reads use this file even if its path is replaced.
  const run: Run = { output: open(`${path}/output`, 'r'), exitCode: null };
  run.output.catch(() => undefined);
  runs.set(name, run);
  const child = start(command, randomUUID(), ['ignore', out, err]);
  closeSync(out);
  closeSync(err);
  void finish(run, child, command);
}

async function finish(run: Run, child: ChildProcess, { keepsProcesses }: Command): Promise<void> {
  const { exitCode } = await ended(child);
  // Kill leftovers before reporting the exit code, so that nothing changes the output or the workspace
  // afterwards.
  if (!keepsProcesses) killStrays(liveRoots);
  run.exitCode = exitCode;
}

/** Waits up to `waitMs` for new output or the end. Null when no run has that name. */
export async function readRun(
  name: string,
  range: { offset: number; maxBytes: number; waitMs: number },
): Promise<RunOutcome | null> {
  const run = runs.get(name);
  if (run === undefined) return null;
  const output = await run.output;
  const deadline = performance.now() + range.waitMs;
  for (;;) {
    // Read before the size: once there is an exit code, the size no longer changes.
    const { exitCode } = run;
    const { size } = await output.stat();
    if (size > range.offset || exitCode !== null || performance.now() >= deadline) {
      const bytes = Buffer.alloc(Math.max(0, Math.min(range.maxBytes, size - range.offset)));
      const { bytesRead } = await output.read(bytes, 0, bytes.length, range.offset);
      return { bytes: bytes.subarray(0, bytesRead), size, exitCode };
    }
    await sleep(Math.min(pollMs, Math.max(1, deadline - performance.now())));
  }
}

type Output = 'ignore' | 'pipe' | number;

function start(command: Command, mark: string, stdio: [Output, Output, Output]): ChildProcess {
  const [program = '', ...args] = command.argv;
  const child = spawn(program, args, {
    cwd: command.cwd,
    env: { ...process.env, ...command.env, [markVariable]: mark },
    stdio,
    // Its own session and process group: the group can be killed as a whole, and there is no controlling
    // terminal.
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) {
    liveRoots.add(pid);
    child.once('exit', () => liveRoots.delete(pid));
  }
  return child;
}

function ended(child: ChildProcess): Promise<{ exitCode: number; problem: string | null }> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      resolve({
        exitCode: error.code === 'ENOENT' ? 127 : 126,
        problem: `cannot start: ${error.code ?? 'unknown'}`,
      });
    });
    child.once('exit', (code, signal) => {
      resolve({ exitCode: code ?? 128 + (signal === null ? 0 : osConstants.signals[signal]), problem: null });
    });
  });
}

function collect(stream: NodeJS.ReadableStream | null, maxBytes: number) {
  const chunks: Uint8Array[] = [];
  let held = 0;
  let truncated = false;
  stream?.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, maxBytes - held);
    if (kept.length < chunk.length) truncated = true;
    if (kept.length > 0) chunks.push(kept);
    held += kept.length;
  });
  return { bytes: () => Buffer.concat(chunks), truncated: () => truncated };
}
