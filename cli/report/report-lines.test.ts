import { expect, it } from 'vitest';
import { summaryOf, type Group } from '../../src/web/report.ts';
import { reportLines } from './report-lines.ts';

const shop: Group = {
  name: 'acme/shop',
  changes: 3,
  pulledPercent: 67,
  merged: 1,
  closed: 0,
  open: 0,
  refused: 0,
  failed: 1,
  answered: 0,
  secondsToPull: 360,
  secondsToMerge: 3480,
  tokens: 3000,
  dollars: 2,
};

it('is a table whose rows have one width, also without a task', () => {
  const lines = reportLines({ total: { ...shop, name: 'all' }, repositories: [shop], people: [], weeks: [] });
  expect(lines.filter((line) => line.includes('merged'))).toHaveLength(4);
  expect(lines.join('\n')).toMatch(/acme\/shop +3 +67 % +1 +0 +0 +6 min 0 s +58 min 0 s +3,000 +\$2.00/);
  expect(reportLines(summaryOf([])).join('\n')).toMatch(/all +0 +– /);
});
