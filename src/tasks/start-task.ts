/**
 * Makes a request durable and starts its Workflow instance: exactly one for a trigger, however often it is delivered.
 * Returns only once both are written; the caller acknowledges after that.
 */
import type { TaskRequest } from '../core/task.ts';

/** The Workflow instance that works on a task now: the task's own, or that of the latest attempt to publish alone. */
export function workflowIdOf(taskId: string, reopenings: number): string {
  return reopenings === 0 ? taskId : `${taskId}-publish-${reopenings}`;
}

export interface StartDeps {
  /** Opens the task's record, or finds it opened, or finds that it has ended so long ago that it is forgotten. */
  open(request: TaskRequest): Promise<{ readonly created: boolean; readonly expired: boolean }>;
  /** Creates the instance with the task's id. On Cloudflare it rejects when there is one already; the local runtime just keeps it. */
  create(request: TaskRequest): Promise<unknown>;
  /** Whether there is an instance with this id. */
  exists(taskId: string): Promise<boolean>;
}

export async function startTask(request: TaskRequest, deps: StartDeps): Promise<'started' | 'exists'> {
  // The record first: a crash in between leaves a record that the redelivery completes, never a task nobody can see.
  const { created, expired } = await deps.open(request);
  // By then the instance is forgotten as well, and could be created again.
  if (expired) return 'exists';
  try {
    await deps.create(request);
  } catch (error) {
    if (!(await deps.exists(request.taskId))) throw error;
  }
  return created ? 'started' : 'exists';
}
