/** Runs git in a fixed environment: no configuration of the machine or the sandbox has an effect. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { copyFile, stat, utimes } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';

/** Variables that git inherits: the program path, the trusted certificates and the temporary folder. */
const inheritedVariables = ['PATH', 'GIT_SSL_CAINFO', 'SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'TMPDIR'];

/** `home` must not contain a `.gitconfig`. English, because `clone.ts` parses messages. */
export function gitEnvironment(
  home: string,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = {
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_DEFAULT_HASH: 'sha1',
    GIT_DEFAULT_REF_FORMAT: 'files',
  };
  for (const name of inheritedVariables) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...extra };
}

/** Switches off filters, which are outside programs; takes precedence over the tree's attributes. */
export const attributesWithoutFilters = '* -filter\n';

export interface GitRun {
  /** -1 if git was killed by a signal. */
  readonly exitCode: number;
  readonly stdout: Buffer;
  /** The last 8,000 characters. */
  readonly stderr: string;
  /** The output was longer than `maxBytes`, and git was killed. */
  readonly cut: boolean;
}

interface GitLimits {
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly maxBytes?: number;
  readonly timeoutMs?: number;
  readonly input?: Buffer | string;
  /** Copies git's progress to our own stderr. */
  readonly showProgress?: boolean;
}

export function spawnGit(
  argv: readonly string[],
  limits: Pick<GitLimits, 'environment' | 'cwd' | 'timeoutMs'>,
): ChildProcessByStdio<Writable, Readable, Readable> {
  return spawn('git', argv, {
    cwd: limits.cwd,
    env: { ...limits.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: limits.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
  });
}

/** Rejects only if git cannot be started; other failures are exit codes. 64 MiB of output. */
export function runGit(argv: readonly string[], limits: GitLimits): Promise<GitRun> {
  const maxBytes = limits.maxBytes ?? 64 * 1024 * 1024;
  return new Promise((resolve, reject) => {
    const child = spawnGit(argv, limits);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let cut = false;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (cut) return;
      const room = maxBytes - bytes;
      chunks.push(chunk.subarray(0, room));
      bytes += Math.min(room, chunk.length);
      if (chunk.length > room) {
        cut = true;
        child.kill('SIGKILL');
      }
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (limits.showProgress === true) process.stderr.write(chunk);
      stderr = (stderr + chunk.toString('utf8')).slice(-8000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ exitCode: code ?? -1, stdout: Buffer.concat(chunks), stderr, cut });
    });
    // If git ends before it has read its input, its exit code reports the failure, not our broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(limits.input ?? '');
  });
}

/** Returns the last error line of git's output, without `fatal:` and similar; at most 300 characters. */
export function gitReason(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => /^(?:fatal|error|remote):/.test(line));
  return (lines.at(-1) ?? 'git gave no reason').replace(/^(?:fatal|error|remote): */, '').slice(0, 300);
}

export const isDiskFull = (stderr: string): boolean =>
  /no space left on device|disk quota exceeded/i.test(stderr);

/**
 * Copies an index with its modification time. Git takes a file that is older than the index for unchanged, so
 * a later time would hide a change in the second of the checkout.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const { mtimeMs } = await stat(from);
  await copyFile(from, to);
  const seconds = Math.floor(mtimeMs / 1000);
  await utimes(to, seconds, seconds);
}
