/**
 * Encodes our calls to the container and parses its replies: the command line of a call, the file with its
 * arguments, and the replies of `inside.sh`. Pure. The script itself is in `cloudflare-script.ts`.
 *
 * The SDK's `exec` takes a shell string and logs it. So the string has a fixed program, numbers, names and
 * quoted paths; commands, their environment and contents travel in files. Replies are untrusted once Codex
 * has run: they are parsed strictly, and the caller bounds them.
 */
import type { SandboxCommand } from '../core/ports/sandbox-port.ts';
import { decodeBase64 } from '../lib/base64.ts';

/** Belongs to root in the container; commands run as another user, who cannot read it. */
const insideRoot = '/var/lib/airlock';

const instanceFolder = (instance: string): string => `${insideRoot}/${instance}`;
export const scriptPath = (instance: string): string => `${instanceFolder(instance)}/inside.sh`;
export const callPath = (instance: string, callId: string, part: 'args' | `data.${string}`): string =>
  `${instanceFolder(instance)}/calls/${callId}.${part}`;

/** Creates the folder for the script and the calls. Runs before the script is there. */
export const makeFolders = (instance: string): string =>
  `umask 077 && mkdir -p -- ${quoteWord(`${instanceFolder(instance)}/calls`)}`;

/**
 * Bytes of a file per message to the container. The SDK's server closes the whole connection at a message
 * over 16 MiB, and every call in it fails. As base64 a part stays below 8 MiB.
 */
const maxPartBytes = 4 * 1024 * 1024;

/** Splits a file into the parts that `inside.sh` joins; their names sort in the order of the bytes. */
export function splitData(bytes: Uint8Array): { name: `data.${string}`; base64: string }[] {
  const count = Math.max(1, Math.ceil(bytes.length / maxPartBytes));
  return Array.from({ length: count }, (_, at) => ({
    name: `data.${String(at).padStart(4, '0')}`,
    base64: encodeBase64(bytes.subarray(at * maxPartBytes, (at + 1) * maxPartBytes)),
  }));
}

export function commandLine(instance: string, words: readonly (string | number)[]): string {
  return ['bash', scriptPath(instance), ...words.map(String)].map((word) => quoteWord(word)).join(' ');
}

/**
 * Quotes for a POSIX shell: within single quotes only the quote itself is special. No program argument can
 * have a NUL.
 */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new TypeError('a NUL cannot be part of an argument');
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

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

/**
 * Encodes a command as fields that each end with a NUL: time limit (ms, 0 for none), output cap (bytes), 1
 * without a limit of processes, 1 for a run that keeps its processes, folder, the variables, program and
 * arguments.
 */
export function encodeCommand(
  { argv, cwd, env, withoutProcessLimit, keepsProcesses }: SandboxCommand,
  limits: { timeoutMs: number; maxOutputBytes: number },
): string {
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
  ];
  if (fields.some((field) => field.includes('\0')))
    throw new TypeError('a NUL cannot be part of an argument');
  const encoded = fields.map((field) => `${field}\0`).join('');
  // Linux takes at most 2 MiB.
  if (encoded.length > maxPartBytes) throw new TypeError('a command of at most 4 MiB is needed');
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

export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  // In parts, because a call takes a limited number of arguments.
  for (let at = 0; at < bytes.length; at += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
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
