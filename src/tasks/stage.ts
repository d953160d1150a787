/** What the stages of a task's life work with, and what each leads to. */
import type { CodeHost, Codex, Policy, Publication, TaskRecordPort, TaskSandbox } from '../core/ports.ts';
import type { TaskOutcome } from '../core/task.ts';

export interface TaskDeps {
  readonly record: TaskRecordPort;
  readonly sandbox: TaskSandbox;
  readonly codex: Codex;
  readonly codeHost: CodeHost;
  readonly publication: Publication;
  readonly policy: Policy;
  /** The record of another task, for `cancel` and `status`. */
  recordOf(taskId: string): TaskRecordPort;
  /** Starts the publication of a kept change once more. */
  publishAgain(
    taskId: string,
  ): Promise<{ readonly started: true } | { readonly started: false; readonly reason: string }>;
  taskUrl(taskId: string): string | null;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** What a stage leads to: the next one, or the end of the task. */
export type Stage<T> =
  | { readonly go: true; readonly value: T }
  | { readonly go: false; readonly outcome: TaskOutcome };
