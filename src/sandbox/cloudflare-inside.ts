/**
 * Encodes our calls to the container and parses its replies: the program and arguments of a call, its
 * standard input, and the replies of `inside.sh`. Pure. The script itself is in `cloudflare-script.ts`.
 *
 * Arguments are fixed words, numbers, names and paths: the platform can log them. Commands, their environment
 * and contents are standard input. Replies are untrusted once Codex has run: they are parsed strictly, and
 * the caller bounds them.
 */
import type { SandboxCommand } from '../core/ports/sandbox-port.ts';
import { decodeBase64 } from '../lib/base64.ts';

/** Belongs to root in the container; commands run as another user, who cannot read it. */
const scriptPath = (instance: string): string => `/var/lib/airlock/${instance}/inside.sh`;

/** Writes the script, which is the input. */
export const installCall = (instance: string): readonly string[] => [
  'bash',
  '-c',
  'umask 077 && mkdir -p -- "${1%/*}/calls" && cat >"$1"',
  'install',
  scriptPath(instance),
];

export const scriptCall = (instance: string, words: readonly (string | number)[]): readonly string[] => [
  'bash',
  scriptPath(instance),
  ...words.map(String),
];

export function requireAbsolute(path: string): string {
  if (!path.startsWith('/') || path.includes('\0'))
    throw new TypeError('a path in the sandbox is absolute and has no NUL');
  return path;
}

const runName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export function requireRunName(name: string): string {
  if (!runName.test(name)) throw new TypeError('a run has a plain name of at most 64 characters');
  return name;
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Linux takes at most 2 MiB of arguments and variables. */
const maxCommandBytes = 4 * 1024 * 1024;

/**
 * Encodes a command as fields that each end with a NUL: their number, time limit (ms, 0 for none), output cap
 * (bytes), 1 without a limit of processes, 1 for a run that keeps its processes, folder, the variables,
 * program and arguments, and `end`. Number and end show that nothing is missing, as a connection that breaks
 * ends the input.
 */
export function encodeCommand(
  { argv, cwd, env, withoutProcessLimit, keepsProcesses }: SandboxCommand,
  limits: { timeoutMs: number; maxOutputBytes: number },
): Uint8Array {
  const [program] = argv;
  // `env`, which starts the program, takes such a name for a variable.
  if (program === undefined || program === '' || program.includes('='))
    throw new TypeError('a command needs a program');
  const variables = Object.entries(env ?? {}).map(([name, value]) => {
    if (!variableName.test(name)) throw new TypeError('a variable needs a plain name');
    return `${name}=${value}`;
  });
  const numbers = [limits.timeoutMs, limits.maxOutputBytes].map((number) => String(Math.ceil(number)));
  const fields = [
    ...numbers,
    withoutProcessLimit === true ? '1' : '0',
    keepsProcesses === true ? '1' : '0',
    requireAbsolute(cwd ?? '/workspace'),
    ...variables,
    ...argv,
    'end',
  ];
  if (fields.some((field) => field.includes('\0')))
    throw new TypeError('a NUL cannot be part of an argument');
  const counted = [String(fields.length + 1), ...fields];
  const encoded = new TextEncoder().encode(counted.map((field) => `${field}\0`).join(''));
  if (encoded.length > maxCommandBytes) throw new TypeError('a command of at most 4 MiB is needed');
  return encoded;
}

export type Reply =
  /** The script is missing, or reports another machine. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'done' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'file'; readonly size: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'exec';
      readonly exitCode: number;
      readonly timedOut: boolean;
      readonly stdout: Uint8Array;
      readonly stderr: Uint8Array;
      readonly truncated: boolean;
    }
  | {
      readonly kind: 'run';
      readonly size: number;
      readonly exitCode: number | null;
      readonly bytes: Uint8Array;
    };

/** Parses a reply of the script; null for anything else. */
export function parseReply({ exitCode, stdout }: { exitCode: number; stdout: string }): Reply | null {
  const [head = '', ...rest] = stdout.split('\n');
  const [mark, kind, ...fields] = head.split(' ');
  if (mark !== 'airlock') return exitCode === 127 && stdout === '' ? { kind: 'replaced' } : null;
  const numbers = fields.map((field) => (/^\d{1,15}$/.test(field) ? Number(field) : null));
  const [first = null, second = null, third = null, fourth = null] = numbers;
  const body = (line: number) => bytesOf(rest[line] ?? '');
  switch (kind) {
    case 'replaced':
    case 'done':
    case 'waiting':
    case 'none':
      return { kind };
    case 'failed': {
      const problem = body(0);
      return problem === null ? null : { kind, problem: new TextDecoder().decode(problem) };
    }
    case 'file': {
      const bytes = body(0);
      return first === null || bytes === null ? null : { kind, size: first, bytes };
    }
    case 'run': {
      const bytes = body(0);
      const running = fields[1] === '-';
      if (first === null || bytes === null || (second === null && !running)) return null;
      return { kind, size: first, exitCode: second, bytes };
    }
    case 'exec': {
      const [out, err] = [body(0), body(1)];
      if (first === null || third === null || fourth === null || out === null || err === null) return null;
      const truncated = out.length < third || err.length < fourth;
      return { kind, exitCode: first, timedOut: second === 1, stdout: out, stderr: err, truncated };
    }
    case undefined:
    default:
      return null;
  }
}

function bytesOf(base64: string): Uint8Array | null {
  try {
    return decodeBase64(base64);
  } catch {
    return null; // not base64: the reply is not the script's
  }
}

const errorCodes: readonly (readonly [text: string, code: string])[] = [
  ['Permission denied', 'EACCES'],
  ['Read-only file system', 'EROFS'],
  ['Operation not permitted', 'EPERM'],
  ['No space left on device', 'ENOSPC'],
  ['Not a directory', 'ENOTDIR'],
  ['Is a directory', 'EISDIR'],
  ['cannot overwrite directory', 'EISDIR'],
  ['File name too long', 'ENAMETOOLONG'],
];

/** Derives the error code from a program's error output, which is all that a shell script gets. */
export function errorCodeIn(errorOutput: string): string {
  return errorCodes.find(([text]) => errorOutput.includes(text))?.[1] ?? 'EIO';
}
