/** The report as a table for a terminal. Pure. */
import { usdText } from '../../src/core/cost.ts';
import { durationText } from '../../src/core/task-words.ts';
import { bold } from '../terminal/colour.ts';
import { plain } from '../terminal/plain-text.ts';
import type { Group, Summary } from './summary.ts';

const maxRows = 20;
const heads = ['changes', 'pull requests', 'merged', 'closed', 'open', 'to PR', 'to merge', 'tokens', 'cost'];

export function reportLines({ total, repositories, people, weeks }: Summary): string[] {
  const sections: readonly (readonly [string, readonly Group[]])[] = [
    ['All', [total]],
    ['Repository', repositories],
    ['Person', people],
    ['Week of', weeks],
  ];
  const shown = sections.map(([title, groups]) => {
    const rows = groups.slice(0, maxRows).map((group) => [plain(group.name), ...cells(group)]);
    const left = groups.length - rows.length;
    return { title, rows, left };
  });
  const table = shown.flatMap(({ title, rows }) => [[title, ...heads], ...rows]);
  const widths = [0, ...heads].map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ');
  const { refused, failed, answered } = total;
  return [
    ...shown.flatMap(({ title, rows, left }) => [
      bold(line([title, ...heads])),
      ...rows.map(line),
      ...(left > 0 ? [`and ${left} more: --json has them all`] : []),
      '',
    ]),
    `Also: ${failed} failed, ${refused} refused, ${answered} questions answered. Times are medians.`,
  ];
}

function cells(group: Group): string[] {
  const { changes, pulledPercent, merged, closed, open, secondsToPull, secondsToMerge, tokens, dollars } =
    group;
  const time = (seconds: number | null) => (seconds === null ? '–' : durationText(seconds * 1000));
  return [
    String(changes),
    pulledPercent === null ? '–' : `${pulledPercent} %`,
    String(merged),
    String(closed),
    String(open),
    time(secondsToPull),
    time(secondsToMerge),
    tokens.toLocaleString('en'),
    dollars === null ? '–' : usdText(dollars),
  ];
}
