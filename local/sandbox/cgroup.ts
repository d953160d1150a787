/**
 * A control group around one sandbox, where the host may make one (as root, and the hierarchy is writable). It bounds what nothing
 * else does: memory that belongs to no process, such as what lies on the sandbox's file systems or in files without a name.
 */
import { appendFile, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Cgroup {
  /** Files that a process writes its own id to in order to join. */
  readonly joinFiles: readonly string[];
  /** Once all its processes are gone. Best effort: an empty group that stays costs nothing. */
  remove(): Promise<void>;
}

interface Controller {
  readonly root: string;
  readonly settings: (limits: CgroupLimits) => readonly (readonly [file: string, value: string])[];
  /** Must exist in a new group, or the controller is not in force there. */
  readonly proof: string;
}

export interface CgroupLimits {
  /** Of processes, file systems and kernel structures together. */
  readonly memoryBytes: number;
  readonly maxThreads: number;
}

const unified: readonly Controller[] = [
  {
    root: '/sys/fs/cgroup',
    proof: 'memory.max',
    settings: ({ memoryBytes, maxThreads }) => [
      ['memory.max', String(memoryBytes)],
      ['memory.swap.max', '0'],
      ['pids.max', String(maxThreads)],
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
];

const prefix = 'airlock-';
/** Settings that some kernels lack and that only sharpen the others. */
const optional = new Set(['memory.swap.max']);

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
  const folders = controllers.map((controller) => join(controller.root, name));
  try {
    for (const [at, controller] of controllers.entries()) {
      // Asked first: without the controller `mkdir` would leave a plain folder behind.
      await stat(join(controller.root, 'cgroup.procs'));
      const folder = folders[at] ?? '';
      await mkdir(folder);
      await stat(join(folder, controller.proof));
      for (const [file, value] of controller.settings(limits)) {
        await appendFile(join(folder, file), value).catch((error: unknown) => {
          if (!optional.has(file)) throw error;
        });
      }
    }
    return {
      joinFiles: folders.map((folder) => join(folder, 'cgroup.procs')),
      remove: () => removeAll(folders),
    };
  } catch {
    // Not root, another layout, a read-only mount: the caller goes on without.
    await removeAll(folders);
    return null;
  }
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
