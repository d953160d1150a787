/** Finds out whether this machine runs sealed sandboxes, by starting one; else cause and remedy. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificateAuthority } from './certificate-authority.ts';
import { createEgress } from './egress-forward.ts';
import type { Privilege } from './layout.ts';
import { findPrograms, type Programs } from './programs.ts';
import { launchSandbox, type RunningSandbox } from './running-sandbox.ts';

export interface EnforcedLimits {
  readonly cpu: RunningSandbox['cpuBound'];
  readonly disk: 'file system size and inodes' | 'file system size';
  readonly memory: 'control group and watchdog' | 'watchdog';
  readonly processes: 'control group, user limit and watchdog' | 'user limit and watchdog' | 'watchdog';
  /** Which user an escaped process would be on the host. */
  readonly escapesTo: 'an unused user' | 'the user who started Airlock' | 'root';
}

export type SandboxSupport =
  | {
      readonly ok: true;
      readonly limits: EnforcedLimits;
      readonly programs: Programs;
      readonly privilege: Privilege['kind'];
    }
  | { readonly ok: false; readonly problem: string; readonly remedy: string };

/** Above distributions' ids and below systemd's dynamic users (65,536); no package uses them. */
const firstUser = 64_000;

export function privilegeFor(kind: Privilege['kind'], slot: number): Privilege {
  return kind === 'root' ? { kind, runAs: firstUser + slot } : { kind };
}

let found: Promise<SandboxSupport> | null = null;

/** Starts a test sandbox. Caches success for the life of the process, and checks again after a failure. */
export async function checkSandboxSupport(): Promise<SandboxSupport> {
  const support = await (found ??= findSupport());
  if (!support.ok) found = null;
  return support;
}

async function findSupport(): Promise<SandboxSupport> {
  if (process.platform !== 'linux') {
    return {
      ok: false,
      problem: `Sandboxes need Linux namespaces; this is ${process.platform}.`,
      remedy: 'Run Airlock on Linux, for example in a virtual machine.',
    };
  }
  const programs = findPrograms();
  if (programs === null) {
    return {
      ok: false,
      problem: 'Bubblewrap is not installed on this machine.',
      remedy:
        'Run `npm ci` on x64 or arm64 (the Codex package includes it), or install the package `bubblewrap`.',
    };
  }
  const root = process.geteuid?.() === 0;
  const problems: string[] = [];
  for (const kind of root ? (['root', 'user'] as const) : (['user'] as const))
    // A machine that lets bubblewrap mount a tmpfs and nobody else still has sandboxes, with fewer limits.
    for (const usable of programs.mount === null ? [programs] : [programs, { ...programs, mount: null }]) {
      const tried = await tryLaunch(usable, kind);
      if (tried.ok) {
        const limits = limitsFor(usable, kind, root, tried.sandbox);
        return { ok: true, limits, programs: usable, privilege: kind };
      }
      problems.push(tried.problem);
    }
  return { ok: false, ...explain(problems.join('; '), readSetting) };
}

function limitsFor(
  programs: Programs,
  kind: Privilege['kind'],
  root: boolean,
  { inCgroup, cpuBound }: RunningSandbox,
): EnforcedLimits {
  // The kernel exempts root from the limit on user processes, in every namespace.
  const userLimit = programs.prlimit !== null && (kind === 'root' || !root);
  return {
    cpu: cpuBound,
    disk: programs.mount === null ? 'file system size' : 'file system size and inodes',
    memory: inCgroup ? 'control group and watchdog' : 'watchdog',
    processes: !userLimit
      ? 'watchdog'
      : inCgroup
        ? 'control group, user limit and watchdog'
        : 'user limit and watchdog',
    escapesTo: kind === 'root' ? 'an unused user' : root ? 'root' : 'the user who started Airlock',
  };
}

async function tryLaunch(programs: Programs, kind: Privilege['kind']) {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-check-'));
  const egress = createEgress(() => ({ origin: 'http://127.0.0.1:9', token: '' }));
  try {
    const sandbox = await launchSandbox({
      sandboxId: '0'.repeat(64),
      spec: { memoryBytes: 512 * 1024 * 1024, diskBytes: 1024 * 1024, maxProcesses: 64 },
      toolchains: [],
      programs,
      privilege: privilegeFor(kind, 0),
      folder: join(folder, 's'),
      cgroupName: `${process.pid}-check-${randomBytes(4).toString('hex')}`,
      authority: await createCertificateAuthority(Date.now()),
      egress,
    });
    await sandbox.end();
    return { ok: true as const, sandbox };
  } catch (error) {
    return { ok: false as const, problem: error instanceof Error ? error.message : 'unknown' };
  } finally {
    egress.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The most specific cause first. `readSetting` reads below `/proc/sys`; null if it does not exist. */
export function explain(
  problem: string,
  readSetting: (path: string) => string | null,
): { problem: string; remedy: string } {
  const refused = 'This machine does not let Airlock create user namespaces';
  if (readSetting('user/max_user_namespaces') === '0') {
    return {
      problem: `${refused}: user.max_user_namespaces is 0.`,
      remedy: 'Allow them: `sudo sysctl -w user.max_user_namespaces=15000`.',
    };
  }
  if (readSetting('kernel/unprivileged_userns_clone') === '0') {
    return {
      problem: `${refused}: kernel.unprivileged_userns_clone is 0.`,
      remedy: 'Allow them: `sudo sysctl -w kernel.unprivileged_userns_clone=1`.',
    };
  }
  if (readSetting('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      problem:
        `${refused}: AppArmor restricts them ` +
        '(kernel.apparmor_restrict_unprivileged_userns is 1, the default of Ubuntu 24.04).',
      remedy:
        'Give bubblewrap an AppArmor profile with `userns,` (see docs/setup.md), or lift the restriction: ' +
        '`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`.',
    };
  }
  return {
    problem: `A sealed sandbox could not be started: ${problem}`,
    remedy:
      'If this is a container, its seccomp profile or its missing capabilities usually forbid namespaces: ' +
      'run Airlock on the machine itself or in a virtual machine.',
  };
}

function readSetting(path: string): string | null {
  try {
    return readFileSync(join('/proc/sys', path), 'utf8').trim();
  } catch {
    return null;
  }
}
