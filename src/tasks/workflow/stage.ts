/** What the stages work with, and what they return. */
import type { Approval } from '../../core/authorization.ts';
import type { MonthSpent } from '../../core/budget.ts';
import type { CodeHost } from '../../core/ports/code-host.ts';
import type { Codex } from '../../core/ports/codex.ts';
import type { Policy } from '../../core/policy.ts';
import type { Publication } from '../../core/ports/publication.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import type { Chat, Conversations, IssueTasks, TaskIndex } from '../../core/ports/chat-port.ts';
import type { TaskSandbox } from '../../core/ports/sandbox-port.ts';
import type { Slots } from '../../core/ports/slots-port.ts';
import type { SetupCache } from '../../core/ports/setup-cache-port.ts';
import type { RoutedRequest, TaskOutcome, TaskRequest } from '../../core/task.ts';
import type { AskerAccess } from '../start-task.ts';

export interface TaskDeps {
  readonly record: TaskRecordPort;
  readonly sandbox: TaskSandbox;
  readonly slots: Slots;
  /** null if there is no cache. */
  readonly setupCache: SetupCache | null;
  readonly codex: Codex;
  readonly codeHost: CodeHost;
  readonly publication: Publication;
  readonly policy: Policy;
  /** null if Slack is not configured. */
  readonly chat: Chat | null;
  readonly index: TaskIndex;
  readonly conversations: Conversations;
  readonly issueTasks: Pick<IssueTasks, 'onIssue' | 'removeFromIssue'>;
  /** What the authorization of a trigger on GitHub found out. `told`: already refused there. */
  settle(request: TaskRequest, access: AskerAccess): Promise<{ readonly told: boolean }>;
  /** The record of another task. */
  recordOf(taskId: string): TaskRecordPort;
  /** Starts a publication attempt of a kept change, or of a held one that a person has approved. */
  retryPublication(
    taskId: string,
    approval: Approval | null,
  ): Promise<{ readonly started: true } | { readonly started: false; readonly reason: string }>;
  /** What the tasks of a month have spent, without this one. */
  spent(
    month: string,
    of: { readonly taskId: string; readonly repositoryId: number; readonly person: string | null },
  ): Promise<MonthSpent>;
  taskUrl(taskId: string): string | null;
  /** Link to the comment or issue on GitHub that asked; null for a task from elsewhere. */
  askedUrl(request: RoutedRequest): string | null;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** What a stage returns: a value for the next stage, or the task's outcome. */
export type Stage<T> =
  | { readonly go: true; readonly value: T }
  | { readonly go: false; readonly outcome: TaskOutcome };
