import { aReason } from '../../../test/fixtures/a-reason.ts';
import { expect, it } from 'vitest';
import { acceptedAt, request } from '../../../test/fixtures/sample-task.ts';
import { emptyReceipt, totalOnly } from '../../core/grant.ts';
import type { PullRequestRef, TaskOutcome } from '../../core/task.ts';
import { startPublicationAttempt } from './ended-task.ts';
import { finish, openState, type RecordState } from './record-state.ts';
import { totalsOf } from './task-totals.ts';

const t0 = Date.parse(acceptedAt);
const opened = openState(request, 'nonce', t0);
const pullRequest: PullRequestRef = { number: 1, title: '', url: '', headRef: '', headSha: '', draft: false };
const failed = (code: string): TaskOutcome => ({
  kind: 'failed',
  reason: aReason(code, ''),
  changeKept: true,
});
const after = (state: RecordState, outcome: TaskOutcome) => finish(state, outcome, t0 + 90_000);
const again = (state: RecordState): RecordState => {
  const next = startPublicationAttempt(state, null, t0 + 1);
  if ('reason' in next) throw new Error(next.reason);
  return next;
};
const accepted = { 'airlock_tasks_accepted_total{source="github"}': 1 };
const end = (outcome: string, times = 1) => ({ [`airlock_tasks_ended_total{outcome="${outcome}"}`]: times });
const why = (outcome: string, reason: string) => ({
  [`airlock_task_reasons_total{outcome="${outcome}",reason="${reason}"}`]: 1,
});

it.each<[string, RecordState, Readonly<Record<string, number>>]>([
  ['an accepted task', opened, {}],
  [
    'one with a post, a model request and egress',
    {
      ...opened,
      acknowledgedAt: t0 + 2500,
      modelAt: t0 + 21_600_001,
      allowed: 4,
      usage: { ...totalOnly(10), inputTokens: 9, outputTokens: 1 },
    },
    {
      'airlock_acknowledgement_seconds_bucket{le="5"}': 1,
      airlock_acknowledgement_seconds_sum: 2.5,
      'airlock_first_model_request_seconds_bucket{le="+Inf"}': 1,
      airlock_first_model_request_seconds_sum: 21_600.001,
      'airlock_egress_requests_total{verdict="allowed"}': 4,
      'airlock_egress_requests_total{verdict="denied"}': 2,
      'airlock_model_tokens_total{kind="input"}': 9,
      'airlock_model_tokens_total{kind="output"}': 1,
    },
  ],
  [
    'one with a pull request',
    after(opened, { kind: 'pull-request', pullRequest }),
    {
      ...end('pull-request'),
      'airlock_pull_request_seconds_bucket{le="120"}': 1,
      airlock_pull_request_seconds_sum: 90,
    },
  ],
  [
    'one that ended twice',
    after(after(opened, failed('x')), failed('y')),
    { ...end('failed'), ...why('failed', 'x') },
  ],
  [
    'one that was published in a later attempt',
    after(again(after(again(after(opened, failed('x'))), failed('y'))), {
      kind: 'pull-request',
      pullRequest,
    }),
    { ...end('failed', 2), ...why('failed', 'x'), ...why('failed', 'y'), ...end('pull-request') },
  ],
  [
    'one whose reason is no code of ours',
    after(opened, { kind: 'refused', reason: aReason('acme/secret "}', '') }),
    { ...end('refused'), ...why('refused', 'other') },
  ],
])('counts %s', (_, state, totals) => {
  const deniedTotal = state.allowed > 0 ? 2 : 0;
  expect(totalsOf(state, { ...emptyReceipt, deniedTotal })).toEqual({ ...accepted, ...totals });
});
