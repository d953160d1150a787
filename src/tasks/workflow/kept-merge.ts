/** What the record keeps of a merge, for the stages that describe, collect, judge and publish it. */
import * as z from 'zod';
import { keptMergeSchema, type Conflicts, type KeptMerge } from '../../core/merge.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';

const keptMerge = 'merge.json';
const keptSchema = z.object({
  merge: keptMergeSchema,
  conflicts: z.object({ paths: z.array(z.string()), more: z.number() }),
});

type Kept = { readonly merge: KeptMerge; readonly conflicts: Conflicts };

export async function keepMerge({ keep }: Pick<TaskRecordPort, 'keep'>, kept: Kept): Promise<void> {
  await keep(keptMerge, JSON.stringify(kept));
}

/** null before the sandbox has begun it, and for a task that merges nothing. */
export async function mergeKept(record: Pick<TaskRecordPort, 'kept'>): Promise<Kept | null> {
  const text = await record.kept(keptMerge);
  return text === null ? null : keptSchema.parse(JSON.parse(text));
}
