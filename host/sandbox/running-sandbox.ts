/**
 * Brings one sandbox up and takes it down: folders, authority, gateway, namespaces, control line. Knows nothing of who may
 * start what when; `registry.ts` does.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
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
import { hostFiles, hostLinks, layOut, type Privilege } from './layout.ts';
import type { Programs } from './programs.ts';
import { seccompProgram } from './seccomp.ts';
import { systemFiles } from './system-files.ts';

export interface LaunchOptions {
  readonly sandboxId: string;
  readonly spec: SandboxSpec;
  readonly programs: Programs;
  readonly privilege: Privilege;
  /** Made and removed here. Its path must be short: a Unix socket's may have 107 bytes. */
  readonly folder: string;
  readonly cgroupName: string;
  readonly authority: CertificateAuthority;
  readonly egress: Egress;
}

export interface RunningSandbox {
  /** The host's id of the process that everything in it descends from. */
  readonly pid: number;
  readonly inCgroup: boolean;
  /** What keeps it from starving the host of processor time: a group's weight and quota, a low priority, or nothing. */
  readonly cpuBound: 'control group' | 'priority' | 'none';
  readonly call: ControlChannel['call'];
  /** Resolves with the reason as soon as it no longer works, by itself or by `end`; `end` must follow to free what it had. */
  readonly ended: Promise<string>;
  /** Kills all its processes and removes what it had on the host. May be called again. */
  end(): Promise<void>;
}

/** It takes about 0.2 s; a machine busy with other things may need many times that. */
const launchMs = 20_000;
const exitMs = 5_000;
const MiB = 1024 * 1024;
/** What a group holds beside processes: both disks, home, outputs, and the helpers. */
const besideProcesses = (spec: SandboxSpec) => 2 * spec.diskBytes + 1024 * MiB;
const besideThreads = 96;
const maxComplaint = 2_000;
/** About a tenth of the weight of an ordinary process. */
const niceness = 10;

/** Before anything untrusted runs: what init says of itself here is the truth, and must be what was asked for. */
const sealed = z.object({
  uid: z.literal('1000'),
  effectiveCapabilities: z.string().regex(/^0+$/),
  noNewPrivileges: z.literal('1'),
});

/** Each process joins the groups and then becomes bubblewrap. The text is fixed; paths come as arguments. */
const joinAndRun = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"';

/** Rejects when the sandbox cannot be started or is not sealed; nothing of it is left then. */
export async function launchSandbox(options: LaunchOptions): Promise<RunningSandbox> {
  const { sandboxId, folder, spec, authority, egress } = options;
  const gatewayFolder = join(folder, 'gateway');
  const etcFolder = join(folder, 'etc');
  let gateway: Gateway | null = null;
  let cgroup: Cgroup | null = null;
  let child: ChildProcess | null = null;
  let exited = Promise.resolve();

  async function release(): Promise<void> {
    // The first process of the outer namespace goes, and the kernel takes all others with it.
    child?.kill('SIGKILL');
    gateway?.close();
    await Promise.race([exited, sleep(exitMs, undefined, { ref: false })]);
    await Promise.all([cgroup?.remove(), rm(folder, { recursive: true, force: true })]);
  }

  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await mkdir(gatewayFolder, { mode: 0o700 });
    await mkdir(etcFolder);
    const files = [
      ...Object.entries(systemFiles(authority.certificatePem)),
      ['seccomp.bpf', seccompProgram(options.programs.architecture)] as const,
    ];
    [gateway, cgroup] = await Promise.all([
      openGateway({ sandboxId, folder: gatewayFolder, authority, egress }),
      createCgroup(options.cgroupName, {
        memoryBytes: spec.memoryBytes + besideProcesses(spec),
        maxThreads: spec.maxProcesses + besideThreads,
        processors: availableParallelism(),
      }),
      ...files.map(([name, text]) => writeFile(join(etcFolder, name), text, { mode: 0o644 })),
    ]);
    const { outer } = layOut({ ...options, etcFolder, gatewayFolder, present: presentPaths() });
    const process = startProcess(options.programs, outer, cgroup);
    ({ child } = process);
    exited = process.exited;
    const channel = controlChannel(process.toInit, process.fromInit);
    await Promise.race([
      Promise.all([process.ready, channel.hello.then(({ header }) => sealed.parse(header))]),
      exited.then(() => {
        throw new Error(`the sandbox did not start: ${process.complaint()}`);
      }),
      sleep(launchMs, undefined, { ref: false }).then(() => {
        throw new Error(`the sandbox did not start within ${launchMs} ms: ${process.complaint()}`);
      }),
    ]);
    const cut = Promise.race([channel.cut, exited.then(() => 'its processes ended')]);
    let ending: Promise<void> | null = null;
    const end = () => (ending ??= release());
    return {
      pid: process.pid,
      inCgroup: cgroup !== null,
      cpuBound: cpuBoundOf(options.programs, cgroup),
      call: channel.call,
      ended: cut,
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
  /** The supervisor listens. */
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;
  /** The end of what was said on standard error. For the operator: once started, the sandbox can write there. */
  complaint(): string;
}

function cpuBoundOf({ nice }: Programs, cgroup: Cgroup | null): RunningSandbox['cpuBound'] {
  if (cgroup?.boundsCpu === true) return 'control group';
  return nice === null ? 'none' : 'priority';
}

function startProcess(programs: Programs, outer: readonly string[], cgroup: Cgroup | null): SandboxProcess {
  // A priority is inherited, and only root can raise it again: nothing inside is root.
  const isNice = cpuBoundOf(programs, cgroup) === 'priority' && programs.nice !== null;
  const run = [...(isNice ? [programs.nice, '-n', String(niceness)] : []), programs.bwrap, ...outer];
  const [program = programs.bwrap, ...args] =
    cgroup === null ? run : ['/bin/sh', '-c', joinAndRun, 'sh', ...cgroup.joinFiles, '--', ...run];
  // An empty environment: the process list of the host would show it, and nothing here needs one.
  const child = spawn(program, args, { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-maxComplaint);
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
    complaint: () => complaint.trim(),
  };
}

function presentPaths() {
  const links = hostLinks
    .filter((path) => existsSync(path))
    .map((path) => {
      const target = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : '';
      return [path, target] as const;
    });
  return { links, files: hostFiles.filter((path) => existsSync(path)) };
}
