/** What continuous integration and the App report on a repository's commits. Nothing runs. */
import type { CheckConclusion, CheckRunView } from './contract.ts';
import type { Repository } from './store.ts';

/** Oldest first. */
interface CommitReports {
  readonly checks: CheckRun[];
  readonly statuses: CommitStatus[];
}
export interface CheckRun {
  readonly id: number;
  /** Of the check suite; for a job, also of its workflow run. */
  readonly suite: number;
  readonly sha: string;
  readonly name: string;
  /** The slug of the App that made it. */
  readonly app: string;
  /** null: it still runs. */
  readonly conclusion: CheckConclusion | null;
  readonly at: string;
  readonly output: {
    readonly title: string | null;
    readonly summary: string | null;
    readonly text: string | null;
  };
  readonly steps: readonly { readonly name: string; readonly conclusion: CheckConclusion }[];
  readonly log: string | null;
  readonly externalId: string;
  readonly actions: CheckRunView['actions'];
}
export interface CommitStatus {
  readonly id: number;
  readonly sha: string;
  readonly context: string;
  readonly state: 'error' | 'failure' | 'pending' | 'success';
  readonly description: string | null;
  readonly at: string;
}

const known = new WeakMap<Repository, CommitReports>();

export function reportsOf(repository: Repository): CommitReports {
  const reports = known.get(repository) ?? { checks: [], statuses: [] };
  known.set(repository, reports);
  return reports;
}
