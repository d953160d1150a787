/** Makes a request durable and starts its one Workflow instance, before it is acknowledged. */
import type { TaskRequest } from '../core/task.ts';

/** The task's own instance, or that of its latest publication attempt (counted from 1). */
export function workflowIdOf(taskId: string, attempts: number): string {
  return attempts === 0 ? taskId : `${taskId}-publish-${attempts}`;
}

/** The one event that an instance waits for. Something changed; it looks what. */
export const wakeEvent = 'wake';

/** What the authorization found out about who asked. `unknown`: nothing about the person. */
export type AskerAccess = 'granted' | 'refused' | 'unknown';

export interface StartDeps {
  /** Opens the task's record. `expired`: the task ended long ago, and only a tombstone is left. */
  open(request: TaskRequest): Promise<{ readonly created: boolean; readonly expired: boolean }>;
  /** If there is one, Cloudflare rejects and the local runtime keeps it. */
  create(request: TaskRequest): Promise<unknown>;
  /** Whether an instance with this id exists. */
  exists(taskId: string): Promise<boolean>;
}

export async function startTask(request: TaskRequest, deps: StartDeps): Promise<'started' | 'exists'> {
  // The record first: after a crash in between, the redelivery completes the record. The other way round
  // nobody could see the task.
  const { created, expired } = await deps.open(request);
  // The instance is forgotten by then too, and could be created again.
  if (expired) return 'exists';
  try {
    await deps.create(request);
  } catch (error) {
    if (!(await deps.exists(request.taskId))) throw error;
  }
  return created ? 'started' : 'exists';
}
