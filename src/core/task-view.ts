/** A task as people and programs see it. Holds untrusted text, already cut; each surface escapes it. */
import type { RoutedBy } from './chat.ts';
import type { Fault, Receipt, TokenUsage } from './grant.ts';
import type { EarlierTurnView } from './earlier-turn.ts';
import type { Notable, Progress } from './progress.ts';
import type { Ahead, Remark } from './remark.ts';
import type { SetupView } from './setup-view.ts';
import type { RepositoryRef, TaskOutcome, TaskPhase } from './task.ts';

export interface TaskView {
  readonly taskId: string;
  readonly shortId: string;
  readonly status: 'accepted' | 'running' | 'ended';
  readonly phase: TaskPhase;
  /** Milliseconds since the epoch, in order of entry. */
  readonly phases: readonly { readonly phase: TaskPhase; readonly at: number }[];
  /** Where the task was asked for. */
  readonly origin: 'github' | 'slack' | 'api';
  /** Null until routing has decided. */
  readonly repository: RepositoryRef | null;
  /** Why this repository. Null before routing, and where the place decides it (GitHub, the API). */
  readonly routedBy: RoutedBy | null;
  /** Set while the task waits for a person to choose one of these. */
  readonly choices: readonly RepositoryRef[] | null;
  /** 1 is next; a guess, because a task may be overtaken. Null unless the task waits for a slot. */
  readonly queuePosition: number | null;
  readonly issueNumber: number | null;
  /** GitHub login, or the name in Slack. */
  readonly requester: string | null;
  /** The task on whose page this one was asked, to repeat it; null: it was asked elsewhere. */
  readonly repeats: string | null;
  /** The task that repeats this one; null: none does. */
  readonly repeatedBy: string | null;
  readonly instruction: string;
  /** ISO 8601. */
  readonly acceptedAt: string;
  readonly endedAt: string | null;
  readonly elapsedMs: number;
  readonly base: { readonly branch: string; readonly sha: string } | null;
  /** The pull request that a follow-up works on; null for a task of its own. */
  readonly continues: { readonly number: number; readonly url: string } | null;
  /** The earlier task of the conversation that this one waits for. */
  readonly ahead: Ahead | null;
  /** Words that were added while the task ran and that reached Codex, in order. */
  readonly remarks: readonly Pick<Remark, 'by' | 'text'>[];
  /** The earlier turn of the conversation; null if there is none. */
  readonly earlierTurn: EarlierTurnView | null;
  /** A sentence about attachments that Codex did not get; empty if it got all. Untrusted names. */
  readonly attachmentsLeft: string;
  /** Milliseconds from what the person did to its acceptance; null if that was soon. */
  readonly latenessMs: number | null;
  readonly model: string | null;
  readonly effort: string | null;
  /** Null: not known yet. */
  readonly setup: SetupView | null;
  readonly progress: Progress | null;
  readonly receipt: Receipt;
  readonly change: { readonly files: number; readonly insertions: number; readonly deletions: number } | null;
  readonly usage: TokenUsage;
  /** US dollars, estimated; null when the configuration has no price for the model. */
  readonly costUsd: number | null;
  readonly outcome: TaskOutcome | null;
}

/** One line of a task's log. `seq` grows by one; a viewer resumes from it. */
export interface TaskEvent {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly body: TaskEventBody;
}
export type TaskEventBody =
  | Notable
  | { readonly kind: 'phase'; readonly phase: TaskPhase }
  | { readonly kind: 'acknowledged' }
  | {
      readonly kind: 'egress.denied';
      readonly method: string;
      readonly host: string;
      readonly path: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'egress.failed';
      readonly method: string;
      readonly host: string;
      readonly path: string;
      readonly fault: Fault;
      readonly reason: string;
    }
  | { readonly kind: 'model.first-request' }
  | {
      readonly kind: 'change';
      readonly files: number;
      readonly insertions: number;
      readonly deletions: number;
    }
  | { readonly kind: 'note'; readonly text: string }
  /** The place in the queue; 1 is next. */
  | { readonly kind: 'queued'; readonly position: number }
  | { readonly kind: 'ended'; readonly outcome: TaskOutcome };
