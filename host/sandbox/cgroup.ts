/**
 * A control group around one sandbox, where the host may make one (as root, and the hierarchy is writable). It bounds what nothing
 * else does: memory that belongs to no process, such as what lies on the sandbox's file systems or in files without a name; and its part
 * of the processors.
 */
import { appendFile, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Cgroup {
  /** Files that a process writes its own id to in order to join. */
  readonly joinFiles: readonly string[];
  /** Whether it bounds processor time as well: not every group may. */
  readonly boundsCpu: boolean;
  /** Once all its processes are gone. Best effort: an empty group that stays costs nothing. */
  remove(): Promise<void>;
}

interface Controller {
  readonly root: string;
  readonly settings: (limits: CgroupLimits) => readonly (readonly [file: string, value: string])[];
  /** Must exist in a new group, or the controller is not in force there. */
  readonly proof: string;
  /** Where a hierarchy without it is still worth having. */
  readonly optional?: true;
}

export interface CgroupLimits {
  /** Of processes, file systems and kernel structures together. */
  readonly memoryBytes: number;
  readonly maxThreads: number;
  /** Processors of the machine. */
  readonly processors: number;
}

/**
 * An eighth of what a group has by default: as many sandboxes as may run weigh together what one of the host's own groups does. It counts
 * only while somebody else wants to run as well.
 */
const cpuWeight = 12;
const cpuShares = 128;
const cpuPeriodUs = 100_000;
/** What no sandbox can take even when nobody else seems to want it, so that the gateway and the watchdog need not wait their turn. */
const cpuQuotaUs = (processors: number): number | null =>
  // With a single one this would be a pause in each period, for everything.
  processors < 2 ? null : Math.round(0.9 * processors * cpuPeriodUs);

const unified: readonly Controller[] = [
  {
    root: '/sys/fs/cgroup',
    proof: 'memory.max',
    settings: ({ memoryBytes, maxThreads, processors }) => [
      ['memory.max', String(memoryBytes)],
      ['memory.swap.max', '0'],
      ['pids.max', String(maxThreads)],
      ['cpu.weight', String(cpuWeight)],
      ['cpu.max', `${cpuQuotaUs(processors) ?? 'max'} ${cpuPeriodUs}`],
    ],
  },
];

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
    optional: true,
    settings: ({ processors }) => [
      ['cpu.shares', String(cpuShares)],
      ['cpu.cfs_period_us', String(cpuPeriodUs)],
      ['cpu.cfs_quota_us', String(cpuQuotaUs(processors) ?? -1)],
    ],
  },
];

const prefix = 'airlock-';
/** Settings that some kernels lack, or a hierarchy has not been given, and without which the others are still worth having. */
const optional = new Set([
  'memory.swap.max',
  'cpu.weight',
  'cpu.max',
  'cpu.shares',
  'cpu.cfs_period_us',
  'cpu.cfs_quota_us',
]);
/** With one of these set, a sandbox cannot starve the host. */
const cpuBounds = new Set(['cpu.weight', 'cpu.shares']);

/** Null where the machine does not let us. `name` must be unique on the machine. */
export async function createCgroup(name: string, limits: CgroupLimits): Promise<Cgroup | null> {
  for (const controllers of [unified, separate]) {
    const made = await createIn(controllers, `${prefix}${name}`, limits);
    if (made !== null) return made;
  }
  return null;
}

async function createIn(
  controllers: readonly Controller[],
  name: string,
  limits: CgroupLimits,
): Promise<Cgroup | null> {
  const made: string[] = [];
  let boundsCpu = false;
  try {
    for (const controller of controllers) {
      const folder = join(controller.root, name);
      try {
        const written = await createGroup(controller, folder, limits);
        made.push(folder);
        boundsCpu ||= written.some((file) => cpuBounds.has(file));
      } catch (error) {
        await removeAll([folder]);
        if (controller.optional === undefined) throw error;
      }
    }
    return {
      joinFiles: made.map((folder) => join(folder, 'cgroup.procs')),
      boundsCpu,
      remove: () => removeAll(made),
    };
  } catch {
    // Not root, another layout, a read-only mount: the caller goes on without.
    await removeAll(made);
    return null;
  }
}

/** The settings that are in force in it. */
async function createGroup(
  { root, proof, settings }: Controller,
  folder: string,
  limits: CgroupLimits,
): Promise<string[]> {
  // Asked first: without the controller `mkdir` would leave a plain folder behind.
  await stat(join(root, 'cgroup.procs'));
  await mkdir(folder);
  await stat(join(folder, proof));
  const written: string[] = [];
  for (const [file, value] of settings(limits)) {
    try {
      await appendFile(join(folder, file), value);
      written.push(file);
    } catch (error) {
      if (!optional.has(file)) throw error;
    }
  }
  return written;
}

async function removeAll(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    // Killed processes leave the group a moment after their parent has been told.
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

/** Groups of hosts that were killed: named `<process id>-…` of a process that is no more. */
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
