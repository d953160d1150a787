/**
 * Builds the bubblewrap arguments of a sandbox: two nested sets of namespaces. Pure; starts nothing.
 *
 * The outer set has a network namespace with loopback only. In it the supervisor listens on ports 80, 443 and
 * 53 and pipes the first two to the gateway's sockets. The inner set has its own user, process and mount
 * namespaces: a process in it can neither see nor signal the supervisor, and no socket of the host is mounted
 * there.
 *
 * The disks of a sandbox are mounted around the inner set and bound into it, because bubblewrap cannot limit
 * the inodes of a tmpfs: by the supervisor's own command line where its set has the rights to mount, else in
 * a mount namespace around bubblewrap.
 *
 * The outer set sees only what the inner set is built from. Neither mounts the host's `/`, `/home`, `/root`,
 * `/run`, `/sys` or `/var`.
 */
import { join } from 'node:path';
import { scriptCommand } from '../../src/core/checkout.ts';
import type { SandboxSpec } from '../../src/core/ports/sandbox-port.ts';
import type { Programs } from './programs.ts';
import { javaTrustStorePath } from './java-trust-store.ts';
import { caPath, environment } from './system-files.ts';
import type { Toolchain } from './toolchains.ts';

/**
 * `root`: no user namespace for the outer set; the inner one has a user id of its own. `user`: the outer set
 * gets its rights from a user namespace; the inner one runs as the host's user.
 */
export type Privilege = { readonly kind: 'root'; readonly runAs: number } | { readonly kind: 'user' };

export interface LayoutInput {
  readonly programs: Programs;
  readonly privilege: Privilege;
  readonly spec: SandboxSpec;
  readonly toolchains: readonly Toolchain[];
  /** Folder that holds the files of `systemFiles`, world-readable. */
  readonly etcFolder: string;
  /** Folder with an empty folder for each name of `diskNames`. */
  readonly disksFolder: string;
  /** Folder with the gateway's `http.sock` and `tls.sock`. */
  readonly gatewayFolder: string;
  /** Those paths of `hostLinks` and `hostFiles` that exist on this host. */
  readonly present: {
    readonly links: readonly (readonly [path: string, target: string])[];
    readonly files: readonly string[];
  };
}

const MiB = 1024 * 1024;
/** For the outputs of all runs. A run that writes more gets ENOSPC, as on any full disk. */
const runOutputBytes = 256 * MiB;
const homeBytes = 1024 * MiB;
const sharedMemoryBytes = 256 * MiB;
/**
 * An empty file takes about 1 KiB of the kernel's memory: 450,000 took 440 MB in nine seconds. Packages have
 * 10 KiB a file, so a disk fills up before its inodes do, which take at most an eighth of it.
 */
const bytesPerInode = 8 * 1024;
/** For the smallest disks, which tests have. */
const minInodes = 4096;
/** Init's own threads, which count against the limit on user processes. */
const initThreads = 16;
const maxOpenFiles = 8192;
/** Descriptor at which the supervisor passes `seccomp.bpf` to the inner bubblewrap. */
const seccompDescriptor = 3;

/** Symbolic links on systems with a merged /usr; elsewhere folders, which are then bound. */
export const hostLinks = ['/bin', '/sbin', '/lib', '/lib64', '/lib32', '/libx32'] as const;

/**
 * What programs in `/usr` need. Deliberately left out: `/etc/ssl` (trusted roots and private keys),
 * `/etc/gitconfig` and `/etc/passwd`.
 */
export const hostFiles = [
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/ssl/openssl.cnf',
  // Programs of /usr have links there. Maven's `settings.xml` is not one of them: it can hold passwords.
  '/etc/maven/m2.conf',
  '/etc/maven/logging',
] as const;

export const diskNames = ['tmp', 'workspace', 'home', 'run', 'shm'] as const;

interface Disk {
  readonly path: string;
  readonly bytes: number;
}

function disksOf({ diskBytes }: SandboxSpec): Readonly<Record<(typeof diskNames)[number], Disk>> {
  return {
    tmp: { path: '/tmp', bytes: diskBytes },
    workspace: { path: '/workspace', bytes: diskBytes },
    home: { path: '/home/codex', bytes: Math.min(diskBytes, homeBytes) },
    run: { path: '/run/airlock', bytes: runOutputBytes },
    shm: { path: '/dev/shm', bytes: sharedMemoryBytes },
  };
}

/** The command line of the outer bubblewrap, with whatever has to run around it. */
export function layOut(input: LayoutInput): readonly string[] {
  const { programs, privilege, disksFolder } = input;
  const outer = [programs.bwrap, ...outerNamespaces(input), '--'];
  const supervisor = supervisorCommand(input);
  if (programs.mount === null) return [...outer, ...supervisor];
  if (privilege.kind === 'user')
    return [...outer, ...mountDisks(input, programs.mount.mount, '/airlock/disks'), ...supervisor];
  const mounts = mountDisks(input, programs.mount.mount, disksFolder);
  return [programs.mount.unshare, '--mount', '--', ...mounts, ...outer, ...supervisor];
}

/** A command line that mounts the disks below a folder and becomes the command line behind it. */
function mountDisks({ spec, privilege }: LayoutInput, mount: string, folder: string): string[] {
  const owner = privilege.kind === 'root' ? `,uid=${privilege.runAs},gid=${privilege.runAs}` : '';
  const disks = disksOf(spec);
  return [
    '/bin/sh',
    '-c',
    `while [ "$1" != -- ]; do ${mount} -n -t tmpfs -o "$2" tmpfs "$1" || exit 1; shift 2; done; shift; exec "$@"`,
    'sh',
    ...diskNames.flatMap((name) => {
      const { bytes } = disks[name];
      const inodes = Math.max(minInodes, Math.floor(bytes / bytesPerInode));
      return [join(folder, name), `nosuid,nodev,mode=0700,size=${bytes},nr_inodes=${inodes}${owner}`];
    }),
    '--',
  ];
}

function bindDisks({ programs, spec }: LayoutInput): string[] {
  const disks = disksOf(spec);
  return diskNames.flatMap((name) => {
    const { path, bytes } = disks[name];
    return programs.mount === null
      ? ['--perms', '0700', '--size', String(bytes), '--tmpfs', path]
      : ['--bind', `/airlock/disks/${name}`, path];
  });
}

function outerNamespaces({
  programs,
  privilege,
  etcFolder,
  gatewayFolder,
  disksFolder,
  present,
  toolchains,
}: LayoutInput): string[] {
  const rights =
    privilege.kind === 'root'
      ? [
          '--cap-drop',
          'ALL',
          ...['NET_BIND_SERVICE', 'SETUID', 'SETGID'].flatMap((name) => ['--cap-add', `CAP_${name}`]),
        ]
      : ['--unshare-user', '--uid', '0', '--gid', '0', '--cap-add', 'ALL'];
  return [
    ...rights,
    ...words('--unshare-net --unshare-pid --unshare-ipc --unshare-uts --hostname airlock'),
    ...words('--die-with-parent --new-session --clearenv'),
    // Each folder above a file of the host: bubblewrap makes one that the inner set's user could not enter.
    ...openFolders(
      '/etc',
      '/etc/maven',
      '/etc/ssl',
      '/airlock',
      '/airlock/node',
      '/airlock/node/bin',
      '/airlock/codex',
    ),
    ...hostSystem(present),
    ...words('--proc /proc --dev /dev --tmpfs /tmp'),
    // The kernel allows a new proc mount in a user namespace only where an uncovered proc is visible, and
    // bubblewrap covers parts of the one that it mounts for root. Only the supervisor sees this second mount.
    ...words('--bind /proc /airlock/proc'),
    ...openFolders('/airlock/disks', '/airlock/toolchains'),
    ...diskNames.flatMap((name) =>
      privilege.kind === 'user'
        ? openFolders(`/airlock/disks/${name}`)
        : ['--bind', join(disksFolder, name), `/airlock/disks/${name}`],
    ),
    ...readOnly(programs.bwrap, '/airlock/bwrap'),
    ...(programs.nodeFolder === null
      ? readOnly(programs.nodeFile, '/airlock/node/bin/node')
      : readOnly(programs.nodeFolder, '/airlock/node')),
    ...(programs.codexFolder === null
      ? []
      : [
          ...readOnly(join(programs.codexFolder, 'bin'), '/airlock/codex/bin'),
          ...readOnly(join(programs.codexFolder, 'codex-path'), '/airlock/codex/path'),
        ]),
    ...readOnly(programs.scripts.inside, '/airlock/container'),
    ...readOnly(etcFolder, '/airlock/etc'),
    ...readOnly(gatewayFolder, '/airlock/gateway'),
    ...toolchains.flatMap(({ source }, index) => readOnly(source, `/airlock/toolchains/${index}`)),
    ...readOnly(programs.scripts.supervisor, '/airlock/supervisor'),
    ...words('--remount-ro /'),
  ];
}

function supervisorCommand(input: LayoutInput): string[] {
  const runAs = input.privilege.kind === 'root' ? String(input.privilege.runAs) : 'self';
  const inner = ['/airlock/bwrap', ...innerNamespaces(input), '--', ...initCommand(input)];
  return [
    '/airlock/node/bin/node',
    '--disable-sigusr1',
    '/airlock/supervisor/supervisor.js',
    runAs,
    ...inner,
  ];
}

function innerNamespaces(input: LayoutInput): string[] {
  const { programs, present, toolchains } = input;
  const bins = toolchains.flatMap(({ bin }) => bin ?? []);
  const variables = { ...environment, PATH: [...bins, environment['PATH']].join(':') };
  return [
    ...words(`--seccomp ${seccompDescriptor}`),
    ...words('--unshare-user --disable-userns --uid 1000 --gid 1000 --cap-drop ALL'),
    ...words('--unshare-pid --unshare-ipc --unshare-uts --hostname airlock --unshare-cgroup-try'),
    ...words('--die-with-parent --new-session --clearenv'),
    ...Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value]),
    ...openFolders(
      '/etc',
      '/etc/airlock',
      '/etc/ssl',
      '/etc/ssl/certs',
      '/etc/ssl/certs/java',
      '/home',
      '/opt',
      '/opt/codex',
      '/run',
    ),
    ...hostSystem(present),
    ...['hosts', 'resolv.conf', 'nsswitch.conf', 'passwd', 'group'].flatMap((name) =>
      readOnly(`/airlock/etc/${name}`, `/etc/${name}`),
    ),
    ...readOnly('/airlock/etc/ca.pem', caPath),
    // For programs that do not read the environment variables.
    ...readOnly('/airlock/etc/ca.pem', '/etc/ssl/certs/ca-certificates.crt'),
    ...readOnly('/airlock/etc/cacerts', javaTrustStorePath),
    ...readOnly('/airlock/container', '/opt/airlock'),
    ...readOnly('/airlock/node', '/opt/node'),
    ...(programs.codexFolder === null ? [] : readOnly('/airlock/codex', '/opt/codex')),
    ...words('--proc /proc --dev /dev'),
    ...bindDisks(input),
    ...toolchains.flatMap(({ targets }, index) =>
      targets.flatMap((target) => readOnly(`/airlock/toolchains/${index}`, target)),
    ),
    // Bubblewrap builds these two on a tmpfs without a size limit.
    ...words('--remount-ro / --remount-ro /dev --chdir /workspace'),
  ];
}

function initCommand({ programs, spec }: LayoutInput): string[] {
  const limits =
    programs.prlimit === null
      ? []
      : [
          programs.prlimit,
          // Set inside the inner set: outside it the kernel would count every process that this user has on
          // the host.
          `--nproc=${spec.maxProcesses + initThreads}`,
          `--nofile=${maxOpenFiles}`,
          // Limits a file to the disk size. Also bounds files that are on no disk (memfd).
          `--fsize=${spec.diskBytes}`,
          '--core=0',
        ];
  // Lists the descriptors before Node runs, because Node opens some of its own. Init reports the list, and
  // the host refuses a sandbox that inherited more than standard input, output and error.
  const listDescriptors =
    'list=; for fd in /proc/self/fd/*; do [ -e "$fd" ] && list="$list${list:+ }${fd##*/}"; done; exec "$@" "$list"';
  const node = scriptCommand('sandbox-init');
  return [...limits, '/bin/sh', '-c', listDescriptors, 'sh', ...node];
}

function hostSystem({ links, files }: LayoutInput['present']): string[] {
  return [
    ...readOnly('/usr', '/usr'),
    ...links.flatMap(([path, target]) =>
      target === '' ? readOnly(path, path) : ['--symlink', target, path],
    ),
    ...files.flatMap((path) => readOnly(path, path)),
  ];
}

const words = (text: string): string[] => text.split(' ');

/** Bubblewrap's are for its own user only, and the inner set can run as another one. */
function openFolders(...paths: readonly string[]): string[] {
  return paths.flatMap((path) => ['--perms', '0755', '--dir', path]);
}

function readOnly(from: string, to: string): string[] {
  return ['--ro-bind', from, to];
}
