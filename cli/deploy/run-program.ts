/** Runs a program of the project for the deployment, and ends it when the deployment is interrupted. */
import { spawn } from 'node:child_process';
import { projectRoot } from '../../host/project-root.ts';

export interface Ended {
  /** null: it could not be started, or was ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams in the order in which they came, without colours. */
  readonly output: string;
}

export type RunProgram = (
  argv: readonly string[],
  options?: {
    readonly env?: Readonly<Record<string, string>>;
    /** Shows what it prints as it comes: for what takes minutes. */
    readonly show?: boolean;
    /** Milliseconds; then it is ended. */
    readonly timeoutMs?: number;
  },
) => Promise<Ended>;

const defaultTimeoutMs = 120_000;
/** Between asking a program to end and ending it. */
const patienceMs = 10_000;

/** Programs are found on `PATH`, where `scripts/run.mjs` has put the project’s own first. */
export function runPrograms(stop: AbortSignal): RunProgram {
  return async (argv, { env = {}, show = false, timeoutMs = defaultTimeoutMs } = {}) => {
    const [command = '', ...args] = argv;
    stop.throwIfAborted();
    const child = spawn(command, args, {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NO_COLOR: '1',
        FORCE_COLOR: '0',
        WRANGLER_SEND_METRICS: 'false',
        CI: '1',
        ...env,
      },
    });
    const parts = { stdout: '', output: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      parts.stdout += chunk.toString();
      parts.output += chunk.toString();
      if (show) process.stdout.write(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      parts.output += chunk.toString();
      if (show) process.stderr.write(chunk);
    });
    const end = () => {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), patienceMs).unref();
    };
    const timer = setTimeout(end, timeoutMs);
    stop.addEventListener('abort', end, { once: true });
    try {
      const code = await new Promise<number | null>((resolve) => {
        child.once('error', (error) => {
          parts.output += error.message;
          resolve(null);
        });
        child.once('close', (status) => resolve(status));
      });
      stop.throwIfAborted();
      return { code, ...parts };
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
    }
  };
}
