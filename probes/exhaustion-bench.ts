/**
 * The bench of the exhaustion probes: sandboxes to exhaust, a neighbour that must stay unharmed, and ways to
 * inspect both.
 */
import { readFileSync } from 'node:fs';
import { SandboxLostError, type SandboxSpec, type TaskSandbox } from '../src/core/ports/sandbox-port.ts';
import type { Inherited } from './descriptors.ts';
import type { HijackedTask } from './hijacked-task.ts';

export interface ExhaustionBench {
  /** A new sandbox, with no task and no grant. */
  fresh(spec?: Partial<SandboxSpec>): Promise<TaskSandbox>;
  /** The sandbox of the probed task. It answers while it is unharmed. */
  readonly neighbour: TaskSandbox;
  /** A task whose budget of requests is untouched. */
  requests(): Promise<HijackedTask>;
  /** A task with a small budget of tokens. */
  tokens(): Promise<HijackedTask>;
  /** A task whose run may be ended. */
  transfers(): Promise<HijackedTask>;
  /** What a sandbox of a host started with extra descriptors has open. */
  descriptors(): Promise<Inherited>;
}

export interface HostProbe<Bench> {
  readonly id: string;
  readonly attack: string;
  readonly expected: readonly string[];
  readonly run: (bench: Bench) => Promise<string>;
}

export const MiB = 1024 * 1024;
/** Far below a task's limits, so that reaching them takes seconds. */
export const small: SandboxSpec = { memoryBytes: 256 * MiB, diskBytes: 32 * MiB, maxProcesses: 128 };
export const limits = { timeoutMs: 20_000, maxOutputBytes: 64 * 1024 };
export const ended = 'the sandbox was ended';

export async function inside(
  sandbox: TaskSandbox,
  language: 'bash' | 'node' | 'perl',
  source: string,
  timeoutMs = limits.timeoutMs,
): Promise<{ last: string; exitCode: number; timedOut: boolean }> {
  const file = `/tmp/exhaust.${language === 'node' ? 'mjs' : language}`;
  await sandbox.writeFile(file, source);
  const result = await sandbox.exec({ argv: [language, file] }, { ...limits, timeoutMs });
  return { ...result, last: result.stdout.trimEnd().split('\n').at(-1) ?? '' };
}

/** Returns `ended` for a sandbox that is lost, which is an expected end here. */
export async function orEnded(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SandboxLostError) return ended;
    throw error;
  }
}

/** Counts all processes and threads of the machine. */
export function tasksOnHost(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[3]?.split('/')[1]);
}

export async function unharmed({ neighbour }: ExhaustionBench): Promise<void> {
  const { stdout } = await neighbour.exec(
    { argv: ['echo', 'unharmed'] },
    { timeoutMs: 10_000, maxOutputBytes: 100 },
  );
  if (stdout !== 'unharmed\n') throw new Error('the neighbouring sandbox does not answer');
}
