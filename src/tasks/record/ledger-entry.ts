/** What a task's record reports to the ledger. Pure. */
import { headOf } from '../../lib/cut-text.ts';
import type { LedgerEntry } from '../../core/ledger.ts';
import { openStateOf } from '../../core/open-task.ts';
import { personOf } from '../../core/person.ts';
import { endedAt, phaseOf, type RecordState } from './record-state.ts';

const maxTitleCharacters = 200;

export function ledgerEntryOf(state: RecordState, costUsd: number | null): LedgerEntry {
  const { request, routing, requesterName, facts, authorization, outcome, usage, choices } = state;
  const { trigger } = request;
  const repository = facts ?? request.repository ?? routing?.repository ?? null;
  const place = facts ?? authorization?.facts ?? null;
  const issue = trigger.kind === 'github' ? trigger : null;
  const pull = outcome?.kind === 'pull-request' ? outcome.pullRequest : null;
  const title = pull?.title ?? issue?.issue?.title ?? null;
  const reason = outcome !== null && 'reason' in outcome ? outcome.reason : null;
  return {
    taskId: request.taskId,
    shortId: request.shortId,
    acceptedAt: Date.parse(request.acceptedAt),
    endedAt: endedAt(state),
    place: trigger.kind,
    repository: repository === null ? null : `${repository.owner}/${repository.name}`,
    repositoryId: place?.repositoryId ?? null,
    installationId: place?.installationId ?? null,
    person: personOf(request),
    requester: request.requester?.login ?? requesterName,
    state:
      outcome === null && choices !== null
        ? 'choosing'
        : (openStateOf({ phase: phaseOf(state), outcome }) ?? 'ended'),
    outcome: outcome?.kind ?? null,
    title: title === null ? null : headOf(title, maxTitleCharacters),
    issue: issue?.issueNumber ?? null,
    asked: request.ask.kind === 'run' ? (request.ask.job ?? 'change') : 'command',
    code: reason?.code ?? null,
    tokens: usage.totalTokens,
    dollars: costUsd,
    pull: pull?.number ?? null,
  };
}
