import { describe, expect, it } from 'vitest';
import { familyOf, parseStat, readProcessTable, readProportionalBytes } from './process-table.ts';
import { judgeUse } from './watchdog.ts';

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
    ['little', { threads: 10, residentPages: pages(100 * MiB) }, null, null],
    ['threads at the limit and the helpers', { threads: 164 }, null, null],
    ['more threads', { threads: 165 }, null, { kind: 'processes' }],
    ['more memory', { residentPages: pages(1200 * MiB) }, 1200 * MiB, { kind: 'memory' }],
    ['more memory, but shared', { residentPages: pages(1200 * MiB) }, 600 * MiB, null],
    [
      'more memory, and the kernel does not say what is shared',
      { residentPages: pages(1200 * MiB) },
      null,
      { kind: 'memory' },
    ],
  ])('%s', (_, used, measured, excess) => {
    expect(judgeUse([use(1, 0, used)], spec, 4096, () => measured)).toEqual(excess);
  });

  it('adds up the family', () => {
    const family = [1, 2, 3].map((pid) => use(pid, 0, { residentPages: pages(500 * MiB) }));
    expect(judgeUse(family, spec, 4096, () => null)).toEqual({ kind: 'memory' });
  });

  it('does not measure what is cheap to see', () => {
    const neverAsked = () => {
      throw new Error('measured');
    };
    expect(judgeUse([use(1, 0, { residentPages: 10 })], spec, 4096, neverAsked)).toBeNull();
  });
});

describe('the process table', () => {
  it('finds a family in any order, and nobody else', () => {
    const table = [use(5, 4), use(9, 1), use(4, 3), use(3, 1), use(6, 3), use(1, 0)];
    expect(
      familyOf(table, 3)
        .map(({ pid }) => pid)
        .toSorted((a, b) => a - b),
    ).toEqual([3, 4, 5, 6]);
    expect(familyOf(table, 77)).toEqual([]);
  });

  it('is not misled by the name of a process', () => {
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

  it('holds this very process, with its parent and its memory', () => {
    const own = familyOf(readProcessTable(), process.pid)[0];
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid });
    expect(own?.threads).toBeGreaterThan(1);
    expect(own?.residentPages).toBeGreaterThan(1000);
    expect(readProportionalBytes(process.pid)).toBeGreaterThan(MiB);
    expect(readProportionalBytes(0x7fffffff)).toBeNull();
  });
});
