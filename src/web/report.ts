/**
 * Sums up the ledger's rows: outcomes, times, tokens and cost, by repository, person and week; for
 * `npm run report` and the page of outcomes. Pure.
 */
import { usdText } from '../core/cost.ts';
import { durationText } from '../core/task-words.ts';
import type { LedgerRowJson } from './ledger-page.ts';

export const dayMs = 24 * 60 * 60_000;
export const defaultReportDays = 90;

export interface Group {
  readonly name: string;
  /** Tasks that asked for a change and have ended, without those that were refused. */
  readonly changes: number;
  /** Of them, in percent; null without any. */
  readonly pulledPercent: number | null;
  readonly merged: number;
  readonly closed: number;
  readonly open: number;
  readonly refused: number;
  readonly failed: number;
  /** Answered questions. */
  readonly answered: number;
  /** Medians; null without any. */
  readonly secondsToPull: number | null;
  readonly secondsToMerge: number | null;
  readonly tokens: number;
  /** Null: no task has a price. */
  readonly dollars: number | null;
}

export interface Summary {
  readonly total: Group;
  /** The costliest first. */
  readonly repositories: readonly Group[];
  readonly people: readonly Group[];
  /** By their Monday, the latest first. */
  readonly weeks: readonly Group[];
}

export function summaryOf(rows: readonly LedgerRowJson[]): Summary {
  const by = (key: (row: LedgerRowJson) => string): Group[] =>
    [...Map.groupBy(rows, key)].map(([name, group]) => groupOf(name, group));
  const costliest = (one: Group, other: Group) =>
    other.tokens - one.tokens || one.name.localeCompare(other.name);
  return {
    total: groupOf('all', rows),
    repositories: by(({ repository }) => repository ?? 'no repository').toSorted(costliest),
    people: by(({ requester, place }) => `${requester ?? 'nobody'} (${place})`).toSorted(costliest),
    weeks: by(({ acceptedAt }) => mondayOf(acceptedAt)).toSorted((a, b) => b.name.localeCompare(a.name)),
  };
}

function groupOf(name: string, rows: readonly LedgerRowJson[]): Group {
  const changes = rows.filter(
    ({ asked, outcome }) =>
      asked !== 'question' &&
      asked !== 'command' &&
      outcome !== null &&
      outcome !== 'refused' &&
      outcome !== 'steered' &&
      outcome !== 'ignored',
  );
  const pulls = changes.flatMap(({ pullRequest, ...row }) =>
    pullRequest === null ? [] : [{ ...row, pullRequest }],
  );
  // A follow-up adds to a pull request that is counted once.
  const distinct = new Map(
    pulls.map(({ repository, pullRequest }) => [`${repository ?? ''}#${pullRequest.number}`, pullRequest]),
  );
  const states = [...distinct.values()].map(({ state }) => state);
  const withOutcome = (wanted: string) => rows.filter(({ outcome }) => outcome === wanted).length;
  const priced = rows.flatMap(({ dollars }) => dollars ?? []);
  return {
    name,
    changes: changes.length,
    pulledPercent: changes.length === 0 ? null : Math.round((pulls.length / changes.length) * 100),
    merged: states.filter((state) => state === 'merged').length,
    closed: states.filter((state) => state === 'closed').length,
    open: states.filter((state) => state === 'open').length,
    refused: withOutcome('refused'),
    failed: withOutcome('failed'),
    answered: withOutcome('replied'),
    secondsToPull: median(pulls.map(({ acceptedAt, endedAt }) => seconds(acceptedAt, endedAt))),
    secondsToMerge: median(
      pulls.map(({ endedAt, pullRequest: { state, closedAt } }) =>
        state === 'merged' ? seconds(endedAt, closedAt) : null,
      ),
    ),
    tokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
    dollars: priced.length === 0 ? null : priced.reduce((sum, one) => sum + one, 0),
  };
}

function seconds(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;
}

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.flatMap((value) => value ?? []).toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** The Monday of an instant's week, by UTC: `2026-11-30`. */
function mondayOf(instant: string): string {
  const at = new Date(instant);
  at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7));
  return at.toISOString().slice(0, 10);
}

/** A group's table heads, without that of its name. */
export const reportHeads = [
  'changes',
  'pull requests',
  'merged',
  'closed',
  'open',
  'to PR',
  'to merge',
  'tokens',
  'cost',
] as const;

/** What a group has under each head. */
export function reportCells(group: Group): string[] {
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

export const reportSections = (
  summary: Summary,
): readonly (readonly [title: string, groups: readonly Group[]])[] => [
  ['All', [summary.total]],
  ['Repository', summary.repositories],
  ['Person', summary.people],
  ['Week of', summary.weeks],
];

export const restOfReport = ({ total: { failed, refused, answered } }: Summary): string =>
  `Also: ${failed} failed, ${refused} refused, ${answered} questions answered. Times are medians.`;

/** Milliseconds of the beginning of a day by UTC, as `2026-11-30`; null if it is none. */
export function startOfDay(text: string): number | null {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

const columns = [
  'task',
  'requester',
  'place',
  'repository',
  'issue',
  'title',
  'asked',
  'accepted',
  'ended',
  'state',
  'outcome',
  'reason',
  'pull request',
  'pull request is',
  'closed',
  'tokens',
  'dollars',
] as const;

/** Who asked for what, when and where, and with which result: one line a task, as RFC 4180 has it. */
export function csvOf(rows: readonly LedgerRowJson[]): string {
  const lines = rows.map((row) => [
    row.taskId,
    row.requester,
    row.place,
    row.repository,
    row.issue,
    row.title,
    row.asked,
    row.acceptedAt,
    row.endedAt,
    row.state,
    row.outcome,
    row.reason,
    row.pullRequest?.number ?? null,
    row.pullRequest?.state ?? null,
    row.pullRequest?.closedAt ?? null,
    row.tokens,
    row.dollars,
  ]);
  return [columns, ...lines].map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

/** A name from Slack can begin like a formula, which a spreadsheet would run. */
function cell(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
