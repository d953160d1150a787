/** The repository host, for tasks. Each method has a deadline; those that change something are idempotent. */
import type { Conventions } from '../ask/conventions.ts';
import type { AttachmentAnswer, AttachmentRef } from '../attachment.ts';
import type { CommitChecks } from '../ask/checks.ts';
import type { IssueContext } from '../ask/context.ts';
import type { Displayed } from '../ask/mention.ts';
import type { PullPlace } from '../authorization.ts';
import type { ReviewWords } from '../ask/review-ask.ts';
import type { LineAnswer } from '../line-answers.ts';
import type {
  GithubTrigger,
  PullRequestState,
  Reason,
  RepositoryFacts,
  RepositoryRef,
  TaskOutcome,
  TaskRequest,
} from '../task.ts';

/** 👀 while a task runs, 🚀 for a pull request, 😕 for an end without one. */
export type Reaction = 'eyes' | 'rocket' | 'confused';

export interface CodeHost {
  /** Null if the App is not installed or the repository does not exist. */
  locate(repository: RepositoryRef): Promise<RepositoryFacts | null>;
  /** Asks the collaborator permission API now. The id counts, not the login. */
  canWrite(facts: RepositoryFacts, person: { login: string; id: number }): Promise<boolean>;
  /** The head commit of a branch; null if there is no such branch. */
  headOf(facts: RepositoryFacts, branch: string): Promise<string | null>;
  /** The trigger's text as GitHub displays it; null if the trigger has no words of its own. */
  displayedWords(facts: RepositoryFacts, request: TaskRequest): Promise<Displayed | null>;
  /** The words of the review that the trigger belongs to. */
  reviewWords(facts: RepositoryFacts, trigger: GithubTrigger, reviewId: number): Promise<ReviewWords>;
  /** The issue or pull request, and the comments of people with write access, as of the trigger. */
  issueContext(
    facts: RepositoryFacts,
    request: TaskRequest,
    pull: PullPlace | null,
  ): Promise<IssueContext | null>;
  /** How the repository writes titles and pull requests, as of a commit. `template`: whether to read it. */
  conventions(
    facts: RepositoryFacts,
    sha: string,
    wanted: { readonly template: boolean },
  ): Promise<Conventions>;
  /** What fails on a commit. `logs`: with the end of the failed jobs' logs, which takes longer. */
  commitChecks(facts: RepositoryFacts, sha: string, options: { logs: boolean }): Promise<CommitChecks>;
  /** Fetches what is attached to a text, from GitHub's own hosts. Not being able to is an answer. */
  attachment(
    facts: RepositoryFacts,
    request: TaskRequest,
    ref: Extract<AttachmentRef, { source: 'github' }>,
  ): Promise<AttachmentAnswer>;
  /** Sets the reaction on the triggering comment or issue, in place of an earlier one. */
  react(facts: RepositoryFacts, request: TaskRequest, content: Reaction): Promise<void>;
  /** Creates or edits the task's sticky comment, which it finds by its marker. Returns the comment's id. */
  saveProgressComment(
    facts: RepositoryFacts,
    request: TaskRequest,
    markdown: string,
    knownId: number | null,
  ): Promise<number>;
  /** Creates, or finds and edits, the comment with an end. `attempt`: 0, or that of the publication. */
  saveEndComment(
    facts: RepositoryFacts,
    request: TaskRequest,
    markdown: string,
    attempt: number,
  ): Promise<number>;
  /** Answers each line comment once, in its thread. Returns those that take no reply. */
  replyToLines(
    facts: RepositoryFacts,
    request: TaskRequest,
    answers: readonly LineAnswer[],
    outcome: TaskOutcome,
  ): Promise<readonly { readonly id: number; readonly reason: Reason }[]>;
  /** Reads a pull request; null if there is none with that number. */
  pullRequest(facts: RepositoryFacts, number: number): Promise<PullRequestState | null>;
  /** Looks up an account by its login; null if there is none or it is not a person's. */
  account(facts: RepositoryFacts, login: string): Promise<{ login: string; id: number } | null>;
  /** The repository's present facts by its id, so that a rename is followed; null if out of reach. */
  relocate(facts: RepositoryFacts): Promise<RepositoryFacts | null>;
  /** At most 500, sorted by name. For choosing only: `locate` decides on access. */
  installedRepositories(): Promise<readonly RepositoryRef[]>;
  /** Revokes the tokens that this process minted for the task. Best effort; never throws. */
  forgetTokens(taskId: string): Promise<void>;
}
