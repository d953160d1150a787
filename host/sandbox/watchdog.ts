/**
 * Ends sandboxes over their memory or process limit, four times a second, on any machine: not every one has
 * the kernel's own limits (`cgroup.ts`, `layout.ts`).
 */
import { readFileSync } from 'node:fs';
import type { SandboxSpec } from '../../src/core/ports/sandbox-port.ts';
import {
  processTreeOf,
  readProcesses,
  readProcessTable,
  readProportionalBytes,
  type ProcessUse,
} from './process-table.ts';

export interface Watched {
  /** Process id, on the host, of the root of the sandbox's process tree. */
  readonly pid: number;
  /** Lists the sandbox's processes without reading those of the whole machine. Can throw. */
  readonly processIds: (() => ReadonlySet<number>) | null;
  readonly spec: Pick<SandboxSpec, 'memoryBytes' | 'maxProcesses'>;
}

export type Excess = { readonly kind: 'memory' } | { readonly kind: 'processes' } | null;

const intervalMs = 250;
const MiB = 1024 * 1024;
/** For our helpers in the tree: two Node processes and four of bubblewrap. */
const helperBytes = 160 * MiB;
const helperThreads = 64;
/** `AT_PAGESZ`. */
const pageSizeEntry = 6n;

/**
 * `measure`, the proportional set size, is slow: called only if the resident sizes, which count shared pages
 * repeatedly, exceed the limit.
 */
export function judgeUse(
  tree: readonly ProcessUse[],
  spec: Watched['spec'],
  pageBytes: number,
  measure: (pid: number) => number | null,
): Excess {
  const threads = tree.reduce((sum, use) => sum + use.threads, 0);
  if (threads > spec.maxProcesses + helperThreads) return { kind: 'processes' };
  const allowed = spec.memoryBytes + helperBytes;
  const resident = tree.reduce((sum, use) => sum + use.residentPages * pageBytes, 0);
  if (resident <= allowed) return null;
  const used = tree.reduce((sum, use) => sum + (measure(use.pid) ?? use.residentPages * pageBytes), 0);
  return used > allowed ? { kind: 'memory' } : null;
}

export interface Watchdog {
  /** Returns the function that stops watching. */
  watch(watched: Watched, onExcess: (excess: NonNullable<Excess>) => void): () => void;
  close(): void;
}

export function startWatchdog(): Watchdog {
  const pageBytes = readPageBytes();
  const sandboxes = new Map<Watched, (excess: NonNullable<Excess>) => void>();
  const check = (): void => {
    let table: ProcessUse[] | null = null;
    for (const [watched, onExcess] of sandboxes) {
      const listed = processesListedBy(watched);
      const tree = listed ?? processTreeOf((table ??= readProcessTable()), watched.pid);
      const excess = judgeUse(tree, watched.spec, pageBytes, readProportionalBytes);
      if (excess === null) continue;
      sandboxes.delete(watched);
      onExcess(excess);
    }
  };
  const timer = setInterval(check, intervalMs);
  timer.unref();
  return {
    watch(watched, onExcess) {
      sandboxes.set(watched, onExcess);
      return () => sandboxes.delete(watched);
    },
    close: () => clearInterval(timer),
  };
}

/** Null without a list that holds the sandbox's first process: then its process tree counts. */
function processesListedBy({ pid, processIds }: Watched): ProcessUse[] | null {
  try {
    const ids = processIds?.();
    return ids?.has(pid) === true ? readProcesses(ids) : null;
  } catch {
    return null;
  }
}

/** Page size in bytes: 4 KiB, except on some arm64 kernels. Read from the auxiliary vector (getauxval(3)). */
function readPageBytes(): number {
  try {
    const words = readFileSync('/proc/self/auxv');
    for (let at = 0; at < words.length; at += 16)
      if (words.readBigUInt64LE(at) === pageSizeEntry) return Number(words.readBigUInt64LE(at + 8));
  } catch {
    // An old or restricted kernel. 4 KiB is the smallest page of both architectures.
  }
  return 4096;
}
