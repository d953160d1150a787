/** The checks on a commit: what continuous integration reported. All texts are untrusted. */

export interface FailingCheck {
  readonly name: string;
  /** The App or service that reports it. */
  readonly by: string;
  /** GitHub's word: `failure`, `timed_out`, `error`, … */
  readonly conclusion: string;
  /** What it reports about itself; empty if it reports nothing. */
  readonly summary: string;
  /** The failed steps of a job. */
  readonly steps: readonly string[];
  /** The end of a job's log, up to the error; null if there is none. */
  readonly log: string | null;
  /** Why there is no log, for the prompt; null if there is one or none is expected. */
  readonly noLog: string | null;
}

export interface CommitChecks {
  readonly sha: string;
  readonly failing: readonly FailingCheck[];
  readonly failingLeftOut: number;
  /** Names of those that have not ended. */
  readonly running: readonly string[];
  /** What could not be read and why, for people. Then `failing` may lack something. */
  readonly unread: readonly string[];
}

/** The answer if nothing is to be mended; null if there is, or if that is unknown. */
export function nothingFails({ sha, failing, running, unread }: CommitChecks): string | null {
  if (failing.length > 0 || unread.length > 0) return null;
  const commit = sha.slice(0, 7);
  if (running.length === 0) return `No check fails on ${commit}, so I changed nothing.`;
  const are = running.length === 1 ? '1 check is' : `${running.length} checks are`;
  return `No check fails on ${commit} yet; ${are} still running. Ask again when one has failed.`;
}
