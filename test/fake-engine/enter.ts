/**
 * Runs a program in a fake container from outside, as an engine does: in the namespaces of the container's
 * first program. As strict as production: a program gets `PATH` and what `env` says, starts in `/` unless
 * `cwd` says otherwise, and a user is a number.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export interface Execution {
  readonly argv: readonly string[];
  /** The program that has to be there. Default: the first word. */
  readonly needs?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default: `/`. */
  readonly cwd?: string;
  /** `1000` or `1000:1000`. Default: root. */
  readonly user?: string;
}

export type Inside = ChildProcessByStdio<Writable, Readable, Readable>;

/** Why an execution cannot start, in the platform's words. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
}

/** Docker's default capabilities. */
export const rightsOfDocker: readonly string[] = [
  'setpriv',
  '--bounding-set=-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,+setpcap,+net_bind_service,+sys_chroot,+kill,+audit_write',
  '--inh-caps=-all',
];

export const isRoot = (): boolean => process.getuid?.() === 0;

/** @throws NotStarted */
export function spawnInside(
  pid: number,
  path: string,
  { argv, needs = argv[0] ?? '', env, cwd = '/', user }: Execution,
): Inside {
  requireProgram(pid, path, needs);
  const [uid, gid = uid] = userOf(user);
  const as = uid === '0' ? [] : ['--reuid', uid, '--regid', gid, '--clear-groups'];
  const args = [
    `--target=${pid}`,
    '--mount',
    '--pid',
    '--net',
    '--ipc',
    '--uts',
    `--wdns=${cwd}`,
    ...(isRoot() ? [] : ['--user', '--preserve-credentials']),
    '--',
    // With a single user there is no other to become, and no right to give up.
    ...(isRoot() ? [...rightsOfDocker, ...as, '--'] : []),
    ...argv,
  ];
  const child = spawn('nsenter', args, { env: { PATH: path, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  // Not every program reads its input.
  child.stdin.on('error', () => undefined);
  return child;
}

function userOf(user = '0'): [uid: string, gid?: string] {
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user) ?? [];
  if (uid === undefined)
    throw new NotStarted(`unable to find user ${user}: no matching entries in passwd file`);
  return gid === undefined ? [uid] : [uid, gid];
}

function requireProgram(pid: number, path: string, program: string): void {
  const candidates = program.includes('/')
    ? [program]
    : path.split(':').map((folder) => join(folder, program));
  const isThere = candidates.some((name) => {
    const found = lstatSync(`/proc/${pid}/root${join('/', name)}`, { throwIfNoEntry: false });
    return found !== undefined && !found.isDirectory();
  });
  if (!isThere) throw new NotStarted(`Command \`${program}\` was not found in the container`);
}

/** The process with that command line at or below another one; null if there is none (yet). */
export function processBelow(pid: number, argv: readonly string[]): number | null {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${argv.join('\0')}\0`) return pid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    for (const child of children) {
      const found = processBelow(Number(child), argv);
      if (found !== null) return found;
    }
  } catch {
    // It has ended meanwhile.
  }
  return null;
}
