/** What Slack's requests are answered with. Wired in `src/compose/app.ts`. */
import type { Approval } from '../core/authorization.ts';
import type { Policy } from '../core/policy.ts';
import type { Chat, TaskIndex } from '../core/ports/chat-port.ts';
import type { TaskEvent, TaskView } from '../core/task-view.ts';
import type { RepositoryRef, TaskRequest } from '../core/task.ts';

/** One task's record, as far as a person in Slack has to do with it. */
export interface SlackTask {
  request(): Promise<TaskRequest | null>;
  view(): Promise<TaskView | null>;
  events(): Promise<readonly TaskEvent[]>;
  cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }>;
  /** False when there is nothing to choose any more. */
  choose(repository: RepositoryRef): Promise<boolean>;
}

export interface SlackDeps {
  readonly signingSecret: string;
  readonly botToken: string;
  /** Base of the Web API with a slash at the end: `https://slack.com/api/`. */
  readonly apiUrl: string;
  readonly policy: Policy;
  /** Of the configuration; null when there is no such alias. */
  repositoryByAlias(alias: string): RepositoryRef | null;
  /** Makes the task durable; returns only then. A second call for the same id finds the first. */
  startTask(request: TaskRequest): Promise<'started' | 'exists'>;
  task(taskId: string): SlackTask;
  /** Publishes a kept change once more, or a held one that a person has approved. */
  publishAgain(
    taskId: string,
    approval: Approval | null,
  ): Promise<{ readonly started: true } | { readonly started: false; readonly reason: string }>;
  readonly index: TaskIndex;
  readonly chat: Pick<Chat, 'person'>;
  /** For choosing below entries with a `*`. */
  installedRepositories(): Promise<readonly RepositoryRef[]>;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}
