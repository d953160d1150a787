import { describe, expect, it } from 'vitest';
import type { LedgerRowJson } from './ledger-page.ts';
import { csvOf, summaryOf } from './report.ts';

const row: LedgerRowJson = {
  taskId: 'gh-1-c1',
  shortId: '0a1b2c3d',
  acceptedAt: '2026-11-30T10:00:00.000Z',
  endedAt: '2026-11-30T10:04:00.000Z',
  place: 'github',
  repository: 'acme/shop',
  requester: 'maria',
  title: 'Fix rounding',
  issue: 5,
  asked: 'change',
  state: 'ended',
  outcome: 'pull-request',
  reason: null,
  tokens: 1000,
  dollars: 0.5,
  pullRequest: { number: 7, state: 'merged', closedAt: '2026-11-30T11:04:00.000Z' },
  url: '/api/tasks/gh-1-c1',
};
const none = { outcome: 'failed', reason: 'codex-failed', pullRequest: null } as const;
const rows: readonly LedgerRowJson[] = [
  row,
  // A follow-up on the same pull request.
  { ...row, endedAt: '2026-11-30T10:08:00.000Z' },
  { ...row, ...none, acceptedAt: '2026-11-29T23:59:00.000Z', requester: 'ben', dollars: null },
  { ...row, ...none, outcome: 'refused', tokens: 0, dollars: null, repository: null },
  { ...row, ...none, asked: 'question', outcome: 'replied', repository: 'acme/docs' },
  { ...row, ...none, asked: 'command', outcome: 'answered', tokens: 0 },
  { ...row, ...none, state: 'running', outcome: null, endedAt: null, tokens: 0 },
];

describe('the report', () => {
  it('counts what became of the changes, once per pull request, with medians and sums', () => {
    expect(summaryOf(rows).total).toEqual({
      name: 'all',
      changes: 3,
      pulledPercent: 67,
      merged: 1,
      closed: 0,
      open: 0,
      refused: 1,
      failed: 1,
      answered: 1,
      secondsToPull: 360,
      secondsToMerge: 3480,
      tokens: 4000,
      dollars: 2.5,
    });
  });

  it('groups by repository, by person and by week', () => {
    const { repositories, people, weeks } = summaryOf(rows);
    expect(repositories.map(({ name }) => name)).toEqual(['acme/shop', 'acme/docs', 'no repository']);
    expect(people.map(({ name, tokens }) => [name, tokens])).toEqual([
      ['maria (github)', 3000],
      ['ben (github)', 1000],
    ]);
    expect(weeks.map(({ name }) => name)).toEqual(['2026-11-30', '2026-11-23']);
  });

  it('is CSV that no spreadsheet runs', () => {
    const lines = csvOf([
      { ...row, requester: '=cmd|"x"', repository: 'acme/a,b' },
      { ...row, ...none },
    ]);
    expect(lines.split('\r\n')).toEqual([
      'task,requester,place,repository,issue,title,asked,accepted,ended,state,outcome,reason,pull request,pull request is,closed,tokens,dollars',
      `gh-1-c1,"'=cmd|""x""",github,"acme/a,b",5,Fix rounding,change,${row.acceptedAt},${row.endedAt},ended,pull-request,,7,merged,2026-11-30T11:04:00.000Z,1000,0.5`,
      `gh-1-c1,maria,github,acme/shop,5,Fix rounding,change,${row.acceptedAt},${row.endedAt},ended,failed,codex-failed,,,,1000,0.5`,
      '',
    ]);
  });
});
