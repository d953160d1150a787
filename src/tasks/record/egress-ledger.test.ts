import { expect, it } from 'vitest';
import { acceptedAt, request } from '../../../test/fixtures/sample-task.ts';
import { emptyReceipt, totalOnly, type EgressEntry } from '../../core/grant.ts';
import { enterEgress } from './egress-ledger.ts';
import { openState, snapshotOf } from './record-state.ts';

const answer = (more: Partial<EgressEntry> = {}): EgressEntry => ({
  at: 0,
  method: 'POST',
  host: 'api.openai.com',
  path: '/v1/responses',
  rule: 'openai.responses',
  reason: '',
  status: 200,
  bytesUp: 1,
  bytesDown: 1,
  ...more,
  verdict: 'allowed',
});

it('keeps the words of a refusal until the model answers again', () => {
  let state = openState(request, 'nonce', Date.parse(acceptedAt));
  const refusals = [
    answer(),
    answer({ refusal: 'No.' }),
    answer({ rule: 'host.granted', host: 'registry.example' }),
    answer(),
  ].map((entry) => {
    const before = { state, receipt: emptyReceipt };
    ({ state } = enterEgress(before, { entry, tokens: totalOnly(1) }, (receipt) => receipt, 0));
    return snapshotOf(state).refusal;
  });
  expect(refusals).toEqual([null, 'No.', 'No.', null]);
});
