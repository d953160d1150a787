/** Runs a program for the deployment, and ends it when the deployment is interrupted. */
import { spawn } from 'node:child_process';
import { projectRoot } from '../../host/project-root.ts';

export interface ProgramResult {
  /** null: the program could not be started, or a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams in order of arrival, without colours. */
  readonly output: string;
}

export type RunProgram = (
  argv: readonly string[],
  options?: {
    readonly env?: Readonly<Record<string, string>>;
    /** Written to its standard input, for what must not be an argument. */
    readonly input?: string;
    /** Passes the output through to the terminal, for programs that take minutes. */
    readonly show?: boolean;
    /** Milliseconds after which the program is ended. */
    readonly timeoutMs?: number;
  },
) => Promise<ProgramResult>;

const defaultTimeoutMs = 120_000;
/** Time between SIGTERM and SIGKILL. */
const graceMs = 10_000;

/** From `PATH`, where `scripts/run.mjs` has put the project’s own first. */
export function runPrograms(stop: AbortSignal): RunProgram {
  return async (argv, { env = {}, input, show = false, timeoutMs = defaultTimeoutMs } = {}) => {
    const [command = '', ...args] = argv;
    stop.throwIfAborted();
    const child = spawn(command, args, {
      cwd: projectRoot,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NO_COLOR: '1',
        FORCE_COLOR: '0',
        WRANGLER_SEND_METRICS: 'false',
        CI: '1',
        ...env,
      },
    });
    // A program that ends without reading it reports why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
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
      setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
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
