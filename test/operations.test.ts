/** Compares `docs/operations.md` with the code: logged events, fixed limits, a task's cost. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { taskLimits } from '../src/tasks/limits.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
/** Returns the cells of the table rows below a heading whose first cell is code. */
const tableUnder = (heading: string): string[][] =>
  (page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const eventName = /'([a-z_]+\.[a-z_]+)'/g;
/** `log('a.b', …)` and `logLine('a.b', …)`, also conditional, and `{ event: 'a.b' … }`. */
function eventsIn(text: string): string[] {
  const calls = [...text.matchAll(/\blog(?:Line)?\(\s*([^,)]*),/g)].map(([, first = '']) => first);
  const documents = [...text.matchAll(/\bevent: ('[a-z_]+\.[a-z_]+')/g)].map(([, name = '']) => name);
  return [...calls, ...documents].flatMap((code) =>
    [...code.matchAll(eventName)].map(([, name = '']) => name),
  );
}

const sources = ['src', 'host', 'cli'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
);
const logged = [...new Set(sources.flatMap(eventsIn))].toSorted();

describe('the table of events', () => {
  const documented = tableUnder('The log').map(([name = '']) => name.slice(1, -1));

  it('names every event that the code logs, and no other', () => {
    expect(logged.length).toBeGreaterThan(40);
    expect(documented.toSorted()).toEqual(logged);
  });

  it('explains each event', () => {
    expect(tableUnder('The log').filter(([, meaning = '']) => meaning.length < 5)).toEqual([]);
  });

  it('contains every event that the alerts name', () => {
    const alerts = page.split('\n## Alerts\n')[1]?.split('\n## ')[0] ?? '';
    const named = [...alerts.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !documented.includes(name))).toEqual([]);
  });
});

it.each([
  ["log('a.b', {})", ['a.b']],
  ["deps.log(\n  'a.b',\n  { c: 'd.e' })", ['a.b']],
  ["logLine('a.b', {}, at)", ['a.b']],
  ["log(isLost ? 'a.b' : 'c.d', {})", ['a.b', 'c.d']],
  ["options.log({ event: 'a.b' })", ['a.b']],
  ["console.log('just words', 1)", []],
])('finds in %s the events %j', (code, events) => {
  expect(eventsIn(code)).toEqual(events);
});

const units: Readonly<Record<'time' | 'size', readonly (readonly [number, string])[]>> = {
  time: [
    [24 * 60 * 60_000, 'd'],
    [60 * 60_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
    [1, 'ms'],
  ],
  size: [
    [1024 ** 3, 'GiB'],
    [1024 ** 2, 'MiB'],
    [1024, 'KiB'],
    [1, 'bytes'],
  ],
};
/** Formats a value in the largest unit without a remainder; a single day is 24 h. */
function written(name: string, value: number): string {
  const kind = name.endsWith('Ms') ? 'time' : /[bB]ytes/.test(name) ? 'size' : null;
  if (kind === null) return value.toLocaleString('en');
  const [size, unit] = units[kind].find(
    ([one, of]) => value % one === 0 && !(of === 'd' && value === one),
  ) ?? [1, ''];
  return `${(value / size).toLocaleString('en')} ${unit}`;
}
const { sandbox, ...numbers } = taskLimits;
const expected = [
  ...Object.entries(numbers).map(([name, value]) => [name, written(name, value)] as const),
  [
    'sandbox',
    `${written('bytes', sandbox.memoryBytes)} memory, ${written('bytes', sandbox.diskBytes)} disk, ${written('', sandbox.maxProcesses)} processes`,
  ] as const,
];

describe('the table of limits', () => {
  const rows = new Map(tableUnder('Limits').map(([name = '', value = '']) => [name.slice(1, -1), value]));
  it.each(expected)('has %s as %s', (name, value) => {
    expect(rows.get(name)).toBe(value);
  });
  it('has no other limit', () => {
    expect([...rows.keys()].filter((name) => !(name in taskLimits))).toEqual([]);
  });
});

describe('the cost of a task', () => {
  const seconds = 1800;
  const [memory, disk, busy] = [4 * seconds * 0.0000025, 8 * seconds * 0.00000007, 0.5 * seconds * 0.00002];
  it.each([
    ['memory', `$${memory.toFixed(4)}`],
    ['disk', `$${disk.toFixed(4)}`],
    ['processor', `$${busy.toFixed(4)} when always busy, $${(busy / 4).toFixed(4)} at 25 %`],
    ['together', `**$${(memory + disk + busy / 4).toFixed(3)} to $${(memory + disk + busy).toFixed(3)}**`],
    ['fresh input', `$${((80_000 * 1.5) / 1_000_000).toFixed(3)}`],
    ['cached input', `$${((320_000 * 0.15) / 1_000_000).toFixed(3)}`],
    ['output', `$${((12_000 * 12) / 1_000_000).toFixed(3)}`],
    ['together', `**$${((80_000 * 1.5 + 320_000 * 0.15 + 12_000 * 12) / 1_000_000).toFixed(3)}**`],
  ])('has a line for %s with %s', (what, sum) => {
    const line = page.split('\n').filter((one) => one.startsWith(`| ${what}`) && one.includes(` ${sum} `));
    expect(line).toHaveLength(1);
  });
});
