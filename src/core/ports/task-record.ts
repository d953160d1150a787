/** The record of one task, as the Workflow sees it. Same rules as `code-host.ts`. */
import type { AgentEnd, Approval, Authorization } from '../authorization.ts';
import type { Routing } from '../chat.ts';
import type { GrantPhase } from '../grant.ts';
import type { Notable } from '../progress.ts';
import type { TaskEvent, TaskView } from '../task-view.ts';
import type {
  RepositoryFacts,
  RepositoryRef,
  RoutedRequest,
  TaskOutcome,
  TaskPhase,
  TaskRequest,
} from '../task.ts';

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
