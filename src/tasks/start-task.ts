/**
 * Makes a request durable and starts its Workflow instance: exactly one for a trigger, however often it is delivered.
 * Returns only once both are written; the caller acknowledges after that.
 */
import type { TaskRequest } from '../core/task.ts';

export interface StartDeps {
  /** Opens the task's record; does nothing when it is open already. */
  open(request: TaskRequest): Promise<unknown>;
  /** Creates the instance with the task's id; rejects when there is one already. */
  create(request: TaskRequest): Promise<unknown>;
  /** Whether there is an instance with this id. */
  exists(taskId: string): Promise<boolean>;
}

export async function startTask(request: TaskRequest, deps: StartDeps): Promise<'started' | 'exists'> {
  // The record first: a crash in between leaves a record that the redelivery completes, never a task nobody can see.
  await deps.open(request);
  try {
    await deps.create(request);
    return 'started';
  } catch (error) {
    // `instance.already_exists` is the expected answer to a redelivery; its text differs between runtimes, so ask.
    if (await deps.exists(request.taskId)) return 'exists';
    throw error;
  }
}
