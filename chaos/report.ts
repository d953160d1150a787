/** The result of a run as a table for people and as JSON. Pure. */
import { durationText } from '../src/core/task-words.ts';
import type { CaseResult } from './case.ts';

export interface Report {
  readonly cases: number;
  readonly killPoints: number;
  readonly violations: number;
  readonly results: readonly CaseResult[];
}

export function reportOf(results: readonly CaseResult[]): Report {
  return {
    cases: results.length,
    killPoints: results.filter(({ group, injected }) => group === 'kills' && / killed/.test(injected)).length,
    violations: results.filter(({ ok }) => !ok).length,
    results,
  };
}

export function caseLine({
  ok,
  id,
  phase,
  injected,
  met,
  outcome,
  recoveryMs,
  problems,
}: CaseResult): string {
  const open = met.length === 0 ? '' : ` (in ${met.join(', ')})`;
  const head = `${ok ? '✓' : '✗'} ${id}  ${durationText(recoveryMs)}  ${phase}: ${injected}${open} → ${outcome}`;
  return [head, ...problems.map((problem) => `    ${problem}`)].join('\n');
}

/** One row for each kind of harm, and the verdict. */
export function tableOf({ cases, killPoints, violations, results }: Report): string {
  const kinds = [...Map.groupBy(results, ({ group, injected }) => `${group}: ${injected}`)];
  const rows = kinds.map(([kind, of]) => [
    kind,
    String(of.length),
    String(of.filter(({ ok }) => !ok).length),
    spread(of.map(({ recoveryMs }) => recoveryMs)),
  ]);
  const head = ['harm', 'cases', 'violations', 'recovery (p50, max)'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const cancels = results.flatMap(({ cancelMs }) => cancelMs ?? []);
  return [
    ...[head, widths.map((width) => '─'.repeat(width)), ...rows].map(line),
    '',
    `recovery: ${spread(results.map(({ recoveryMs }) => recoveryMs))}`,
    ...(cancels.length === 0 ? [] : [`cancel to sandbox gone: ${spread(cancels)}`]),
    `${cases} cases, ${killPoints} kill points, ${violations} violations`,
  ].join('\n');
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return `p50 ${seconds(at(0.5))}, max ${seconds(at(1))}`;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
