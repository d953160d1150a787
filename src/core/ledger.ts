/**
 * What the ledger keeps of each task: who asked for what where, what it cost and what came of it. It outlives
 * the task's record, and holds no instruction and no code: of words only a title.
 */
import type { TaskJob, TaskOutcome } from './task.ts';

/** `choosing`: it waits for a person to choose its repository. */
export const ledgerStates = ['waiting', 'choosing', 'running', 'held', 'ended'] as const;
export type LedgerState = (typeof ledgerStates)[number];
export const ledgerPlaces = ['github', 'slack', 'api'] as const;

/** What one task's record says about it. A later report replaces an earlier one. */
export interface LedgerEntry {
  readonly taskId: string;
  readonly shortId: string;
  /** Milliseconds since the epoch, as all instants here. */
  readonly acceptedAt: number;
  readonly endedAt: number | null;
  readonly place: (typeof ledgerPlaces)[number];
  /** `owner/name`; null before routing. */
  readonly repository: string | null;
  /** Null until GitHub was asked, both. */
  readonly repositoryId: number | null;
  readonly installationId: number | null;
  /** `github:ID` or `slack:TEAM:USER`; null for the API. */
  readonly person: string | null;
  /** The name that people read: a login, or the name in Slack. */
  readonly requester: string | null;
  readonly state: LedgerState;
  readonly outcome: TaskOutcome['kind'] | null;
  /** Untrusted: of the task's pull request, or of the issue where it was asked, as it was then. */
  readonly title: string | null;
  /** Of the issue or pull request where it was asked; null elsewhere. */
  readonly issue: number | null;
  /** What was asked for: work by its job, or a command. */
  readonly asked: 'change' | TaskJob | 'command';
  /** Of the reason. */
  readonly code: string | null;
  readonly tokens: number;
  /** US dollars; null without a price. */
  readonly dollars: number | null;
  /** The pull request that the task opened or added to. */
  readonly pull: number | null;
}

/** What a pull request is now. `at`: of the event that says so. */
export interface PullEnd {
  readonly repositoryId: number;
  readonly number: number;
  readonly state: 'open' | 'closed' | 'merged';
  readonly at: number;
}

/** An entry with what happened to its pull request. */
export interface LedgerRow extends LedgerEntry {
  /** Null while it is open, and without one. */
  readonly closedAt: number | null;
  readonly merged: boolean;
}

/** What the row's pull request is now, for a row with one. */
export function pullStateOf({ closedAt, merged }: Pick<LedgerRow, 'closedAt' | 'merged'>): PullEnd['state'] {
  if (closedAt === null) return 'open';
  return merged ? 'merged' : 'closed';
}

export interface LedgerQuery {
  readonly state?: LedgerState | undefined;
  /** `owner/name`, in any letters. */
  readonly repository?: string | undefined;
  /** The requester's name, in any letters, or their `person`. */
  readonly person?: string | undefined;
  readonly place?: LedgerEntry['place'] | undefined;
  /** Each of its words has to be in the title, the numbers (`#12`) or the names of a task. In any letters. */
  readonly search?: string | undefined;
  /** Only tasks of these repositories. */
  readonly repositoryIds?: readonly number[] | undefined;
  /** Accepted at or after, and before. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
  /** Only tasks before this one, in the order of the list. */
  readonly after?: { readonly acceptedAt: number; readonly taskId: string } | undefined;
  readonly limit: number;
}
