/** Starts a publication attempt of another task from a command: once, also if the step is repeated. */
import type { TaskRequest } from '../../core/task.ts';
import * as z from 'zod';
import type { TaskDeps } from './stage.ts';

const keptStart = 'publication-start.json';
/** `changeHash`: what is approved; null for a publication that failed. */
const startSchema = z.object({ taskId: z.string(), changeHash: z.string().nullable() });
export type PublicationStart = z.infer<typeof startSchema>;

/** What an earlier attempt of this step decided; null if there was none. */
export async function begunPublication({ record }: TaskDeps): Promise<PublicationStart | null> {
  const kept = await record.kept(keptStart);
  return kept === null ? null : startSchema.parse(JSON.parse(kept));
}

/** Returns why nothing was started; null if it was. */
export async function publishOnce(
  start: PublicationStart,
  approver: TaskRequest['requester'],
  deps: TaskDeps,
): Promise<string | null> {
  const { taskId, changeHash } = start;
  const isRepeated = (await begunPublication(deps)) !== null;
  await deps.record.keep(keptStart, JSON.stringify(start));
  const approval =
    changeHash === null || approver === null ? null : { by: approver.login, github: approver, changeHash };
  const again = await deps.retryPublication(taskId, approval);
  // The attempt before can have started it, and it can have ended since.
  return again.started || isRepeated ? null : again.reason;
}
