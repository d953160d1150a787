/**
 * Runs commands inside the sandbox: `exec` to its end or its deadline, and detached runs whose output is read from an offset.
 * Does not decide what may run: everything in here is the sandbox's own business; the wall is around it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { killCommand, killStrays, markVariable } from './sandbox-processes.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
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

/** How long an ended command's pipes may stay open: a background child that inherited them must not hold the answer. */
const drainMs = 200;
/** How often a waiting reader looks for new output. Watching by inotify would cost a watch per reader and miss nothing less. */
const pollMs = 20;

interface Run {
  readonly output: Promise<FileHandle>;
  exitCode: number | null;
}

const runs = new Map<string, Run>();
/** First processes of everything that still runs, so that the end of one run leaves the others alone. */
const liveRoots = new Set<number>();

/** Never rejects for what the command does: a program that cannot be started ends with 127 or 126, as in a shell. */
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

/** Synchronous up to the entry in the table, so that two starts at once cannot both find the name free. */
export function startRun(name: string, command: Command, folder: string): void {
  if (runs.has(name)) return;
  const path = `${folder}/${name}`;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  // Append, so that a process which keeps the descriptor cannot write behind our back into what was already read.
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_APPEND;
  const out = openSync(`${path}/output`, flags, 0o600);
  const err = openSync(`${path}/errors`, flags, 0o600);
  // Opened once and kept: later reads follow this file, whatever is put in its place.
  const run: Run = { output: open(`${path}/output`, 'r'), exitCode: null };
  run.output.catch(() => undefined);
  runs.set(name, run);
  const child = start(command, randomUUID(), ['ignore', out, err]);
  closeSync(out);
  closeSync(err);
  void finish(run, child);
}

async function finish(run: Run, child: ChildProcess): Promise<void> {
  const { exitCode } = await ended(child);
  // The run has ended when nothing of it is left to write, or to touch the workspace while it is collected.
  killStrays(liveRoots);
  run.exitCode = exitCode;
}

/** Null when no run has that name. */
export async function readRun(
  name: string,
  range: { offset: number; maxBytes: number; waitMs: number },
): Promise<RunOutcome | null> {
  const run = runs.get(name);
  if (run === undefined) return null;
  const output = await run.output;
  const deadline = performance.now() + range.waitMs;
  for (;;) {
    // Before the size: an exit code that was already there vouches for a size read after it.
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
    // A session and a process group of its own: it can be killed whole, and has no terminal to reach.
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
