/**
 * The one Durable Object that grants slots, a lease of a task that ends by `release`. If that never comes,
 * the alarm asks the record whether a sandbox can still exist. Every change is on disk before a task is
 * notified.
 */
import { DurableObject } from 'cloudflare:workers';
import {
  admit,
  isWorthTelling,
  join,
  leave,
  queueOrder,
  type SlotClaim,
  type SlotLimits,
  type SlotQueue,
} from '../../core/admission.ts';
import type { SlotAnswer } from '../../core/ports/slots-port.ts';
import { withDeadline } from '../../lib/with-deadline.ts';
import { taskLimits } from '../limits.ts';
import { openSlotStore, type Checkable } from './slot-store.ts';

export interface SlotsDeps {
  readonly limits: SlotLimits;
  /** Wakes the task's Workflow, which has a slot now. Rejects if it cannot be reached now. */
  readonly granted: (taskId: string) => Promise<void>;
  /** Reports the task's place to its record. */
  readonly moved: (taskId: string, place: number) => Promise<void>;
  /** False for a closed task, and for one that never existed. */
  readonly needsSlot: (taskId: string) => Promise<boolean>;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

export abstract class SlotsBase<Env> extends DurableObject<Env> {
  protected abstract deps(): SlotsDeps;
  readonly #store = openSlotStore(this.ctx.storage);
  #queue: SlotQueue = this.#store.queue();
  #alarmAt: number | null = null;
  #notifying = false;

  async request(claim: SlotClaim): Promise<SlotAnswer> {
    const { taskId } = claim;
    const isNew = ![...this.#queue.held, ...this.#queue.waiting].some((known) => known.taskId === taskId);
    this.#change((queue) => join(queue, claim));
    if (this.#queue.held.some((held) => held.taskId === taskId)) this.#store.markNotified(taskId);
    await this.#settle();
    if (this.#queue.held.some((held) => held.taskId === taskId)) return { granted: true };
    const place = queueOrder(this.#queue).indexOf(taskId) + 1;
    this.#store.markNotifiedPlace(taskId, place);
    if (isNew) this.deps().log('slot.waits', { taskId, place, waiting: this.#queue.waiting.length });
    return { granted: false, place };
  }

  async release(taskId: string): Promise<void> {
    const before = this.#queue;
    this.#change((queue) => leave(queue, taskId));
    if (this.#queue !== before) await this.#settle();
  }

  load(): { readonly held: number; readonly waiting: number; readonly limit: number } {
    const { held, waiting } = this.#queue;
    return { held: held.length, waiting: waiting.length, limit: this.deps().limits.total };
  }

  /**
   * Re-arms a lost alarm. Returns the tasks in the queue, those outside it since `freshSince`, and those that
   * left before `pastBefore`.
   */
  async watched(
    { freshSince, pastBefore }: { readonly freshSince: number; readonly pastBefore: number },
    limit: number,
  ): Promise<{ present: string[]; fresh: string[]; past: string[] }> {
    if ((await this.ctx.storage.getAlarm()) === null) {
      this.#alarmAt = null;
      await this.#settle();
    }
    const all = [...this.#queue.held, ...this.#queue.waiting].map(({ taskId }) => taskId);
    // From a random place, so that a queue that does not move is checked in all its parts.
    const from = all.length > limit ? Math.floor(Math.random() * all.length) : 0;
    const present = [...all.slice(from), ...all.slice(0, from)].slice(0, limit);
    return {
      present,
      fresh: this.#store.fresh(freshSince, taskLimits.sweepFresh),
      past: this.#store.past(pastBefore, limit),
    };
  }

  /** Lists an accepted task, which may be refused before it asks for a slot. */
  accepted(taskId: string): void {
    this.#store.add(taskId, this.deps().now());
  }

  /** Ids of tasks with a slot, of those that wait for one, then of all others, each newest first. */
  recent(limit: number): string[] {
    return this.#store.recent(limit);
  }

  /** Whether the task was accepted and is not forgotten. */
  isListed(taskId: string): boolean {
    return this.#store.isListed(taskId);
  }

  /** Forgets a task whose record has expired. */
  forget(taskId: string): void {
    this.#store.forget(taskId);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    // The last deployment can have changed the limits.
    this.#change((queue) => queue);
    await this.#notifyGranted();
    await this.#notifyPlaces();
    await this.#reclaim();
    await this.#settle();
  }

  /** Changes the queue and grants the slots that are free then, in one write. */
  #change(change: (queue: SlotQueue) => SlotQueue): void {
    const { limits, now, log } = this.deps();
    const changed = change(this.#queue);
    const { admitted, queue } = admit(changed, limits);
    const next = admitted.length === 0 ? changed : queue;
    this.#store.save(this.#queue, next, now());
    this.#queue = next;
    for (const { taskId } of admitted)
      log('slot.granted', { taskId, held: next.held.length, waiting: next.waiting.length });
  }

  /** Notifies in the background and arms the alarm, which takes over if the object dies. */
  async #settle(): Promise<void> {
    const { now, log } = this.deps();
    const { held, waiting } = this.#queue;
    const hasUnnotified = this.#store.unnotified().length > 0;
    if (hasUnnotified)
      this.#notifyGranted().catch((error: unknown) => log('slots.failed', { error: String(error) }));
    if (held.length + waiting.length === 0) return;
    const inMs = hasUnnotified
      ? taskLimits.slotRetryMs
      : waiting.length > 0
        ? taskLimits.placesEveryMs
        : taskLimits.leaseCheckMs;
    await this.#arm(now() + inMs);
  }

  /** Never moves the alarm to a later time. */
  async #arm(at: number): Promise<void> {
    if (this.#alarmAt !== null && this.#alarmAt <= at && this.#alarmAt > this.deps().now()) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  async #notifyGranted(): Promise<void> {
    if (this.#notifying) return;
    this.#notifying = true;
    try {
      const { granted, log } = this.deps();
      const failed = new Set<string>();
      // In rounds, because more slots can be granted meanwhile.
      for (;;) {
        const unnotified = this.#store.unnotified().filter((taskId) => !failed.has(taskId));
        if (unnotified.length === 0) return;
        await atOnce(unnotified, async (taskId) => {
          try {
            await withDeadline(granted(taskId), taskLimits.slotCallMs, 'notifying a task of its slot');
            this.#store.markNotified(taskId);
          } catch (error) {
            failed.add(taskId);
            log('slot.not_told', { taskId, error: String(error) });
          }
        });
      }
    } finally {
      this.#notifying = false;
    }
  }

  async #notifyPlaces(): Promise<void> {
    const { moved, log } = this.deps();
    const notified = this.#store.notifiedPlaces();
    const news = queueOrder(this.#queue)
      .map((taskId, index) => ({ taskId, place: index + 1 }))
      .filter(({ taskId, place }) => isWorthTelling(notified.get(taskId) ?? null, place));
    await atOnce(news, async ({ taskId, place }) => {
      try {
        await withDeadline(moved(taskId, place), taskLimits.slotCallMs, 'notifying a record of its place');
        this.#store.markNotifiedPlace(taskId, place);
      } catch (error) {
        log('slot.place_not_told', { taskId, error: String(error) });
      }
    });
  }

  async #reclaim(): Promise<void> {
    const { now } = this.deps();
    const due = this.#store.unchecked(
      now() - taskLimits.leaseCheckMs,
      now() - taskLimits.waitCheckMs,
      taskLimits.leaseChecks,
    );
    await atOnce(due, async (one) => {
      const over = await this.#isOver(one);
      if (over) this.#change((queue) => leave(queue, one.taskId));
      else this.#store.markChecked(one.taskId, now());
    });
  }

  async #isOver({ taskId, grantedAt }: Checkable): Promise<boolean> {
    const { needsSlot, now, log } = this.deps();
    try {
      const needed = await withDeadline(needsSlot(taskId), taskLimits.slotCallMs, 'asking a record');
      if (!needed) log('slot.reclaimed', { taskId, why: 'over' });
      return !needed;
    } catch (error) {
      // The record does not answer. A sandbox can exist, so the slot stays taken for as long as one could
      // live.
      const isLost = grantedAt !== null && now() > grantedAt + taskLimits.leaseMs;
      log(isLost ? 'slot.reclaimed' : 'slot.not_checked', { taskId, error: String(error) });
      return isLost;
    }
  }
}

/** Works on a few at a time. `work` does not reject. */
async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let index = 0; index < items.length; index += taskLimits.slotCallsAtOnce)
    await Promise.all(items.slice(index, index + taskLimits.slotCallsAtOnce).map(work));
}
