/** What one task adds to the metrics, whole and cumulative, so that a report can be repeated. Pure. */
import type { Receipt } from '../../core/grant.ts';
import { observed, reasonLabel, series, type Totals } from '../../core/metrics.ts';
import { endedAt, type RecordState } from './record-state.ts';
import { endOf } from './task-end.ts';

export function totalsOf(state: RecordState, { deniedTotal, failedTotal }: Receipt): Totals {
  const { request, acknowledgedAt, modelAt, outcome, attempts, usage } = state;
  const acceptedAt = Date.parse(request.acceptedAt);
  const isPulled = outcome?.kind === 'pull-request' && attempts.length === 0;
  const pulledAt = isPulled ? endedAt(state) : null;
  const { inputTokens, cachedInputTokens, outputTokens } = usage;
  const totals: Record<string, number> = {
    [series('airlock_tasks_accepted_total', { source: request.trigger.kind })]: 1,
    ...(acknowledgedAt !== null && observed('airlock_acknowledgement_seconds', acknowledgedAt - acceptedAt)),
    ...(modelAt !== null && observed('airlock_first_model_request_seconds', modelAt - acceptedAt)),
    ...(pulledAt !== null && observed('airlock_pull_request_seconds', pulledAt - acceptedAt)),
  };
  const add = (key: string, by: number) => {
    if (by > 0) totals[key] = (totals[key] ?? 0) + by;
  };
  for (const end of [...attempts.map(({ after }) => after), outcome === null ? null : endOf(outcome)]) {
    if (end === null) continue;
    add(series('airlock_tasks_ended_total', { outcome: end.kind }), 1);
    if (end.code !== null)
      add(series('airlock_task_reasons_total', { outcome: end.kind, reason: reasonLabel(end.code) }), 1);
  }
  for (const [verdict, count] of [
    ['allowed', state.allowed],
    ['denied', deniedTotal],
    ['failed', failedTotal],
  ] as const)
    add(series('airlock_egress_requests_total', { verdict }), count);
  for (const [kind, count] of [
    ['input', inputTokens],
    ['cached', cachedInputTokens],
    ['output', outputTokens],
  ] as const)
    add(series('airlock_model_tokens_total', { kind }), count);
  return totals;
}
