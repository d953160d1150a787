/** An end without what it brought, and the attempts at publication that can follow one. */
import type { Approval } from '../../core/authorization.ts';
import type { TaskOutcome } from '../../core/task.ts';

interface TaskEnd {
  readonly kind: TaskOutcome['kind'];
  /** Of the reason; null if the outcome has none. */
  readonly code: string | null;
}

export interface PublicationAttempt {
  readonly at: number;
  readonly approval: Approval | null;
  /** The end before it. */
  readonly after: TaskEnd;
}

export const endOf = (outcome: TaskOutcome): TaskEnd => ({
  kind: outcome.kind,
  code: 'reason' in outcome ? outcome.reason.code : null,
});
