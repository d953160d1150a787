/** The report as a table for a terminal. Pure. */
import {
  reportCells,
  reportHeads,
  reportSections,
  restOfReport,
  type Summary,
} from '../../src/web/report.ts';
import { bold } from '../terminal/colour.ts';
import { plain } from '../terminal/plain-text.ts';

const maxRows = 20;

export function reportLines(summary: Summary): string[] {
  const shown = reportSections(summary).map(([title, groups]) => {
    const rows = groups.slice(0, maxRows).map((group) => [plain(group.name), ...reportCells(group)]);
    const left = groups.length - rows.length;
    return { title, rows, left };
  });
  const table = shown.flatMap(({ title, rows }) => [[title, ...reportHeads], ...rows]);
  const widths = [0, ...reportHeads].map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ');
  return [
    ...shown.flatMap(({ title, rows, left }) => [
      bold(line([title, ...reportHeads])),
      ...rows.map(line),
      ...(left > 0 ? [`and ${left} more: --json has them all`] : []),
      '',
    ]),
    restOfReport(summary),
  ];
}
