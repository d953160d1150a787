/** The dependencies of the Slack intake. Wired in `src/compose/app.ts`. */
import type { Approval } from '../core/authorization.ts';
import type { TaskSnapshot } from '../core/ports/task-record.ts';
import type { Policy } from '../core/policy.ts';
import type { Chat, TaskIndex } from '../core/ports/chat-port.ts';
import type { TaskEvent, TaskView } from '../core/task-view.ts';
import type { RepositoryRef, TaskRequest } from '../core/task.ts';
import type { BodyRoom } from '../lib/body-room.ts';

/** The operations on a task's record that Slack users need. */
export interface SlackTask {
  snapshot(): Promise<Pick<TaskSnapshot, 'request'> | null>;
  view(): Promise<TaskView | null>;
  events(): Promise<readonly TaskEvent[]>;
  cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }>;
  /** Returns false if the task no longer waits for a choice. */
  choose(repository: RepositoryRef): Promise<boolean>;
}

export interface SlackDeps {
  readonly signingSecret: string;
  /** Bounds the memory for bodies whose signature is not verified yet. */
  readonly room: BodyRoom;
  readonly botToken: string;
  /** Base URL of the Web API, with a trailing slash: `https://slack.com/api/`. */
  readonly apiUrl: string;
  readonly policy: Policy;
  /** Resolves a configured alias; null if there is none. */
  repositoryByAlias(alias: string): RepositoryRef | null;
  /** Resolves once the task is durable. Idempotent by task id: a second call returns `exists`. */
  startTask(request: TaskRequest): Promise<'started' | 'exists'>;
  task(taskId: string): SlackTask;
  /** Starts a publication attempt of a kept change, or of a held one that a person has approved. */
  retryPublication(
    taskId: string,
    approval: Approval | null,
  ): Promise<{ readonly started: true } | { readonly started: false; readonly reason: string }>;
  /** The id of the one task that repeats this one. It can have been started before. */
  claimRepetition(taskId: string): Promise<string>;
  readonly index: TaskIndex;
  readonly chat: Pick<Chat, 'person'>;
  /** The repositories of the App's installations, to expand configuration entries with a `*`. */
  installedRepositories(): Promise<readonly RepositoryRef[]>;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}
