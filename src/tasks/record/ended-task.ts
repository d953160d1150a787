/** What can still be done with a task that has ended: publish its kept change, or run it again. Pure. */
import { isAsker, secondPersonText } from '../../core/access/approver.ts';
import type { Approval } from '../../core/authorization.ts';
import { requestWithRemarks } from '../../core/remark.ts';
import type { TaskPhase } from '../../core/task.ts';
import type { RecordState } from './record-state.ts';
import { endOf } from './task-end.ts';

/** The first task that claims a retry repeats this one, so that two comments are one retry. */
export function claimRetry(
  state: RecordState,
  by: string,
  instead: string | null,
): RecordState & { readonly retriedBy: string } {
  const { retriedBy } = state;
  return { ...state, retriedBy: retriedBy === null || retriedBy === instead ? by : retriedBy };
}

const republished: readonly TaskPhase[] = ['gate', 'publish', 'report', 'ended'];

/** After a failure, or with a person's approval of the very change that is held. */
export function startPublicationAttempt(
  state: RecordState,
  approval: Approval | null,
  now: number,
): RecordState | { readonly reason: string } {
  const { outcome } = state;
  if (outcome === null)
    return { reason: 'The task has not ended yet. Wait until it ends, or cancel it first.' };
  if (outcome.kind === 'held') {
    if (outcome.changeHash === null)
      return { reason: 'This held change cannot be approved: a person has to make it.' };
    if (approval === null)
      return { reason: 'The change is held: it has to be approved before it is published.' };
    if (approval.changeHash !== outcome.changeHash)
      return {
        reason:
          'This approval is for another change than the one that is held. Approve the one that is shown now.',
      };
    const request = requestWithRemarks(state.request, state.remarks);
    const asked = { request, account: state.authorization?.requester ?? null };
    if (state.authorization?.policy.approval === 'second-person' && isAsker(approval, asked))
      return { reason: secondPersonText };
  } else if (outcome.kind !== 'failed' || !outcome.changeKept)
    return {
      reason:
        'There is no kept change to publish: only a publication that failed can be retried. Ask again to start over.',
    };
  return {
    ...state,
    phases: state.phases.filter(({ phase }) => !republished.includes(phase)),
    outcome: null,
    endShown: false,
    attempts: [...state.attempts, { at: now, approval, after: endOf(outcome) }],
  };
}
