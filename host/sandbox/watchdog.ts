/**
 * Ends sandboxes that use more than their share, on any machine: looks at the process table twice a second. It is the second line; the
 * kernel's own limits (`cgroup.ts`, `layout.ts`) are the first where the machine has them, and act at once.
 */
import { execFileSync } from 'node:child_process';
import type { SandboxSpec } from '../../src/core/ports/sandbox-port.ts';
import { familyOf, readProcessTable, readProportionalBytes, type ProcessUse } from './process-table.ts';

export interface Watched {
  /** The host's id of the process that everything in the sandbox descends from. */
  readonly pid: number;
  readonly spec: Pick<SandboxSpec, 'memoryBytes' | 'maxProcesses'>;
}

export type Excess = { readonly kind: 'memory' } | { readonly kind: 'processes' } | null;

const intervalMs = 250;
const MiB = 1024 * 1024;
/** The sandbox's own helpers: two Node processes and four of bubblewrap. Also above the kernel's limit, so that this one acts first. */
const helperBytes = 160 * MiB;
const helperThreads = 64;

/** `measure` is asked only when the cheap sum is over: it counts shared pages once, and costs more. */
export function judgeUse(
  family: readonly ProcessUse[],
  spec: Watched['spec'],
  pageBytes: number,
  measure: (pid: number) => number | null,
): Excess {
  const threads = family.reduce((sum, use) => sum + use.threads, 0);
  if (threads > spec.maxProcesses + helperThreads) return { kind: 'processes' };
  const allowed = spec.memoryBytes + helperBytes;
  const resident = family.reduce((sum, use) => sum + use.residentPages * pageBytes, 0);
  if (resident <= allowed) return null;
  const used = family.reduce((sum, use) => sum + (measure(use.pid) ?? use.residentPages * pageBytes), 0);
  return used > allowed ? { kind: 'memory' } : null;
}

export interface Watchdog {
  /** Returns the function that stops watching. */
  watch(watched: Watched, onExcess: (excess: NonNullable<Excess>) => void): () => void;
  close(): void;
}

export function startWatchdog(): Watchdog {
  const pageBytes = readPageBytes();
  const all = new Map<Watched, (excess: NonNullable<Excess>) => void>();
  const look = (): void => {
    if (all.size === 0) return;
    const table = readProcessTable();
    for (const [watched, onExcess] of all) {
      const excess = judgeUse(familyOf(table, watched.pid), watched.spec, pageBytes, readProportionalBytes);
      if (excess === null) continue;
      all.delete(watched);
      onExcess(excess);
    }
  };
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return {
    watch(watched, onExcess) {
      all.set(watched, onExcess);
      return () => all.delete(watched);
    },
    close: () => clearInterval(timer),
  };
}

/** 4 KiB, but for some arm64 kernels. */
function readPageBytes(): number {
  try {
    const bytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8', timeout: 2_000 }));
    return Number.isInteger(bytes) && bytes > 0 ? bytes : 4096;
  } catch {
    return 4096;
  }
}
