/**
 * A fake container: the stand-in for the SDK's server in namespaces of its own, made by bubblewrap. Processes, files and mounts are real
 * and its own, and end with it; there is no network in it, and no isolation is claimed: that is the platform's business.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findPrograms, type Programs } from '../../local/sandbox/programs.ts';
import { hostFiles, hostLinks } from '../../local/sandbox/layout.ts';

export interface FakeContainer {
  /** The stand-in's socket, in the place of port 3000. */
  readonly controlSocket: string;
  /** Its `/etc`, as far as it may be written from outside: `/etc/cloudflare`. */
  readonly etc: string;
  /** `onEnd` gets the exit code, when it has ended by itself or was killed. */
  start(onEnd: (exitCode: number) => void): void;
  /** Resolves when nothing of it runs any more. */
  kill(): Promise<void>;
  /** Kills it and removes its files. */
  remove(): Promise<void>;
}

export async function createContainer(env: Readonly<Record<string, string>>): Promise<FakeContainer> {
  const programs = findPrograms();
  if (programs === null) throw new Error('there is no bubblewrap on this machine');
  const folder = await mkdtemp(join(tmpdir(), 'airlock-engine-'));
  const [control, etc] = [join(folder, 'control'), join(folder, 'etc')];
  await Promise.all([control, join(etc, 'cloudflare')].map((path) => mkdir(path, { recursive: true })));
  await writeFile(join(etc, 'hosts'), '127.0.0.1 localhost\n');
  let child: ChildProcess | null = null;
  let killed = false;
  let ended: Promise<void> = Promise.resolve();
  const kill = async () => {
    killed = true;
    child?.kill('SIGKILL');
    await ended;
  };
  return {
    controlSocket: join(control, '3000.sock'),
    etc,
    start(onEnd) {
      const variables = { ...environment, ...env };
      const settings = Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value]);
      const args = [...namespaces(), ...settings, ...files(programs, { control, etc }), '--', ...server()];
      const started = spawn(programs.bwrap, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      child = started;
      // What it complains of while it is being killed is of no interest; anything else is.
      started.stderr.on('data', (chunk: Buffer) => {
        if (!killed) process.stderr.write(chunk);
      });
      ended = new Promise((resolve) => {
        const end = (exitCode: number) => {
          onEnd(exitCode);
          resolve();
        };
        started.once('error', () => end(125));
        started.once('exit', (code) => end(code ?? 137));
      });
    },
    kill,
    async remove() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Where every user of the container may start it; the checkout may lie below a folder that is closed to them. */
const nodePath = '/opt/node/bin/node';

const server = (): string[] => [
  nodePath,
  join(import.meta.dirname, 'control-server.ts'),
  '/control/3000.sock',
];

function files(
  { checkout, nodeFile }: Programs,
  { control, etc }: { control: string; etc: string },
): string[] {
  return [
    ...readOnly('/usr'),
    ...hostLinks.flatMap((path) => linkOrFolder(path)),
    ...['/etc', '/run', '/var/lib', '/home', '/opt', '/opt/node', '/opt/node/bin'].flatMap((path) => [
      '--perms',
      '0755',
      '--dir',
      path,
    ]),
    ...hostFiles.filter((path) => existsSync(path)).flatMap((path) => readOnly(path)),
    ...bind('--ro-bind', join(etc, 'hosts'), '/etc/hosts'),
    ...bind('--bind', join(etc, 'cloudflare'), '/etc/cloudflare'),
    ...words('--proc /proc --dev /dev --perms 1777 --tmpfs /tmp'),
    // After /tmp: the checkout may lie below it.
    ...readOnly(checkout),
    ...bind('--ro-bind', nodeFile, nodePath),
    ...bind('--bind', control, '/control'),
  ];
}

/** As root the container has its users, as the real one; otherwise there is just one, who is whoever runs this. */
function namespaces(): string[] {
  const rights =
    process.getuid?.() === 0 ? words('--cap-add ALL') : words('--unshare-user --uid 1000 --gid 1000');
  return [
    ...rights,
    ...words('--unshare-net --unshare-pid --unshare-ipc --unshare-uts --hostname container'),
    ...words('--die-with-parent --new-session --clearenv'),
  ];
}

const environment: Readonly<Record<string, string>> = {
  PATH: `${dirname(nodePath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
  HOME: '/root',
  LANG: 'C.UTF-8',
};

/** On merged-/usr systems these are links; on others they are folders. */
function linkOrFolder(path: string): string[] {
  if (!existsSync(path)) return [];
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : readOnly(path);
}

const bind = (how: '--bind' | '--ro-bind', from: string, to: string): string[] => [how, from, to];
const readOnly = (path: string): string[] => bind('--ro-bind', path, path);
const words = (text: string): string[] => text.split(' ');
