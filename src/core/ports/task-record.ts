/** The record of one task, as the Workflow sees it. Deadlines and idempotence as in `code-host.ts`. */
import type { AgentEnd, Approval, Authorization } from '../authorization.ts';
import type { ChatMessageRef, Routing } from '../chat.ts';
import type { EarlierTurn } from '../earlier-turn.ts';
import type { AskedLine } from '../line-answers.ts';
import type { Notable } from '../progress.ts';
import type { Ahead, Remark, RemarkFate } from '../remark.ts';
import type { TaskView } from '../task-view.ts';
import type {
  RepositoryFacts,
  RepositoryPlace,
  RepositoryRef,
  RoutedRequest,
  TaskOutcome,
  TaskPhase,
  TaskRequest,
} from '../task.ts';

/** What the stages read of a record. */
export interface TaskSnapshot {
  /** What was asked, with what people added while Codex worked. */
  readonly request: TaskRequest;
  /** The request as it was accepted, with its repository; null before routing. */
  readonly routed: RoutedRequest | null;
  /** The repository by its ids on GitHub; null until they are known. */
  readonly place: RepositoryPlace | null;
  /** The repository that a person chose; null before. */
  readonly choice: RepositoryRef | null;
  /** null before authorization, and for a task that was refused. */
  readonly authorization: Authorization | null;
  /** The task's message in Slack; null if there is none. */
  readonly slackPost: ChatMessageRef | null;
  /** null: there is none, or it was not looked for yet. */
  readonly earlierTurn: EarlierTurn | null;
  /** The nonce that the canary has to bring back. */
  readonly canaryNonce: string;
  /** The earlier task of the conversation that this one waits for. */
  readonly ahead: Ahead | null;
  /** The line comments that were added while Codex worked, and that it has read. */
  readonly addedLines: readonly AskedLine[];
  readonly setupEnded: boolean;
  /** null until Codex's run has ended. */
  readonly agentEnd: AgentEnd | null;
  /** What the model said when its latest answer was a refusal. Untrusted. */
  readonly refusal: string | null;
  readonly cancelledBy: string | null;
  /** A person's approval of the held change; null when there is none. */
  readonly approval: Approval | null;
  readonly outcome: TaskOutcome | null;
  /** How long a step can wait for an upstream, in ms since the epoch. */
  readonly waitUntil: number;
}

/** What a stage found out. Each field can be reported again with the same value. */
export interface Findings {
  /** Where the task belongs, and the requester's name in Slack. The first one counts. */
  readonly routing?: { readonly routing: Routing; readonly requesterName: string };
  /** What is asked, as it is displayed or by a retry. It replaces what the trigger seemed to ask. */
  readonly asked?: Pick<TaskRequest, 'ask' | 'instruction' | 'options'> &
    Partial<Pick<TaskRequest, 'trigger' | 'askedBefore'>>;
  /** Asks a person to choose one of these. */
  readonly choices?: readonly RepositoryRef[];
  /** Where the post goes; set before authorization so that a refusal can be posted. */
  readonly facts?: RepositoryFacts;
  /** What this task waits for until it is authorized. */
  readonly ahead?: Ahead;
  readonly authorization?: Authorization;
  readonly earlierTurn?: EarlierTurn;
  /** The task gets no post: its refusal was already posted in this conversation. */
  readonly silent?: true;
  /** The place in the queue for a slot. Ignored once the task has its slot. */
  readonly queuePosition?: number;
  /** A sentence about attachments that Codex did not get. */
  readonly attachmentsLeft?: string;
  readonly latenessMs?: number;
  /** The first one counts. */
  readonly change?: { readonly files: number; readonly insertions: number; readonly deletions: number };
}

/** A line of the task's log. */
export type LogLine = Notable | { readonly kind: 'note'; readonly text: string };

/** The record of one task. Every method is idempotent. */
export interface TaskRecordPort {
  /** Reads what the stages decide by; null if there is no such task. */
  snapshot(): Promise<TaskSnapshot | null>;
  /** Reads the task as people see it; null if there is no such task. */
  view(): Promise<TaskView | null>;
  /** Adds what a stage found out. */
  learn(findings: Findings): Promise<void>;
  /** Appends a line to the log, unless it is there already. */
  appendToLog(line: LogLine): Promise<void>;
  /** Rejects when a later grant phase is open. Returns who cancelled the task, and its outcome. */
  enter(
    phase: TaskPhase,
  ): Promise<{ readonly cancelledBy: string | null; readonly outcome: TaskOutcome | null }>;
  /** False when there is nothing to choose any more. The first choice stays. */
  choose(repository: RepositoryRef): Promise<boolean>;
  /** Posts what the record knows now. Does nothing for a task that has no place for a post. */
  updatePost(): Promise<void>;
  /** Watches a run from now on, with its deadline. The Workflow is woken when the run ends. */
  watchRun(run: 'setup' | 'codex'): Promise<void>;
  /** Stores a file with the record, replacing one of that name. */
  keep(name: string, content: string): Promise<void>;
  kept(name: string): Promise<string | null>;
  /**
   * Passes a person's words on to the turn of this task, once. Returns their fate as far as it is known, and
   * wakes the Workflow of the task `remark.id` when it is; null: this task takes them no more.
   */
  addRemark(remark: Remark): Promise<RemarkFate | null>;
  /** null: this task never took it. */
  remarkFate(id: string): Promise<RemarkFate | null>;
  /** Wakes that task's Workflow when this task is routed, authorized, asks for a choice, or ends. */
  addWaiter(taskId: string): Promise<void>;
  /** Ends the task. The first outcome stays. */
  finish(outcome: TaskOutcome): Promise<void>;
  /** Destroys the sandbox and releases the slot. If that rejects, the record tries again by itself. */
  close(): Promise<void>;
  cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }>;
  /** Returns the task that repeats this one: `by`, unless there was one before that is not `instead`. */
  claimRetry(by: string, instead: string | null): Promise<string>;
  /** For a failed publication or an approved, held change. `attempt` counts from 1. */
  startPublicationAttempt(
    approval: Approval | null,
  ): Promise<
    | { readonly started: true; readonly attempt: number; readonly request: TaskRequest }
    | { readonly started: false; readonly reason: string }
  >;
}
