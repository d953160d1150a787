/** The task as people see it, derived from its state. Pure. */
import type { Receipt } from '../../core/grant.ts';
import type { Progress } from '../../core/progress.ts';
import type { SetupReport } from '../../core/setup.ts';
import { setupView } from '../../core/setup-view.ts';
import type { TaskView } from '../../core/task-view.ts';
import { ranIn, withCommands } from './denied-commands.ts';
import { endedAt, phaseOf, waitsForSlotSince, type RecordState } from './record-state.ts';

export interface ViewParts {
  readonly progress: Progress | null;
  readonly receipt: Receipt;
  /** null if the task has no setup, or setup has not ended. */
  readonly setup: SetupReport | null;
  readonly costUsd: number | null;
  readonly now: number;
}

export function viewOf(state: RecordState, parts: ViewParts): TaskView {
  const { progress, receipt, setup, costUsd, now } = parts;
  const { request, authorization } = state;
  const phase = phaseOf(state);
  const ended = endedAt(state);
  const acceptedAt = Date.parse(request.acceptedAt);
  return {
    taskId: request.taskId,
    shortId: request.shortId,
    status: state.outcome !== null ? 'ended' : phase === 'accepted' ? 'accepted' : 'running',
    phase,
    phases: state.phases,
    origin: request.trigger.kind,
    repository: request.repository ?? state.routing?.repository ?? null,
    routedBy: state.routing?.by ?? null,
    choices: state.outcome === null ? state.choices : null,
    queuePosition: waitsForSlotSince(state) === null ? null : state.queuePosition,
    issueNumber: request.trigger.kind === 'github' ? request.trigger.issueNumber : null,
    requester: request.requester?.login ?? state.requesterName,
    repeats: request.onPage?.repeats ?? null,
    repeatedBy: state.retriedBy,
    instruction: request.instruction,
    acceptedAt: request.acceptedAt,
    endedAt: ended === null ? null : new Date(ended).toISOString(),
    elapsedMs: Math.max(0, (ended ?? now) - acceptedAt),
    base: authorization === null ? null : { branch: authorization.baseBranch, sha: authorization.baseSha },
    continues:
      authorization?.continues == null
        ? null
        : { number: authorization.continues.number, url: authorization.continues.url },
    ahead: state.ahead,
    remarks: state.remarks.flatMap(({ by, text, fate }) => (fate === 'reached' ? [{ by, text }] : [])),
    earlierTurn: earlierTurnOf(state, progress),
    attachmentsLeft: state.attachmentsLeft,
    latenessMs: state.latenessMs,
    model: authorization?.model ?? null,
    effort: authorization?.effort ?? null,
    setup: authorization === null ? null : setupView(authorization.policy.setup, setup),
    progress,
    receipt: withCommands(receipt, ranIn(state, progress)),
    change: state.change,
    usage: state.usage,
    costUsd,
    outcome: state.outcome,
  };
}

function earlierTurnOf({ earlierTurn }: RecordState, progress: Progress | null): TaskView['earlierTurn'] {
  if (earlierTurn === null) return null;
  const { shortId, why } = earlierTurn;
  const resumed = progress?.resumed ?? null;
  return { shortId, resumed: resumed === 'yes', why: why ?? (resumed === 'yes' ? null : resumed) };
}
