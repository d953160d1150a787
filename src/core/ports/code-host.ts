/**
 * The repository host as the tasks see it.
 *
 * Every method that leaves the process is bounded by its implementation and rejects with an `Error` when the bound passes.
 * A method that changes something may be called again with the same arguments, also while the first call still runs, and
 * has the effect of one call.
 */
import type { IssueContext } from '../ask/context.ts';
import type { PullRequestRef, RepositoryFacts, RepositoryRef, TaskRequest } from '../task.ts';

export interface CodeHost {
  /** Resolves the installation and the repository's facts; null if the App is not installed or the repository does not exist. */
  locate(repository: RepositoryRef): Promise<RepositoryFacts | null>;
  /** From the collaborator permission API, not from `author_association`. */
  canWrite(facts: RepositoryFacts, login: string): Promise<boolean>;
  /** The commit a branch points to; null when there is no such branch. */
  headOf(facts: RepositoryFacts, branch: string): Promise<string | null>;
  /** Issue and comments of people with write access, as they stood at the trigger. */
  issueContext(facts: RepositoryFacts, request: TaskRequest): Promise<IssueContext | null>;
  /** 👀 on the triggering comment or issue. */
  react(facts: RepositoryFacts, request: TaskRequest): Promise<void>;
  /** Creates the task's one sticky comment or edits it; finds it again by its marker. Returns the comment's id. */
  saveProgressComment(
    facts: RepositoryFacts,
    request: TaskRequest,
    markdown: string,
    knownId: number | null,
  ): Promise<number>;
  /** Ids of the tasks whose sticky comments, written by this App, stand on the issue; newest first, at most 20. */
  tasksOn(facts: RepositoryFacts, issueNumber: number): Promise<readonly string[]>;
  /** A pull request as it is now; null when there is none of that number. */
  pullRequest(facts: RepositoryFacts, number: number): Promise<PullRequestState | null>;
  /** An account by its login, as GitHub writes it; null when there is none or it is not a person's. */
  account(facts: RepositoryFacts, login: string): Promise<{ login: string; id: number } | null>;
  /** Resolves the repository's present facts by its id, so that a rename is followed; null if the App cannot reach it any more. */
  relocate(facts: RepositoryFacts): Promise<RepositoryFacts | null>;
  /** Every repository that the App is installed on, at most 500, sorted by name. For choosing only: access is `locate`'s question. */
  installedRepositories(): Promise<readonly RepositoryRef[]>;
  /** Revokes what tokens this process minted for the task. Best effort; never throws. */
  forgetTokens(taskId: string): Promise<void>;
}

export interface PullRequestState {
  readonly pullRequest: PullRequestRef;
  readonly open: boolean;
  /** False when its branch lies in a fork, where the App may not write. */
  readonly sameRepository: boolean;
  readonly baseBranch: string;
}
