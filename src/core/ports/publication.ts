/** From a collected change to a pull request, for tasks. Deadlines and idempotence as in `code-host.ts`. */
import type { Authorization, PullPlace } from '../authorization.ts';
import type { ChangeSet, Measure, MeasuredChange } from '../change-set.ts';
import type { GatePolicy } from '../gate-policy.ts';
import type { KeptMerge } from '../merge.ts';
import type { Receipt, TokenUsage } from '../grant.ts';
import type { Answer, CommandRun } from '../progress.ts';
import type { Reported } from '../reported.ts';
import type { SetupReport } from '../setup.ts';
import type { TaskView } from '../task-view.ts';
import type { PullRequestRef, Reason, RepositoryFacts, RoutedRequest } from '../task.ts';

export type GateVerdict =
  | { readonly kind: 'allow' }
  /** Published, but as a draft with these remarks in the body. */
  | { readonly kind: 'mark'; readonly remarks: readonly string[] }
  /** A person decides. `approvable`: not for workflow files, which GitHub takes only from people. */
  | { readonly kind: 'hold'; readonly reason: Reason; readonly approvable: boolean };

export interface GateInput {
  readonly change: MeasuredChange;
  /** What is published besides the files. Untrusted. */
  readonly words: Answer;
  readonly policy: GatePolicy;
}

export interface SandboxReport {
  /** The last of them. */
  readonly commands: readonly CommandRun[];
  readonly commandsTotal: number;
  /** null: none is configured. */
  readonly setup: SetupReport | null;
}

/** A change to publish, with the task's authorization. The requester is in `request`. */
export interface PublishInput extends Omit<Authorization, 'requester'> {
  readonly request: RoutedRequest;
  readonly change: MeasuredChange;
  readonly answer: Answer;
  /** The template that Codex was asked to fill in; null for none. Untrusted. */
  readonly template: string | null;
  /** Because the policy asks for drafts, or because there are remarks. */
  readonly draft: boolean;
  readonly remarks: readonly string[];
  /** GitHub login of the requested reviewer; null for none. Best effort. */
  readonly reviewer: string | null;
  /** False for a run that was cut off: its pull request refers to the issue and does not close it. */
  readonly complete: boolean;
  readonly evidence: {
    readonly usage: TokenUsage;
    readonly reported: Reported<SandboxReport>;
    readonly receipt: Receipt;
    readonly commentsLeftOut: number;
    /** Milliseconds from acceptance to publication, as measured by the caller at the first attempt. */
    readonly elapsedMs: number;
    /** Where the task's page is; null when there is no public address. */
    readonly taskUrl: string | null;
    /** Link to the conversation in Slack; only ever set for a private repository. */
    readonly conversationUrl: string | null;
    /** What people added while Codex worked, and Codex has read. Untrusted. */
    readonly added: TaskView['remarks'];
    /** Link to the comment or issue that asked; null for a task from elsewhere. */
    readonly askedUrl: string | null;
    readonly costUsd: number | null;
  };
}

export type PublishResult =
  /**
   * `added`: the commit on the pull request that the task continues; null if it opened one. `report`: its
   * evidence in Markdown, for the task's own comment in the pull request that it was asked in.
   */
  | {
      readonly kind: 'published';
      readonly pullRequest: PullRequestRef;
      readonly added: string | null;
      /** The commit of the pull request that it opened; null if people have rewritten it. */
      readonly commit?: string | null;
      readonly report?: string;
    }
  /** The task was asked in a pull request that takes no commit, or whose files others have changed. */
  | { readonly kind: 'unwritten'; readonly reason: Reason }
  /** The kept change fits nothing any more. Only another run helps, if anything does. */
  | { readonly kind: 'outdated'; readonly reason: Reason }
  /** GitHub rejects it, and a retry would not change that. */
  | { readonly kind: 'rejected'; readonly reason: Reason };

/** What the check run of a published commit says. Markdown, already escaped. */
export interface ReceiptCheck {
  /** null: people have rewritten the task's commit. */
  readonly sha: string | null;
  /** The pull request that the commit was added to; null if the task opened one. */
  readonly pull: number | null;
  /** It fails until somebody accepts it. */
  readonly isMarked: boolean;
  readonly title: string;
  readonly summary: string;
  readonly text: string;
}

/**
 * `not-permitted`: the App, or the account that it is installed on, has not granted “Checks: write”. `gone`:
 * somebody rewrote the branch, and the task's commit is not on it.
 */
export type ReceiptCheckSaved = 'saved' | 'exists' | 'not-permitted' | 'gone';

export interface CleanMergeInput extends Pick<Authorization, 'facts' | 'policy'> {
  readonly request: RoutedRequest;
  readonly pull: PullPlace;
}
export type CleanMerge =
  | { readonly kind: 'merged'; readonly commit: string }
  /** The head has the base branch's commits already. */
  | { readonly kind: 'contained' }
  | { readonly kind: 'conflict'; readonly ancestor: string }
  | { readonly kind: 'rejected'; readonly reason: Reason };

export interface Publication {
  /** Parses the collector's lines (untrusted) against the recorded base. Never throws. */
  parseChange(lines: string, base: string): { ok: true; change: ChangeSet } | { ok: false; reason: Reason };
  /** Compares the change with its base, or with what is merged, on GitHub. Rejects on transient errors. */
  measure(
    facts: RepositoryFacts,
    taskId: string,
    change: ChangeSet,
    merge: KeptMerge | null,
  ): Promise<Measure>;
  /** Has GitHub merge the base branch into the head, if there is no conflict. Rejects as `publish`. */
  mergeCleanly(input: CleanMergeInput): Promise<CleanMerge>;
  /** `approvedBy` approved exactly this change: what is approvable is then marked instead of held. */
  gate(input: GateInput, approvedBy: string | null): GateVerdict;
  /** A sentence about changed files that are not part of the change; null if nobody misses any. Untrusted. */
  leftOut(change: ChangeSet): string | null;
  /** Hex SHA-256 of the kept lines, which an approval is bound to. */
  changeHash(lines: string): Promise<string>;
  /** A second attempt finds what the first made. Rejects on transient errors. */
  publish(input: PublishInput): Promise<PublishResult>;
  receiptCheck(input: PublishInput, published: PublishResult & { kind: 'published' }): ReceiptCheck;
  /** For a merge that `mergeCleanly` had GitHub make. */
  mergeCheck(commit: string, pull: number): ReceiptCheck;
  /** Saves the check run once, if the App may write checks. Rejects on transient errors. */
  saveReceiptCheck(facts: RepositoryFacts, taskId: string, check: ReceiptCheck): Promise<ReceiptCheckSaved>;
}
