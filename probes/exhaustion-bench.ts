/** What the exhausting probes stand on: sandboxes to be used up, one beside them that must not notice, and how to look at both. */
import { readFileSync } from 'node:fs';
import { SandboxLostError, type SandboxSpec, type TaskSandbox } from '../src/core/ports/sandbox-port.ts';
import type { HijackedTask } from './hijacked-task.ts';

export interface ExhaustionBench {
  readonly model: string;
  /** A new sandbox, with no task and no grant. */
  fresh(spec?: Partial<SandboxSpec>): Promise<TaskSandbox>;
  /** Of the task that is being probed: answers as long as it is unharmed. */
  readonly neighbour: TaskSandbox;
  /** A task with all its requests, to be used up. */
  requests(): Promise<HijackedTask>;
  /** A task with few tokens. */
  tokens(): Promise<HijackedTask>;
}

export interface HostProbe<Bench> {
  readonly id: string;
  readonly attack: string;
  readonly expected: readonly string[];
  readonly run: (bench: Bench) => Promise<string>;
}

export const MiB = 1024 * 1024;
/** Far below a task's, so that reaching its end takes seconds. */
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

/** A sandbox that is gone is an expected end here. */
export async function orEnded(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SandboxLostError) return ended;
    throw error;
  }
}

/** All processes and threads of the machine. */
export function tasksOnHost(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[3]?.split('/')[1]);
}

export async function unharmed({ neighbour }: ExhaustionBench): Promise<void> {
  const { stdout } = await neighbour.exec(
    { argv: ['echo', 'unharmed'] },
    { timeoutMs: 10_000, maxOutputBytes: 100 },
  );
  if (stdout !== 'unharmed\n') throw new Error('the sandbox beside it does not answer');
}
