/**
 * Measures how many of Codex's events the record folds and stores in a second, on one processor with SQLite
 * in memory: the rate must not depend on the length of the run. The baseline parses and inserts each line.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { median, round, type Bench } from './metric.ts';

const sizes = [1_000, 10_000, 100_000];
const pathOf = (name: string): string => fileURLToPath(new URL(`../test/memory/${name}`, import.meta.url));
const rates = z.array(z.object({ size: z.number(), record: z.number(), bare: z.number() }));

export const recordBench: Bench = {
  name: 'record',
  what: 'events of Codex that the record folds and stores per second, in runs of three lengths',
  run: async (progress) => {
    progress(`runs of ${sizes.join(', ')} events`);
    const program = ['--import', pathOf('workers-module.ts'), pathOf('record-throughput.ts')];
    const { stdout } = await promisify(execFile)(process.execPath, [...program, ...sizes.map(String)]);
    const measured = rates.parse(JSON.parse(stdout));
    const perSize = sizes.map((size) => {
      const ofSize = measured.filter((rate) => rate.size === size);
      return {
        size,
        record: median(ofSize.map(({ record }) => record)),
        bare: median(ofSize.map(({ bare }) => bare)),
      };
    });
    const records = perSize.map(({ record }) => record);
    return [
      ...perSize.map(({ size, record, bare }) => ({
        name: `events folded and stored, run of ${size.toLocaleString('en-US')}`,
        value: round(record, 0),
        unit: '/s' as const,
        baseline: round(bare, 0),
        ratio: round(record / bare),
        goal: null,
      })),
      {
        name: 'events folded and stored: fastest ÷ slowest length',
        value: round(Math.max(...records) / Math.min(...records), 2),
        unit: 'ratio' as const,
        goal: 'at most 1.2',
      },
    ];
  },
};
