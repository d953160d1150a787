/** Runs git, isolated from the machine's configuration, with deadlines; reads by a long-lived `cat-file`. */
import { spawn } from 'node:child_process';

/** Deadline of one git command, in ms. Simulated repositories are small, so a longer run is a hang. */
const commandDeadlineMs = 20_000;

export function gitEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    ...extra,
  };
}

export interface GitResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Rejects if git cannot be started or the deadline passes, but not on a non-zero exit code. */
export function runGit(
  gitDir: string,
  argv: readonly string[],
  input: string | Uint8Array = '',
  environment: Readonly<Record<string, string>> = {},
): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [`--git-dir=${gitDir}`, ...argv], {
      env: gitEnvironment(environment),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`git ${argv[0] ?? ''} took longer than ${commandDeadlineMs} ms`));
    }, commandDeadlineMs);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // git can exit before it has read its input. Ignore EPIPE, because the exit code reports the failure.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      clearTimeout(deadline);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(deadline);
      resolve({ exitCode: code ?? 128, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() });
    });
    child.stdin.end(input);
  });
}

/** Like `runGit`, but rejects on a non-zero exit code. */
export async function runGitOrThrow(
  gitDir: string,
  argv: readonly string[],
  input: string | Uint8Array = '',
  environment: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const result = await runGit(gitDir, argv, input, environment);
  if (result.exitCode !== 0) throw new Error(`git ${argv.join(' ')} failed: ${result.stderr.trim()}`);
  return result.stdout;
}

export interface GitObject {
  readonly sha: string;
  readonly type: string;
  readonly size: number;
  /** Empty if only described. */
  readonly content: Buffer;
}

/** The commands of `git cat-file --batch-command`. */
type Question = 'info' | 'contents';
interface Waiting {
  readonly question: Question;
  readonly resolve: (object: GitObject | null) => void;
  readonly reject: (error: Error) => void;
}

/** Reads objects through one `git cat-file`, which rereads refs. Restarts after a crash. */
export class ObjectReader {
  private readonly gitDir: string;
  private child: ReturnType<typeof spawn> | null = null;
  private waiting: Waiting[] = [];
  private chunks: Buffer[] = [];
  private buffered = 0;
  /** Bytes required before the next parse. Keeps reading a large object linear. */
  private needed = 0;

  constructor(gitDir: string) {
    this.gitDir = gitDir;
  }

  /** Null if there is none. `name`: an object id or full ref, optionally with `^{type}`. */
  ask(question: Question, name: string): Promise<GitObject | null> {
    if (/\s/.test(name)) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(
        () => this.fail(new Error('git cat-file did not answer')),
        commandDeadlineMs,
      );
      this.waiting.push({
        question,
        resolve: (object) => {
          clearTimeout(deadline);
          resolve(object);
        },
        reject: (error) => {
          clearTimeout(deadline);
          reject(error);
        },
      });
      this.process().stdin?.write(`${question} ${name}\n`);
    });
  }

  close(): void {
    this.fail(new Error('the repository is closed'));
  }

  private process(): ReturnType<typeof spawn> {
    if (this.child !== null) return this.child;
    const child = spawn('git', [`--git-dir=${this.gitDir}`, 'cat-file', '--batch-command'], {
      env: gitEnvironment(),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => undefined);
    child.stdout.on('data', (chunk: Buffer) => this.take(chunk));
    child.on('error', (error) => this.fail(error));
    child.on('close', () => {
      if (this.child === child) this.fail(new Error('git cat-file ended'));
    });
    this.child = child;
    return child;
  }

  private fail(error: Error): void {
    const child = this.child;
    this.child = null;
    child?.kill('SIGKILL');
    const waiting = this.waiting;
    this.waiting = [];
    this.chunks = [];
    this.buffered = 0;
    this.needed = 0;
    for (const one of waiting) one.reject(error);
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    if (this.buffered < this.needed) return;
    let buffer = Buffer.concat(this.chunks);
    for (let answer = this.parse(buffer); answer !== null; answer = this.parse(buffer)) {
      buffer = buffer.subarray(answer.consumed);
      this.waiting.shift()?.resolve(answer.object);
    }
    this.chunks = [buffer];
    this.buffered = buffer.length;
  }

  private parse(buffer: Buffer): { consumed: number; object: GitObject | null } | null {
    this.needed = 0;
    const newline = buffer.indexOf(0x0a);
    if (newline < 0) return null;
    const found = /^([0-9a-f]{40}) (blob|tree|commit|tag) (\d+)$/.exec(
      buffer.subarray(0, newline).toString(),
    );
    if (found === null) return { consumed: newline + 1, object: null };
    const [, sha = '', type = '', digits = '0'] = found;
    const size = Number(digits);
    if (this.waiting[0]?.question === 'info')
      return { consumed: newline + 1, object: { sha, type, size, content: Buffer.alloc(0) } };
    const end = newline + 1 + size;
    if (buffer.length < end + 1) {
      this.needed = end + 1;
      return null;
    }
    return {
      consumed: end + 1,
      object: { sha, type, size, content: Buffer.from(buffer.subarray(newline + 1, end)) },
    };
  }
}
