/**
 * Slots: the one Durable Object that knows who has a sandbox. A shell: who is next is decided in `core/admission.ts`, rows are
 * `slot-store.ts`'s. A task passes it twice, before its sandbox is started and after it is destroyed; no request and no egress does.
 *
 * A slot is a lease of its task. It ends by `release`; should that never come, because the task's Workflow or a whole Worker died, the
 * alarm asks the task's record, which knows whether there may still be a sandbox. Everything is on disk before anybody hears of it.
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
  /** Tells the task's Workflow instance that it has a slot; rejects when it cannot be told now. */
  readonly granted: (taskId: string) => Promise<void>;
  /** Tells the task's record its place. */
  readonly moved: (taskId: string, place: number) => Promise<void>;
  /** Whether the task may still have a sandbox, or want one. False for a task that is over, and for one that there never was. */
  readonly needsSlot: (taskId: string) => Promise<boolean>;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

export abstract class SlotsBase<Env> extends DurableObject<Env> {
  protected abstract deps(): SlotsDeps;
  readonly #store = openSlotStore(this.ctx.storage);
  #queue: SlotQueue = this.#store.queue();
  #alarmAt: number | null = null;
  #telling = false;

  async request(claim: SlotClaim): Promise<SlotAnswer> {
    const { taskId } = claim;
    const isNew = ![...this.#queue.held, ...this.#queue.waiting].some((known) => known.taskId === taskId);
    this.#change((queue) => join(queue, claim));
    if (this.#queue.held.some((held) => held.taskId === taskId)) this.#store.heard(taskId);
    await this.#settle();
    if (this.#queue.held.some((held) => held.taskId === taskId)) return { granted: true };
    const place = queueOrder(this.#queue).indexOf(taskId) + 1;
    this.#store.tellPlace(taskId, place);
    if (isNew) this.deps().log('slot.waits', { taskId, place, waiting: this.#queue.waiting.length });
    return { granted: false, place };
  }

  async release(taskId: string): Promise<void> {
    const before = this.#queue;
    this.#change((queue) => leave(queue, taskId));
    if (this.#queue !== before) await this.#settle();
  }

  /** For the sweep: arms the alarm should it be lost, and says who is in the queue and who left it before `pastBefore`. */
  async watched(pastBefore: number, limit: number): Promise<{ present: string[]; past: string[] }> {
    if ((await this.ctx.storage.getAlarm()) === null) {
      this.#alarmAt = null;
      await this.#settle();
    }
    const all = [...this.#queue.held, ...this.#queue.waiting].map(({ taskId }) => taskId);
    // From anywhere: of a queue that stands it would otherwise always be the same ones that are looked at.
    const from = all.length > limit ? Math.floor(Math.random() * all.length) : 0;
    const present = [...all.slice(from), ...all.slice(0, from)].slice(0, limit);
    return { present, past: this.#store.past(pastBefore, limit) };
  }

  /** Its record has expired. */
  forget(taskId: string): void {
    this.#store.forget(taskId);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    // The limits may be others than before the last deployment.
    this.#change((queue) => queue);
    await this.#tellGranted();
    await this.#tellPlaces();
    await this.#reclaim();
    await this.#settle();
  }

  /** Changes the queue and admits who may be admitted after that, in one write. */
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

  /** What is left to be done goes on without whoever asked; the alarm takes over should the object die before. */
  async #settle(): Promise<void> {
    const { now, log } = this.deps();
    const { held, waiting } = this.#queue;
    const isUntold = this.#store.untold().length > 0;
    if (isUntold)
      this.#tellGranted().catch((error: unknown) => log('slots.failed', { error: String(error) }));
    if (held.length + waiting.length === 0) return;
    const inMs = isUntold
      ? taskLimits.slotRetryMs
      : waiting.length > 0
        ? taskLimits.placesEveryMs
        : taskLimits.leaseCheckMs;
    await this.#arm(now() + inMs);
  }

  /** Never later than it is already. */
  async #arm(at: number): Promise<void> {
    if (this.#alarmAt !== null && this.#alarmAt <= at && this.#alarmAt > this.deps().now()) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  async #tellGranted(): Promise<void> {
    if (this.#telling) return;
    this.#telling = true;
    try {
      const { granted, log } = this.deps();
      const failed = new Set<string>();
      // In rounds: more may be granted while these are told.
      for (;;) {
        const untold = this.#store.untold().filter((taskId) => !failed.has(taskId));
        if (untold.length === 0) return;
        await atOnce(untold, async (taskId) => {
          try {
            await withDeadline(granted(taskId), taskLimits.slotCallMs, 'telling a task of its slot');
            this.#store.heard(taskId);
          } catch (error) {
            failed.add(taskId);
            log('slot.not_told', { taskId, error: String(error) });
          }
        });
      }
    } finally {
      this.#telling = false;
    }
  }

  async #tellPlaces(): Promise<void> {
    const { moved, log } = this.deps();
    const told = this.#store.toldPlaces();
    const news = queueOrder(this.#queue)
      .map((taskId, index) => ({ taskId, place: index + 1 }))
      .filter(({ taskId, place }) => isWorthTelling(told.get(taskId) ?? null, place));
    await atOnce(news, async ({ taskId, place }) => {
      try {
        await withDeadline(moved(taskId, place), taskLimits.slotCallMs, 'telling a task its place');
        this.#store.tellPlace(taskId, place);
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
      else this.#store.checked(one.taskId, now());
    });
  }

  async #isOver({ taskId, grantedAt }: Checkable): Promise<boolean> {
    const { needsSlot, now, log } = this.deps();
    try {
      const needed = await withDeadline(needsSlot(taskId), taskLimits.slotCallMs, 'asking a record');
      if (!needed) log('slot.reclaimed', { taskId, why: 'over' });
      return !needed;
    } catch (error) {
      // Nothing is known. There may be a sandbox, so the slot stays taken for as long as one could last.
      const isLost = grantedAt !== null && now() > grantedAt + taskLimits.leaseMs;
      log(isLost ? 'slot.reclaimed' : 'slot.not_checked', { taskId, error: String(error) });
      return isLost;
    }
  }
}

/** A few at a time. `work` does not reject. */
async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let index = 0; index < items.length; index += taskLimits.slotCallsAtOnce)
    await Promise.all(items.slice(index, index + taskLimits.slotCallsAtOnce).map(work));
}
