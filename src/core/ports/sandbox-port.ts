import type { SandboxPolicy } from '../policy.ts';

/** The contract of a task's sandbox, wherever it runs. Deadlines and idempotence as in `code-host.ts`. */
export interface Sandboxes {
  /** The id by which the egress handler knows this task's sandbox: 64 lower-case hex digits. */
  idFor(taskId: string): string;
  get(sandboxId: string): TaskSandbox;
}

/** Thrown by `start` if there is no room for another sandbox now. Retry later. */
export class SandboxBusyError extends Error {
  override readonly name = 'SandboxBusyError';
}

/** The connection to the sandbox broke. The same call can be retried, for minutes. */
export class SandboxUnavailableError extends Error {
  override readonly name = 'SandboxUnavailableError';
}

/**
 * Thrown by `start` if the platform does not intercept the sandbox's outbound traffic. A retry does not help;
 * the message has the remedy.
 */
export class SandboxNotInterceptedError extends Error {
  override readonly name = 'SandboxNotInterceptedError';
}

/**
 * Thrown by `start` if there can be no sandbox with the image, instance type or toolchains of the spec. A
 * retry does not help; the message has the remedy, for the operator alone.
 */
export class SandboxUnsupportedError extends Error {
  override readonly name = 'SandboxUnsupportedError';
}

/** Thrown if the sandbox is gone or was replaced. What ran in it is lost; a retry does not help. */
export class SandboxLostError extends Error {
  override readonly name = 'SandboxLostError';
}

/** What the policy adds is absent where the repository does not matter, such as in the doctor's probe. */
export interface SandboxSpec extends Partial<SandboxPolicy> {
  /** Bytes of memory for all processes together, where the machine can limit it. */
  readonly memoryBytes: number;
  /** Bytes of the workspace and of `/tmp`, each. */
  readonly diskBytes: number;
  readonly maxProcesses: number;
}

export interface SandboxCommand {
  /** Program and arguments; never a shell string. */
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** Added to the sandbox's own environment. Never a credential. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * For our own programs after the agent has ended: what it left may have used up the limit of processes. A
   * machine on which the limit holds for every program kills that before such a run.
   */
  readonly withoutProcessLimit?: boolean;
  /** Of a run: what it leaves running stays, such as a database that setup started. Else it is killed. */
  readonly keepsProcesses?: boolean;
}

export interface ExecLimits {
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  /** For what runs before anything untrusted. Later commands may get less processor time. */
  readonly atOrdinaryPriority?: true;
}

export interface ExecResult {
  /** 128 + signal when killed. */
  readonly exitCode: number;
  /** At most `maxOutputBytes` each, decoded as UTF-8 with replacement. */
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly timedOut: boolean;
}

export interface RunChunk {
  /** Output bytes from the asked offset on, at most `maxBytes`; empty when there are none yet. */
  readonly bytes: Uint8Array;
  /** Bytes written so far. */
  readonly size: number;
  /** Set once the run has ended and all of its output is written. */
  readonly exitCode: number | null;
}

/** One task's sandbox. Paths are absolute inside it. Once Codex has run, all its output is untrusted. */
export interface TaskSandbox {
  /** Does nothing if started. A destroyed sandbox is never started again: `SandboxLostError`. */
  start(spec: SandboxSpec): Promise<void>;
  /** Replaces the file; creates missing folders. Text becomes UTF-8; at most 16 MiB. */
  writeFile(path: string, content: string | Uint8Array<ArrayBuffer>): Promise<void>;
  /** Bytes from `offset` on, at most `maxBytes` (up to 1 MiB); null when there is no such regular file. */
  readFile(
    path: string,
    range: { offset: number; maxBytes: number },
  ): Promise<{ bytes: Uint8Array; size: number } | null>;
  /** Runs to the end or is killed at `timeoutMs`, with all its children. */
  exec(command: SandboxCommand, limits: ExecLimits): Promise<ExecResult>;
  /** A detached run with its output in a file. A second start under the same name does nothing. */
  startRun(name: string, command: SandboxCommand): Promise<void>;
  /** Waits up to `waitMs` (at most 30,000) for output beyond `offset` or the end of the run. */
  readRun(name: string, range: { offset: number; maxBytes: number; waitMs: number }): Promise<RunChunk>;
  /** Kills every process in the sandbox and frees everything. Idempotent, also for one that never existed. */
  destroy(): Promise<void>;
}
