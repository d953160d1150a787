/**
 * What the clock does beside the alarms: finds tasks whose alarm is lost, sandboxes that no record answers for, and records that should have
 * expired. Every object has an alarm of its own and needs none of this, as long as it runs. But an alarm whose object fails is tried again six
 * times and then dropped for good, and a deployment that cannot read what an earlier one stored fails every object at once; after the
 * next, good deployment nothing would ever wake those again: tasks without an end, containers that are paid for, slots that stay taken.
 *
 * Bounded, and harmless at any time: it arms alarms and leaves the decision to them. Only where no record is left to decide, it acts itself.
 */
import { withDeadline } from '../../lib/with-deadline.ts';
import { taskLimits } from '../limits.ts';

/** What a record says when it is woken. `gone`: there is none, or it has expired. */
export type Woken = 'watched' | 'rearmed' | 'gone';

export interface SweepDeps {
  /** Wakes the queue, and says who is in it and whose record should have expired by now, each at most `limit`. */
  watched(limit: number): Promise<{ readonly present: readonly string[]; readonly past: readonly string[] }>;
  wakeRecord(taskId: string): Promise<Woken>;
  /** Idempotent, also for a sandbox that never was. */
  destroySandbox(taskId: string): Promise<void>;
  /** Takes the task out of the queue, with its slot. */
  release(taskId: string): Promise<void>;
  /** Its record has expired: nobody need ask again. */
  forget(taskId: string): Promise<void>;
  log(event: string, fields: Record<string, unknown>): void;
}

/** Rejects only when the queue does not answer. What fails for one task is logged, and its turn comes again. */
export async function sweep(deps: SweepDeps): Promise<void> {
  const { present, past } = await withDeadline(
    deps.watched(taskLimits.sweepAtMost),
    taskLimits.slotCallMs,
    'asking the queue',
  );
  const counts = { present: present.length, past: past.length, rearmed: 0, orphans: 0, failed: 0 };
  const look = async (taskId: string, ifGone: () => Promise<void>): Promise<void> => {
    try {
      const woken = await withDeadline(deps.wakeRecord(taskId), taskLimits.slotCallMs, 'waking a record');
      if (woken === 'rearmed') {
        counts.rearmed += 1;
        deps.log('sweep.rearmed', { taskId });
      }
      if (woken === 'gone') await ifGone();
    } catch (error) {
      counts.failed += 1;
      deps.log('sweep.task_failed', { taskId, error: String(error) });
    }
  };
  const orphaned = async (taskId: string): Promise<void> => {
    await withDeadline(deps.destroySandbox(taskId), taskLimits.destroyMs, 'destroying an orphan');
    // After the sandbox, as everywhere: the other way round there could be one too many.
    await deps.release(taskId);
    counts.orphans += 1;
    deps.log('sweep.orphan_destroyed', { taskId });
  };
  await inGroups(present, async (taskId) => await look(taskId, async () => await orphaned(taskId)));
  await inGroups(past, async (taskId) => await look(taskId, async () => await deps.forget(taskId)));
  deps.log('sweep.ended', counts);
}

/** A few at a time. `work` does not reject. */
async function inGroups(taskIds: readonly string[], work: (taskId: string) => Promise<void>): Promise<void> {
  for (let index = 0; index < taskIds.length; index += taskLimits.slotCallsAtOnce)
    await Promise.all(taskIds.slice(index, index + taskLimits.slotCallsAtOnce).map(work));
}
