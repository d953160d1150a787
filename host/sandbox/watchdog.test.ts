import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  parseStat,
  processTreeOf,
  readProcesses,
  readProcessTable,
  readProportionalBytes,
} from './process-table.ts';
import { judgeUse, startWatchdog } from './watchdog.ts';

const MiB = 1024 * 1024;
const spec = { memoryBytes: 1024 * MiB, maxProcesses: 100 };
const use = (pid: number, parent: number, more: { threads?: number; residentPages?: number } = {}) => ({
  pid,
  parent,
  threads: 1,
  residentPages: 0,
  ...more,
});
const pages = (bytes: number) => bytes / 4096;

describe('judgeUse', () => {
  it.each([
    ['use below both limits', { threads: 10, residentPages: pages(100 * MiB) }, null, null],
    ['as many threads as the limit and the helpers', { threads: 164 }, null, null],
    ['one thread more', { threads: 165 }, null, { kind: 'processes' }],
    ['memory over the limit', { residentPages: pages(1200 * MiB) }, 1200 * MiB, { kind: 'memory' }],
    [
      'resident memory over the limit that is mostly shared',
      { residentPages: pages(1200 * MiB) },
      600 * MiB,
      null,
    ],
    [
      'memory over the limit where the kernel does not report sharing',
      { residentPages: pages(1200 * MiB) },
      null,
      { kind: 'memory' },
    ],
  ])('judges %s', (_, used, measured, excess) => {
    expect(judgeUse([use(1, 0, used)], spec, 4096, () => measured)).toEqual(excess);
  });

  it('adds up the whole process tree', () => {
    const tree = [1, 2, 3].map((pid) => use(pid, 0, { residentPages: pages(500 * MiB) }));
    expect(judgeUse(tree, spec, 4096, () => null)).toEqual({ kind: 'memory' });
  });

  it('does not measure when the resident sizes are within the limit', () => {
    const neverCalled = () => {
      throw new Error('measured');
    };
    expect(judgeUse([use(1, 0, { residentPages: 10 })], spec, 4096, neverCalled)).toBeNull();
  });
});

describe('the watchdog', () => {
  it.each<[string, (() => ReadonlySet<number>) | null]>([
    ['in its control group', () => new Set([process.pid])],
    ['without a control group', null],
    ['whose control group does not hold it', () => new Set([1])],
    [
      'whose control group cannot be read',
      () => {
        throw new Error('ENOENT');
      },
    ],
  ])('reports a sandbox over its limit once, %s', (_, processIds) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const watchdog = startWatchdog();
    const onExcess = vi.fn<Parameters<typeof watchdog.watch>[1]>();
    const generous = { memoryBytes: 2 ** 50, maxProcesses: 2 ** 20 };
    const unwatch = watchdog.watch({ pid: process.pid, processIds, spec: generous }, onExcess);
    vi.advanceTimersByTime(1_000);
    expect(onExcess).not.toHaveBeenCalled();
    unwatch();
    watchdog.watch({ pid: process.pid, processIds, spec: { ...spec, maxProcesses: -64 } }, onExcess);
    vi.advanceTimersByTime(1_000);
    watchdog.close();
    expect(onExcess.mock.calls).toEqual([[{ kind: 'processes' }]]);
  });
});

describe('the process table', () => {
  it('finds the whole tree in any order, and no other process', () => {
    const table = [use(5, 4), use(9, 1), use(4, 3), use(3, 1), use(6, 3), use(1, 0)];
    expect(
      processTreeOf(table, 3)
        .map(({ pid }) => pid)
        .toSorted((a, b) => a - b),
    ).toEqual([3, 4, 5, 6]);
    expect(processTreeOf(table, 77)).toEqual([]);
  });

  it('parses a stat line whatever the process is called', () => {
    const fields = 'S 42 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 11 0 12345 9999 321 18446744073709551615';
    for (const name of ['node', 'a b', ') S 1 (', '))))', '\n']) {
      expect(parseStat(7, `7 (${name}) ${fields}`)).toEqual({
        pid: 7,
        parent: 42,
        threads: 11,
        residentPages: 321,
      });
    }
    expect(parseStat(7, '')).toBeNull();
    expect(parseStat(7, '7 (x) S 1')).toBeNull();
  });

  it('contains this process with its parent and its memory', () => {
    const own = processTreeOf(readProcessTable(), process.pid)[0];
    expect(readProcesses([process.pid, 0x7fffffff]).map(({ pid }) => pid)).toEqual([process.pid]);
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid });
    expect(own?.threads).toBeGreaterThan(1);
    expect(own?.residentPages).toBeGreaterThan(1000);
    expect(readProportionalBytes(process.pid)).toBeGreaterThan(MiB);
    expect(readProportionalBytes(0x7fffffff)).toBeNull();
  });
});
