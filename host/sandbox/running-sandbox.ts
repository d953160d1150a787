/** Starts and ends one sandbox: folders, certificates, gateway, namespaces, control channel. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { SandboxSpec } from '../../src/core/ports/sandbox-port.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { createCgroup, type Cgroup } from './cgroup.ts';
import { controlChannel, type ControlChannel } from './control-channel.ts';
import type { Egress } from './egress-forward.ts';
import { openGateway, type Gateway } from './gateway.ts';
import { diskNames, hostFiles, hostLinks, layOut, type Privilege } from './layout.ts';
import { javaTrustStore } from './java-trust-store.ts';
import { lowerPriority } from './priority.ts';
import type { Programs } from './programs.ts';
import { seccompProgram } from './seccomp.ts';
import { systemFiles } from './system-files.ts';
import type { Toolchain } from './toolchains.ts';

export interface LaunchOptions {
  readonly sandboxId: string;
  readonly spec: SandboxSpec;
  readonly toolchains: readonly Toolchain[];
  readonly programs: Programs;
  readonly privilege: Privilege;
  /** Created and removed here. Its path must be short: a Unix socket's path is limited to 107 bytes. */
  readonly folder: string;
  readonly cgroupName: string;
  readonly authority: CertificateAuthority;
  readonly egress: Egress;
}

export interface RunningSandbox {
  /** Process id, on the host, of the root of the sandbox's process tree. */
  readonly pid: number;
  readonly inCgroup: boolean;
  /** Of its control group; null without one. Throws where the group cannot be read. */
  readonly processIds: (() => ReadonlySet<number>) | null;
  /** What limits its processor time: a group's weight and quota, or a low priority. */
  readonly cpuBound: 'control group' | 'priority';
  /** Call it before anything untrusted, and after the canary, which keeps its deadlines. Idempotent. */
  lowerPriority(): Promise<void>;
  readonly call: ControlChannel['call'];
  /** Why the sandbox no longer works. Call `end` afterwards to release its resources. */
  readonly ended: Promise<string>;
  /** Kills all its processes and removes its files on the host. Idempotent. */
  end(): Promise<void>;
}

/** A start takes about 0.2 s, and 19 s when twelve start next to 16 busy programs on two cores. */
const launchMs = 45_000;
const exitMs = 5_000;
const MiB = 1024 * 1024;
/** Beyond the task's processes: disks, home, outputs, helpers, an eighth of each disk for inodes. */
const overheadBytes = (spec: SandboxSpec) => Math.ceil((9 / 8) * (2 * spec.diskBytes + 1024 * MiB));
/** Threads of our helpers, with room to spare. */
const overheadThreads = 96;
const maxErrorOutputChars = 2_000;

/** Init's first frame. Trustworthy, because nothing untrusted runs yet; else unsealed. */
const sealed = z.object({
  uid: z.literal('1000'),
  effectiveCapabilities: z.string().regex(/^0+$/),
  noNewPrivileges: z.literal('1'),
  /** Everything above standard error was inherited from the host. */
  descriptors: z.literal('0 1 2'),
});

/** Shell script that joins the control groups and then becomes bubblewrap. Paths are passed as arguments. */
const joinAndRun = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"';

/** Starts a sandbox. If it cannot start or is not sealed, removes everything and rejects. */
export async function launchSandbox(options: LaunchOptions): Promise<RunningSandbox> {
  const { sandboxId, folder, spec, authority, egress } = options;
  const gatewayFolder = join(folder, 'gateway');
  const etcFolder = join(folder, 'etc');
  const disksFolder = join(folder, 'disks');
  let gateway: Gateway | null = null;
  let cgroup: Cgroup | null = null;
  let child: ChildProcess | null = null;
  let exited = Promise.resolve();

  async function release(): Promise<void> {
    // Killing the first process of the outer PID namespace makes the kernel kill all others.
    child?.kill('SIGKILL');
    gateway?.close();
    await Promise.race([exited, sleep(exitMs, undefined, { ref: false })]);
    await Promise.all([cgroup?.remove(), rm(folder, { recursive: true, force: true })]);
  }

  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await mkdir(gatewayFolder, { mode: 0o700 });
    await Promise.all([
      mkdir(etcFolder),
      ...diskNames.map(async (name) => await mkdir(join(disksFolder, name), { recursive: true })),
    ]);
    const files = [
      ...Object.entries(systemFiles(authority.certificatePem)),
      ['cacerts', javaTrustStore(authority.certificatePem, Date.now())] as const,
      ['seccomp.bpf', seccompProgram(options.programs.architecture)] as const,
    ];
    [gateway, cgroup] = await Promise.all([
      openGateway({ sandboxId, folder: gatewayFolder, authority, egress }),
      createCgroup(options.cgroupName, {
        memoryBytes: spec.memoryBytes + overheadBytes(spec),
        maxThreads: spec.maxProcesses + overheadThreads,
        processors: availableParallelism(),
      }),
      ...files.map(([name, text]) => writeFile(join(etcFolder, name), text, { mode: 0o644 })),
    ]);
    const run = layOut({ ...options, etcFolder, disksFolder, gatewayFolder, present: presentPaths() });
    const process = startProcess(run, cgroup);
    ({ child } = process);
    exited = process.exited;
    const channel = controlChannel(process.toInit, process.fromInit);
    await Promise.race([
      Promise.all([process.ready, channel.hello.then(({ header }) => sealed.parse(header))]),
      exited.then(() => {
        throw new Error(`the sandbox did not start: ${process.errorOutput()}`);
      }),
      sleep(launchMs, undefined, { ref: false }).then(() => {
        throw new Error(`the sandbox did not start within ${launchMs} ms: ${process.errorOutput()}`);
      }),
    ]);
    const ended = Promise.race([channel.closed, exited.then(() => 'its processes ended')]);
    const cpuBound = cgroup?.boundsCpu === true ? 'control group' : 'priority';
    let isLowered = false;
    let ending: Promise<void> | null = null;
    const end = () => (ending ??= release());
    return {
      pid: process.pid,
      inCgroup: cgroup !== null,
      processIds: cgroup?.processIds ?? null,
      cpuBound,
      async lowerPriority() {
        if (isLowered) return;
        if (cpuBound === 'control group') await cgroup?.lowerCpuWeight();
        else lowerPriority(process.pid);
        isLowered = true;
      },
      call: channel.call,
      ended,
      end,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

interface SandboxProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly toInit: Writable;
  readonly fromInit: Readable;
  /** Resolves when the supervisor listens. */
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;
  /** The last 2,000 characters, for the operator. Untrusted once the sandbox has started. */
  errorOutput(): string;
}

function startProcess(run: readonly string[], cgroup: Cgroup | null): SandboxProcess {
  const [program = '', ...args] =
    cgroup === null ? run : ['/bin/sh', '-c', joinAndRun, 'sh', ...cgroup.joinFiles, '--', ...run];
  // An empty environment, because other users could read it in the host's process list and nothing here needs
  // one.
  // Detached: a terminal's Ctrl-C does not reach it, because the bot waits for running tasks.
  const child = spawn(program, args, {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let errorOutput = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errorOutput = (errorOutput + chunk.toString('utf8')).slice(-maxErrorOutputChars);
  });
  const status = child.stdio[3];
  const ready = new Promise<void>((resolve) => {
    if (status !== null && status !== undefined && 'once' in status) status.once('data', () => resolve());
  });
  return {
    child,
    pid: child.pid ?? -1,
    toInit: child.stdin,
    fromInit: child.stdout,
    ready,
    exited,
    errorOutput: () => errorOutput.trim(),
  };
}

function presentPaths() {
  const links = hostLinks
    .filter((path) => existsSync(path))
    .map((path) => {
      const target = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : '';
      return [path, target] as const;
    });
  // Each version of Java has its settings there; they are public.
  const java = readdirSync('/etc').flatMap((name) =>
    /^java-\d+-openjdk$/.test(name) ? [`/etc/${name}`] : [],
  );
  return { links, files: [...hostFiles.filter((path) => existsSync(path)), ...java] };
}
