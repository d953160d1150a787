/**
 * Everything the life of a task needs from outside, as contracts. `tasks/` sees nothing else; `composition.ts` wires them.
 *
 * Deadlines: every method that leaves the process is bounded by its implementation and rejects with an `Error`
 * when the bound passes. Idempotence: every method that changes something may be called again with the same
 * arguments after a lost answer, also while the first call still runs, and has the effect of one call.
 */
import type { ChangeSet } from '../change-set.ts';
import type { Routing } from '../chat.ts';
import type { IssueContext } from '../ask/context.ts';
import type { BudgetName, GrantedRepository, GrantPhase, Receipt } from '../grant.ts';
import type { RepositoryPolicy, RepositoryRefusal, SetupPolicy, SlackPolicy } from '../access/policy.ts';
import type { Answer, CommandRun, Notable, Progress, TokenUsage } from '../progress.ts';
import type { SandboxCommand } from './sandbox-port.ts';
import type { SetupReport } from '../setup.ts';
import type { TaskEvent, TaskView } from '../task-view.ts';
import type {
  PullRequestRef,
  Reason,
  RepositoryFacts,
  RepositoryRef,
  RoutedRequest,
  TaskOutcome,
  TaskPhase,
  TaskRequest,
} from '../task.ts';

// ---- Codex ------------------------------------------------------------------------------------------------

export interface CodexJob {
  readonly prompt: string;
  readonly model: string;
  readonly effort: string;
}

export interface Codex {
  /** What to write into the sandbox and what to start there. */
  invocation(job: CodexJob): { files: readonly { path: string; content: string }[]; command: SandboxCommand };
  readonly initialProgress: Progress;
  /** Folds one line of the run's output into the progress. Never throws: a bad line counts as unknown. */
  fold(progress: Progress, line: string, now: number): { progress: Progress; notable: readonly Notable[] };
  /** Validates the final message against the answer schema. Never throws. */
  answer(progress: Progress): Answer;
}

// ---- GitHub -----------------------------------------------------------------------------------------------

export interface CodeHost {
  /** Who we are there; null when the App is not installed on the repository or it does not exist. */
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
  /** What the repository is called now, asked for by its id; null when it is no longer there for us. */
  currentName(facts: RepositoryFacts): Promise<RepositoryRef | null>;
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

// ---- publication ------------------------------------------------------------------------------------------

export type GateVerdict =
  | { readonly kind: 'allow' }
  /** Published, but as a draft with these remarks in the body. */
  | { readonly kind: 'mark'; readonly remarks: readonly string[] }
  /** Not published: the change is kept and a person decides. */
  /** `approvable`: a person's approval would let it pass. GitHub takes workflow files from nobody but a person. */
  | { readonly kind: 'hold'; readonly reason: Reason; readonly approvable: boolean };

export interface PublishInput {
  readonly request: RoutedRequest;
  readonly facts: RepositoryFacts;
  readonly baseBranch: string;
  readonly change: ChangeSet;
  readonly answer: Answer;
  readonly draft: boolean;
  readonly remarks: readonly string[];
  /** The pull request whose branch gets the commit; null: a branch and a pull request of its own. */
  readonly continues: PullRequestRef | null;
  /** GitHub login of who is asked for a review; null: nobody. Best effort. */
  readonly reviewer: string | null;
  readonly evidence: {
    readonly model: string;
    readonly effort: string;
    readonly usage: TokenUsage;
    readonly commands: readonly CommandRun[];
    readonly receipt: Receipt;
    /** null: none is configured. */
    readonly setup: SetupReport | null;
    /** Open to GET and HEAD while Codex ran. */
    readonly extraHosts: readonly string[];
    readonly commentsLeftOut: number;
    /** Milliseconds from acceptance to publication, as measured by the caller at the first attempt. */
    readonly elapsedMs: number;
    /** Where the task's page is; null when there is no public address. */
    readonly taskUrl: string | null;
    /** Link to the conversation in Slack; only ever set for a private repository. */
    readonly conversationUrl: string | null;
    readonly costUsd: number | null;
  };
}

export type PublishResult =
  /** `added`: as a commit on the pull request that it continues. */
  | { readonly kind: 'published'; readonly pullRequest: PullRequestRef; readonly added: boolean }
  /** GitHub will not take it, and a second attempt would not change that. */
  | { readonly kind: 'rejected'; readonly reason: Reason };

export interface Publication {
  /** Parses the collector's lines (untrusted) against the recorded base. Never throws. */
  parseChange(lines: string, base: string): { ok: true; change: ChangeSet } | { ok: false; reason: Reason };
  /** `approvedBy`: who has approved exactly this change; what they could approve is then marked and no longer held. */
  gate(change: ChangeSet, approvedBy: string | null): GateVerdict;
  /** What an approval is bound to: hex SHA-256 of the collector's lines as they are kept. */
  changeHash(lines: string): Promise<string>;
  /** blobs → tree → commit → ref → pull request; a second attempt finds what the first made. Throws on what may pass. */
  publish(input: PublishInput): Promise<PublishResult>;
}

// ---- policy -----------------------------------------------------------------------------------------------

export interface Policy {
  /** How people address the bot: the handle without `@`. */
  readonly mention: string;
  forRepository(repository: RepositoryRef): RepositoryPolicy | RepositoryRefusal;
  /** Repositories that the configuration names exactly and allows, in its order. Those below a `*` are not among them. */
  readonly named: readonly RepositoryRef[];
  /** Whether some entry with a `*` allows repositories, so that `named` is not all there is. */
  readonly hasPatterns: boolean;
  /** null: Slack is not configured. */
  readonly slack: SlackPolicy | null;
}

// ---- the record, as the Workflow sees it ----------------------------------------------------------------------

/** What `authorize` established; the grant is made from it. */
export interface Authorization {
  readonly facts: RepositoryFacts;
  readonly baseBranch: string;
  readonly baseSha: string;
  readonly model: string;
  readonly effort: string;
  readonly models: readonly string[];
  readonly limits: { readonly minutes: number; readonly tokens: number };
  readonly draft: boolean;
  readonly setup: SetupPolicy | null;
  readonly alsoRead: readonly GrantedRepository[];
  readonly lfs: boolean;
  readonly extraHosts: readonly string[];
  /**
   * The base is the branch that the configuration names, or the default one: reviewed code. Only what a setup of it installs is kept
   * for other tasks; whoever may push to some branch could plant something for all of them otherwise.
   */
  readonly isConfiguredBase: boolean;
  /** The pull request that is worked on; `baseBranch` is then its branch. null: a new one. */
  readonly continues: PullRequestRef | null;
  /** Who asked, on GitHub: the co-author. null when that is not known. */
  readonly requester: TaskRequest['requester'];
}

/** How a Codex run came to its end, as the observer saw it from outside. */
export type AgentEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'deadline' }
  /** `budget` was used up. Missing in what an earlier version stored, where it was always `tokens`. */
  | { readonly kind: 'budget'; readonly budget?: BudgetName }
  | { readonly kind: 'cancelled'; readonly by: string }
  | { readonly kind: 'lost'; readonly why: string };

/** A person's word that a held change may be published: for this change and no other. */
export interface Approval {
  readonly by: string;
  /** Hex SHA-256 of the change as it is kept. */
  readonly changeHash: string;
}

/** The record of one task. Every method is idempotent. */
export interface TaskRecordPort {
  /** What was asked, as it was accepted; null when there is no such task. */
  request(): Promise<TaskRequest | null>;
  /** The same, once it is known where it belongs; null before. */
  routedRequest(): Promise<RoutedRequest | null>;
  /** Where it belongs, and what the asker is called. The first call counts. */
  routed(routed: { readonly routing: Routing; readonly requesterName: string }): Promise<void>;
  /** Shows these to choose from; the Workflow gets `chosen` when somebody has, or when the task was cancelled. */
  offer(choices: readonly RepositoryRef[]): Promise<void>;
  /** False when there is nothing to choose any more. Only what was offered can be chosen; the first choice stays. */
  choose(repository: RepositoryRef): Promise<boolean>;
  choice(): Promise<RepositoryRef | null>;
  located(facts: RepositoryFacts): Promise<void>;
  authorized(authorization: Authorization): Promise<void>;
  /** What was authorized; null before, and for a task that was refused. */
  authorization(): Promise<Authorization | null>;
  /** The task waits for a slot, at this place of the queue. Does nothing once it has one. */
  queued(position: number): Promise<void>;
  /** A line in the task's log. */
  note(text: string): Promise<void>;
  /** A line of another kind; the same one twice is one. */
  tell(line: Notable): Promise<void>;
  /** Enters a phase of the life cycle; says so when the task was cancelled meanwhile. */
  enter(phase: TaskPhase): Promise<{ readonly cancelledBy: string | null }>;
  /** What the sandbox may reach from now on. Phases only go forward; rejects when this one is over. */
  grantPhase(phase: GrantPhase): Promise<void>;
  /** The nonce that the canary has to bring back. */
  canaryNonce(): Promise<string>;
  /** Posts or edits the sticky comment with what the record knows now. A task without an issue does nothing. */
  saveComment(): Promise<void>;
  /** From now on the record tails the run and enforces the deadline; the Workflow gets `agent-finished` at the end. */
  observe(): Promise<void>;
  agentEnd(): Promise<AgentEnd | null>;
  keep(name: string, content: string): Promise<void>;
  kept(name: string): Promise<string | null>;
  changed(stat: { files: number; insertions: number; deletions: number }): Promise<void>;
  /** The first outcome stays. */
  finish(outcome: TaskOutcome): Promise<void>;
  view(): Promise<TaskView | null>;
  events(): Promise<readonly TaskEvent[]>;
  /**
   * Opens a task again whose publication failed and whose change is kept, or whose change was held and is now approved.
   * `attempt` counts from 1.
   */
  reopen(
    approval: Approval | null,
  ): Promise<
    | { readonly reopened: true; readonly attempt: number; readonly request: TaskRequest }
    | { readonly reopened: false; readonly reason: string }
  >;
  /** The approval that publication was reopened with; null when there is none. */
  approval(): Promise<Approval | null>;
  cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }>;
  /** Destroys the sandbox and gives back its slot; the watchdog is done once this has worked. */
  close(): Promise<void>;
}
