/**
 * Puts one sandbox into a control group, where possible (as root). It bounds what no other limit covers:
 * memory of no process, such as tmpfs contents and memfds, and processor time.
 */
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Cgroup {
  /** A process joins the group by writing its own id to each of these files. */
  readonly joinFiles: readonly string[];
  /** Its processes' ids. Throws where the file cannot be read, as after `remove`. */
  readonly processIds: () => ReadonlySet<number>;
  /** Whether the group can limit processor time. Not every hierarchy has that controller. */
  readonly boundsCpu: boolean;
  /** Lowers the group's share of contended processors from an ordinary program's to a sandbox's. */
  lowerCpuWeight(): Promise<void>;
  /** Call it after all processes have ended. Best effort: a leftover empty group costs nothing. */
  remove(): Promise<void>;
}

interface Controller {
  readonly root: string;
  readonly settings: (limits: CgroupLimits) => readonly (readonly [file: string, value: string])[];
  /** File that exists in a new group only if the controller is active there. */
  readonly proof: string;
  /** Settings for `lowerCpuWeight`. */
  readonly lowered?: readonly (readonly [file: string, value: string])[];
  /** Set if the group is still useful without this controller. */
  readonly optional?: true;
}

export interface CgroupLimits {
  /** Sum of process memory, file systems and kernel structures. */
  readonly memoryBytes: number;
  readonly maxThreads: number;
  /** Number of processors of the machine. */
  readonly processors: number;
}

/** The kernel's defaults. A group has them while the canary runs, which has deadlines. */
const ordinaryCpu = { weight: 100, shares: 1024 };
/** An eighth of the default: eight sandboxes weigh as much as one of the host's groups under contention. */
const loweredCpu = { weight: 12, shares: 128 };
const cpuPeriodUs = 100_000;
/** At most 90 % of the machine, so that the gateway and the watchdog run without delay. */
const cpuQuotaUs = (processors: number): number | null =>
  // On a single processor the quota would pause the whole sandbox in every period.
  processors < 2 ? null : Math.round(0.9 * processors * cpuPeriodUs);

/** cgroup v2. */
const unified: readonly Controller[] = [
  {
    root: '/sys/fs/cgroup',
    proof: 'memory.max',
    lowered: [['cpu.weight', String(loweredCpu.weight)]],
    settings: ({ memoryBytes, maxThreads, processors }) => [
      ['memory.max', String(memoryBytes)],
      ['memory.swap.max', '0'],
      ['pids.max', String(maxThreads)],
      ['cpu.weight', String(ordinaryCpu.weight)],
      ['cpu.max', `${cpuQuotaUs(processors) ?? 'max'} ${cpuPeriodUs}`],
    ],
  },
];

/** cgroup v1: one hierarchy per controller. */
const separate: readonly Controller[] = [
  {
    root: '/sys/fs/cgroup/memory',
    proof: 'memory.limit_in_bytes',
    settings: ({ memoryBytes }) => [['memory.limit_in_bytes', String(memoryBytes)]],
  },
  {
    root: '/sys/fs/cgroup/pids',
    proof: 'pids.max',
    settings: ({ maxThreads }) => [['pids.max', String(maxThreads)]],
  },
  {
    root: '/sys/fs/cgroup/cpu',
    proof: 'cpu.shares',
    lowered: [['cpu.shares', String(loweredCpu.shares)]],
    optional: true,
    settings: ({ processors }) => [
      ['cpu.shares', String(ordinaryCpu.shares)],
      ['cpu.cfs_period_us', String(cpuPeriodUs)],
      ['cpu.cfs_quota_us', String(cpuQuotaUs(processors) ?? -1)],
    ],
  },
];

const prefix = 'airlock-';
/** Settings that some kernels or hierarchies lack. The group is created without them. */
const optionalSettings = new Set([
  'memory.swap.max',
  'cpu.weight',
  'cpu.max',
  'cpu.shares',
  'cpu.cfs_period_us',
  'cpu.cfs_quota_us',
]);

/** Null where the machine does not allow it. `name` must be unique on the machine. */
export async function createCgroup(name: string, limits: CgroupLimits): Promise<Cgroup | null> {
  for (const controllers of [unified, separate]) {
    const group = await createIn(controllers, `${prefix}${name}`, limits);
    if (group !== null) return group;
  }
  return null;
}

async function createIn(
  controllers: readonly Controller[],
  name: string,
  limits: CgroupLimits,
): Promise<Cgroup | null> {
  const created: string[] = [];
  const toLower: (readonly [path: string, value: string])[] = [];
  try {
    for (const controller of controllers) {
      const folder = join(controller.root, name);
      try {
        const written = await createGroup(controller, folder, limits);
        created.push(folder);
        for (const [file, value] of controller.lowered ?? [])
          if (written.includes(file)) toLower.push([join(folder, file), value]);
      } catch (error) {
        await removeAll([folder]);
        if (controller.optional === undefined) throw error;
      }
    }
    const joinFiles = created.map((folder) => join(folder, 'cgroup.procs'));
    return {
      joinFiles,
      processIds: () =>
        new Set(
          readFileSync(joinFiles[0] ?? '', 'utf8')
            .trim()
            .split('\n')
            .map(Number),
        ),
      boundsCpu: toLower.length > 0,
      async lowerCpuWeight() {
        for (const [path, value] of toLower) await appendFile(path, value);
      },
      remove: () => removeAll(created),
    };
  } catch {
    // Not root, an unknown layout or a read-only mount: the sandbox runs without a group.
    await removeAll(created);
    return null;
  }
}

/** Returns the names of the settings that took effect. */
async function createGroup(
  { root, proof, settings }: Controller,
  folder: string,
  limits: CgroupLimits,
): Promise<string[]> {
  // Checked first: where no hierarchy is mounted, `mkdir` would leave a plain folder behind.
  await stat(join(root, 'cgroup.procs'));
  await mkdir(folder);
  await stat(join(folder, proof));
  const written: string[] = [];
  for (const [file, value] of settings(limits)) {
    try {
      await appendFile(join(folder, file), value);
      written.push(file);
    } catch (error) {
      if (!optionalSettings.has(file)) throw error;
    }
  }
  return written;
}

async function removeAll(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    // A killed process leaves its group a moment after its parent has seen the exit.
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        await rmdir(folder);
        break;
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EBUSY')) break;
        await sleep(25);
      }
    }
  }
}

/** Removes the groups of killed hosts: those named `airlock-<pid>-…` whose process no longer exists. */
export async function removeAbandonedCgroups(): Promise<void> {
  for (const { root } of [...unified, ...separate]) {
    const names = await readdir(root).catch(() => []);
    for (const name of names) {
      const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
      if (owner !== undefined && !isAlive(Number(owner))) await removeAll([join(root, name)]);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
