/**
 * A fake container: namespaces of bubblewrap. Its first program is the stand-in for the SDK's server, or one
 * that only reaps. Without a network it is an empty machine; with one it has the image's files, and an
 * interceptor takes its traffic.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import type { CertificateAuthority } from '../../host/sandbox/certificate-authority.ts';
import { findPrograms, type Programs } from '../../host/sandbox/programs.ts';
import { hostFiles, hostLinks } from '../../host/sandbox/layout.ts';
import { systemFiles } from '../../host/sandbox/system-files.ts';
import { isRoot, NotStarted, processBelow, rightsOfDocker, spawnInside } from './enter.ts';
import type { Execution, Inside } from './enter.ts';
import { exitCodeOf } from './exec.ts';
import { imageEnvironment } from './image-environment.ts';
import { startInterceptor, type Interceptor } from './interceptor.ts';

export interface FakeContainer {
  /** The socket of the SDK's stand-in, in place of port 3000. */
  readonly controlSocket: string;
  /** The part of its `/etc` that can be written from outside: `/etc/cloudflare`. */
  readonly etc: string;
  /** The variables of its first program. */
  readonly environment: Readonly<Record<string, string>>;
  /** Starts a program in it, as an engine does. @throws NotStarted */
  enter(execution: Execution): Promise<Inside>;
  /** `onEnd` receives the exit code, after an exit or a kill. */
  start(onEnd: (exitCode: number) => void): void;
  /** In place, as Docker's restart policies do: name and files stay, and no watcher notices. */
  restart(): Promise<void>;
  /** Resolves when no process of it is left. */
  kill(): Promise<void>;
  /** Kills it and removes its files. */
  remove(): Promise<void>;
}

export interface FakeNetwork {
  readonly authority: CertificateAuthority;
  /** The port on which workerd takes the container's traffic; null before workerd has reported it. */
  readonly egressPort: () => number | null;
}

/** `sdk`: the image whose first program is the SDK's server. `plain`: one that starts nothing of ours. */
export type FakeImage = 'sdk' | 'plain';

export async function createContainer(
  env: Readonly<Record<string, string>>,
  image: FakeImage,
  network: FakeNetwork | null = null,
): Promise<FakeContainer> {
  const programs = findPrograms();
  if (programs === null) throw new Error('there is no bubblewrap on this machine');
  const folder = await mkdtemp(join(tmpdir(), 'airlock-engine-'));
  const [control, etc, disk] = [join(folder, 'control'), join(folder, 'etc'), join(folder, 'disk')];
  const variables = { ...(network === null ? environment : imageEnvironment()), ...env };
  const folders = [control, join(etc, 'cloudflare'), ...diskFolders.map((path) => join(disk, path))];
  await Promise.all(folders.map((path) => mkdir(path, { recursive: true })));
  const texts = network === null ? { hosts: '127.0.0.1 localhost\n' } : systemFiles('');
  await Promise.all(Object.entries(texts).map(([name, text]) => writeFile(join(etc, name), text)));
  let interceptor: Interceptor | null = null;
  if (network !== null)
    interceptor = await startInterceptor(join(control, 'egress.sock'), network.authority, network.egressPort);
  const first = image === 'sdk' ? server() : reaper();
  const networkReady = join(control, 'network-ready');
  const inside = new Set<Inside>();
  let child: ChildProcess | null = null;
  let killed = false;
  let ended: Promise<void> = Promise.resolve();
  let atEnd: (exitCode: number) => void = () => undefined;
  const kill = async () => {
    killed = true;
    child?.kill('SIGKILL');
    await ended;
    await Promise.all([...inside].map(async (one) => await exitCodeOf(one)));
  };
  /** The first program, once it runs; rejects when the container has ended. */
  const firstProcess = async (): Promise<number> => {
    for (;;) {
      const pid = child?.pid === undefined ? null : processBelow(child.pid, first);
      if (pid !== null && (network === null || existsSync(networkReady))) return pid;
      if (child === null || child.exitCode !== null || child.signalCode !== null)
        throw new NotStarted('the container is not running');
      await later(5);
    }
  };
  const container: FakeContainer = {
    controlSocket: join(control, '3000.sock'),
    etc,
    environment: variables,
    async enter(execution) {
      const started = spawnInside(await firstProcess(), variables['PATH'] ?? '', execution);
      inside.add(started);
      started.once('exit', () => inside.delete(started));
      return started;
    },
    start(onEnd) {
      atEnd = onEnd;
      killed = false;
      const settings = Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value]);
      const args = [
        ...namespaces(network !== null),
        ...settings,
        ...files(programs, { control, etc, disk }),
        ...(network === null ? [] : imageFiles(programs, etc)),
        '--',
        ...(network === null ? [] : [...networkProgram(), ...asUser()]),
        ...(isRoot() ? rightsOfDocker : []),
        ...first,
      ];
      const started = spawn(programs.bwrap, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      child = started;
      // Complaints during a kill are of no interest.
      started.stderr.on('data', (chunk: Buffer) => {
        if (!killed) process.stderr.write(chunk);
      });
      ended = new Promise((resolve) => {
        const end = (exitCode: number) => {
          atEnd(exitCode);
          resolve();
        };
        started.once('error', () => end(125));
        started.once('exit', (code) => end(code ?? 137));
      });
    },
    async restart() {
      const watcher = atEnd;
      atEnd = () => undefined;
      await kill();
      for (const path of [join(control, '3000.sock'), networkReady]) await rm(path, { force: true });
      container.start(watcher);
    },
    kill,
    async remove() {
      await kill();
      interceptor?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return container;
}

/** What a container keeps when it is restarted in place. */
const diskFolders = ['/workspace', '/home', '/var/lib'];

/** A copy that every user of the container can start: the checkout may be below a private folder. */
const nodePath = '/opt/node/bin/node';

const bwrapPath = '/opt/bwrap';

const server = (): string[] => [
  nodePath,
  join(import.meta.dirname, 'control-server.ts'),
  '/control/3000.sock',
];

/**
 * Reaps orphans, and ends on SIGTERM. With a network, `network.ts` is the first process, and reaps nothing:
 * a task leaves no orphans, because its commands adopt them.
 */
const reaper = (): string[] => ['bash', '-c', 'trap "exit 143" TERM; while :; do sleep 3600 & wait $!; done'];

const networkProgram = (): string[] => [
  nodePath,
  join(import.meta.dirname, 'network.ts'),
  '/control/egress.sock',
  '/control/network-ready',
];

function files(
  { checkout, nodeFile }: Programs,
  { control, etc, disk }: { control: string; etc: string; disk: string },
): string[] {
  return [
    ...readOnly('/usr'),
    ...hostLinks.flatMap((path) => linkOrFolder(path)),
    ...['/etc', '/etc/ssl', '/run', '/var', '/opt', '/opt/node', '/opt/node/bin'].flatMap((path) => [
      '--perms',
      '0755',
      '--dir',
      path,
    ]),
    ...diskFolders.flatMap((path) => bind('--bind', join(disk, path), path)),
    ...hostFiles.filter((path) => existsSync(path)).flatMap((path) => readOnly(path)),
    ...bind('--ro-bind', join(etc, 'hosts'), '/etc/hosts'),
    ...bind('--bind', join(etc, 'cloudflare'), '/etc/cloudflare'),
    ...words('--proc /proc --dev /dev --perms 1777 --tmpfs /dev/shm --perms 1777 --tmpfs /tmp'),
    // Mounted after /tmp: the checkout may be below it.
    ...readOnly(checkout),
    // Elsewhere, where the checkout is a copy with a link.
    ...readOnly(realpathSync(join(checkout, 'node_modules'))),
    ...bind('--ro-bind', nodeFile, nodePath),
    ...bind('--bind', control, '/control'),
  ];
}

/** The files that `container/Dockerfile` puts into the image. */
function imageFiles({ scripts, codexFolder, bwrap }: Programs, etc: string): string[] {
  const codex =
    codexFolder === null
      ? []
      : [
          ...readOnlyAt(join(codexFolder, 'bin'), '/opt/codex/bin'),
          ...readOnlyAt(join(codexFolder, 'codex-path'), '/opt/codex/path'),
        ];
  return [
    ...words('--perms 0755 --dir /opt/codex'),
    ...codex,
    ...readOnlyAt(scripts.inside, '/opt/airlock'),
    ...(isRoot() ? [] : readOnlyAt(bwrap, bwrapPath)),
    ...['resolv.conf', 'nsswitch.conf', 'passwd', 'group'].flatMap((name) =>
      readOnlyAt(join(etc, name), `/etc/${name}`),
    ),
  ];
}

/**
 * As root, it has the users of the real one. As in Docker, its root cannot look into the agent's processes.
 */
function namespaces(withNetwork: boolean): string[] {
  // `network.ts` needs to be root in the namespaces.
  const user = withNetwork
    ? '--unshare-user --uid 0 --gid 0 --cap-add ALL'
    : '--unshare-user --uid 1000 --gid 1000';
  const rights = words(isRoot() ? '--cap-add ALL' : user);
  return [
    ...rights,
    ...words('--unshare-net --unshare-pid --as-pid-1 --unshare-ipc --unshare-uts --hostname container'),
    ...words('--die-with-parent --new-session --clearenv'),
  ];
}

const environment: Readonly<Record<string, string>> = {
  PATH: `${dirname(nodePath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/** With a single user, `network.ts` starts programs without privileges, and cannot be killed. */
const asUser = (): string[] =>
  isRoot()
    ? []
    : words(
        `${bwrapPath} --unshare-user --uid 1000 --gid 1000 --bind / / --dev-bind /dev /dev --unshare-pid --as-pid-1 --proc /proc --die-with-parent --`,
      );

/** Links on merged-/usr systems, folders on others. */
function linkOrFolder(path: string): string[] {
  if (!existsSync(path)) return [];
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : readOnly(path);
}

const bind = (how: '--bind' | '--ro-bind', from: string, to: string): string[] => [how, from, to];
const readOnly = (path: string): string[] => readOnlyAt(path, path);
const readOnlyAt = (from: string, to: string): string[] => bind('--ro-bind', from, to);
const words = (text: string): string[] => text.split(' ');
