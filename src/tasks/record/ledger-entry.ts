/** What a task's record reports to the ledger. Pure. */
import type { LedgerEntry } from '../../core/ledger.ts';
import { openStateOf } from '../../core/open-task.ts';
import { personOf } from '../../core/person.ts';
import { endedAt, phaseOf, type RecordState } from './record-state.ts';

export function ledgerEntryOf(state: RecordState, costUsd: number | null): LedgerEntry {
  const { request, routing, requesterName, facts, authorization, outcome, usage } = state;
  const repository = facts ?? request.repository ?? routing?.repository ?? null;
  const reason = outcome !== null && 'reason' in outcome ? outcome.reason : null;
  return {
    taskId: request.taskId,
    shortId: request.shortId,
    acceptedAt: Date.parse(request.acceptedAt),
    endedAt: endedAt(state),
    place: request.trigger.kind,
    repository: repository === null ? null : `${repository.owner}/${repository.name}`,
    repositoryId: (facts ?? authorization?.facts)?.repositoryId ?? null,
    person: personOf(request),
    requester: request.requester?.login ?? requesterName,
    state: openStateOf({ phase: phaseOf(state), outcome }) ?? 'ended',
    outcome: outcome?.kind ?? null,
    asked: request.ask.kind === 'run' ? (request.ask.job ?? 'change') : 'command',
    code: reason?.code ?? null,
    tokens: usage.totalTokens,
    dollars: costUsd,
    pull: outcome?.kind === 'pull-request' ? outcome.pullRequest.number : null,
  };
}
