/**
 * Cron reconciliation: re-arms lost alarms, destroys orphaned sandboxes, forgets expired records. Every
 * object has an alarm of its own and normally needs none of this. But the platform retries a failing alarm
 * six times and then drops it for good, and a broken deployment fails the alarms of all objects at once.
 * After the next, good deployment nothing would wake those objects again: tasks would never end, containers
 * would be paid for, slots would stay taken.
 *
 * Bounded, and harmless at any time: it arms alarms and leaves the decision to them. It acts itself only if
 * no record is left to decide.
 */
import { withDeadline } from '../../lib/with-deadline.ts';
import { taskLimits } from '../limits.ts';

/** A record's answer to `wakeRecord`. `gone`: there is no record, or it has expired. */
export type Woken = 'watched' | 'rearmed' | 'gone';

export interface SweepDeps {
  /**
   * The tasks in the queue, those that are being authorized or have just ended, and those whose record should
   * have expired, each at most `limit`.
   */
  watched(limit: number): Promise<{
    readonly present: readonly string[];
    readonly fresh: readonly string[];
    readonly past: readonly string[];
  }>;
  wakeRecord(taskId: string): Promise<Woken>;
  /** Idempotent, also for a sandbox that never existed. */
  destroySandbox(taskId: string): Promise<void>;
  /** Releases the task's slot or its place in the queue. */
  release(taskId: string): Promise<void>;
  /** Wakes the Workflow, which starts over if the record has lost its file. Rejects if there is none. */
  wakeWorkflow(taskId: string): Promise<void>;
  /** Forgets a task whose record has expired. */
  forget(taskId: string): Promise<void>;
  /** Starts the reader of GitHub's log of deliveries. */
  readDeliveries(): Promise<void>;
  log(event: string, fields: Record<string, unknown>): void;
}

/** Rejects only if the queue does not answer. A failure for one task is logged; the next sweep retries it. */
export async function sweep(deps: SweepDeps): Promise<void> {
  await withDeadline(deps.readDeliveries(), taskLimits.slotCallMs, 'waking the reader of deliveries').catch(
    (error: unknown) => deps.log('deliveries.not_woken', { error: String(error) }),
  );
  const { present, fresh, past } = await withDeadline(
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
  const wake = async (taskId: string): Promise<void> =>
    await withDeadline(deps.wakeWorkflow(taskId), taskLimits.slotCallMs, 'waking a Workflow').catch(
      () => undefined,
    );
  const orphaned = async (taskId: string): Promise<void> => {
    await withDeadline(deps.destroySandbox(taskId), taskLimits.destroyMs, 'destroying an orphan');
    // After the sandbox: the other way round there could be one sandbox too many.
    await deps.release(taskId);
    await wake(taskId);
    counts.orphans += 1;
    deps.log('sweep.orphan_destroyed', { taskId });
  };
  await inGroups(present, async (taskId) => await look(taskId, async () => await orphaned(taskId)));
  // A task whose record is being opened is also gone: it has no sandbox to destroy yet.
  await inGroups(fresh, async (taskId) => await look(taskId, async () => await wake(taskId)));
  await inGroups(past, async (taskId) => await look(taskId, async () => await deps.forget(taskId)));
  deps.log('sweep.ended', counts);
}

/** Works on a few at a time. `work` does not reject. */
async function inGroups(taskIds: readonly string[], work: (taskId: string) => Promise<void>): Promise<void> {
  for (let index = 0; index < taskIds.length; index += taskLimits.slotCallsAtOnce)
    await Promise.all(taskIds.slice(index, index + taskLimits.slotCallsAtOnce).map(work));
}
