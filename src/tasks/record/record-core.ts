/**
 * The part of a task's record that is independent of how far the task is: opening it, showing it, its grant and receipt,
 * its one comment, its state on disk. `record.ts` adds the Workflow's steps, the observer and the watchdog.
 */
import { DurableObject } from 'cloudflare:workers';
import type { EgressEntry, Grant } from '../../core/grant.ts';
import type { Codex } from '../../core/ports/codex.ts';
import type { Sandboxes } from '../../core/ports/sandbox-port.ts';
import type { Slots } from '../../core/ports/slots-port.ts';
import type { TokenUsage } from '../../core/progress.ts';
import type { SetupReport } from '../../core/setup.ts';
import type { TaskEvent, TaskEventBody, TaskView } from '../../core/task-view.ts';
import type { TaskRequest } from '../../core/task.ts';
import { taskLimits } from '../limits.ts';
import type { Notifier } from './notifier.ts';
import { keptSetup, parseSetupReport } from '../setup-report.ts';
import { openRecordStore, type RecordStore } from './record-store.ts';
import { grantOf } from './task-grant.ts';
import { openState, viewOf, type TaskState } from './task-state.ts';
import { createViewers } from './viewers.ts';

/** What an instance may wait for. `nudge` wakes it and means nothing. */
export type WorkflowEventType = 'agent-finished' | 'chosen' | 'slot-granted' | 'nudge';

export interface RecordDeps {
  readonly sandboxes: Sandboxes;
  readonly slots: Pick<Slots, 'release'>;
  readonly codex: Codex;
  readonly notifier: Notifier;
  /** What that many tokens of that model cost; null when the configuration names no price. */
  readonly costOf: (model: string, usage: TokenUsage) => number | null;
  /** Folds one request into the receipt. */
  readonly addToReceipt: (receipt: TaskView['receipt'], entry: EgressEntry) => TaskView['receipt'];
  /** Sends an event to a Workflow instance; rejects when there is none. */
  readonly notifyWorkflow: (instanceId: string, type: WorkflowEventType) => Promise<void>;
  /** Whether a Workflow instance is over, in whatever way. False as long as that cannot be known. */
  readonly workflowIsOver: (instanceId: string) => Promise<boolean>;
  /** How long an ended task is kept. */
  readonly retentionMs: number;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

export abstract class RecordCore<Env> extends DurableObject<Env> {
  protected abstract deps(): RecordDeps;
  protected readonly store: RecordStore = openRecordStore(this.ctx.storage);
  readonly #viewers = createViewers();
  #state: TaskState | null = this.store.state();
  /** Kept once, read at each look. */
  #setup: SetupReport | null = null;
  #countTimer: ReturnType<typeof setTimeout> | undefined;
  /** Edits of the comment or message one after the other, so that an older one can never overwrite the last. */
  protected edits: Promise<void> = Promise.resolve();
  #editedAt = 0;
  /** The place has asked to be left alone until then. */
  #quietUntil = 0;
  /** When it last stood there as it was; null after a restart. */
  #shownAt: number | null = null;
  /** Something is to be told that the last edit did not tell. */
  #untold = false;
  #untoldPhase = false;

  async open(request: TaskRequest): Promise<{ readonly created: boolean; readonly expired: boolean }> {
    if (this.#state !== null) return { created: false, expired: false };
    if (this.store.expiredAt() !== null) return { created: false, expired: true };
    const nonce = crypto.randomUUID().replaceAll('-', '');
    this.saveState(openState(request, nonce, this.deps().now()));
    this.append({ kind: 'phase', phase: 'accepted' });
    await this.arm();
    return { created: true, expired: false };
  }

  view(): TaskView | null {
    if (this.#state === null) return null;
    const progress = this.store.progress();
    this.#setup ??= parseSetupReport(this.store.kept(keptSetup));
    const model = this.#state.authorization?.model ?? null;
    return viewOf(this.#state, {
      progress,
      receipt: this.store.receipt(),
      setup: this.#setup,
      costUsd: model === null || progress === null ? null : this.deps().costOf(model, progress.usage),
      now: this.deps().now(),
    });
  }

  events(): readonly TaskEvent[] {
    return this.store.eventsAfter(0);
  }

  /** Server-sent events from after `seq` on; ends with the task. null when there is no such task. */
  watch(seq: number): ReadableStream<Uint8Array> | null {
    if (this.#state === null) return null;
    return this.#viewers.add(this.store.eventsAfter(seq), this.#state.outcome !== null);
  }

  // ---- egress -----------------------------------------------------------------------------------------------

  /**
   * The grant as it is now; counts the request. The count is written a little later, as its answer would wait for the disk
   * otherwise: a crash forgets at most what came in that time.
   */
  admitEgress(): Grant | null {
    const state = this.#state;
    const grant = state === null ? null : grantOf(state);
    if (state === null || grant === null) return null;
    this.#state = { ...state, used: { ...state.used, requests: state.used.requests + 1 } };
    this.#countTimer ??= setTimeout(() => {
      if (this.#state !== null) this.saveState(this.#state);
    }, taskLimits.countEveryMs);
    return grant;
  }

  recordEgress(entry: EgressEntry, tokens: number): void {
    const state = this.#state;
    if (state === null) return;
    const isFirstModelRequest = entry.rule === 'openai.responses' && state.used.tokens === 0;
    if (tokens + entry.bytesUp + entry.bytesDown > 0) {
      const { used } = state;
      const bytesUp = (used.bytesUp ?? 0) + entry.bytesUp;
      const bytesDown = (used.bytesDown ?? 0) + entry.bytesDown;
      this.saveState({ ...state, used: { ...used, tokens: used.tokens + tokens, bytesUp, bytesDown } });
    }
    if (entry.verdict === 'allowed') this.#logAllowed(state, entry);
    const receipt = this.store.receipt();
    const next = this.deps().addToReceipt(receipt, entry);
    if (next === receipt) return;
    this.store.saveReceipt(next);
    if (isFirstModelRequest) this.append({ kind: 'model.first-request' }, entry.at);
    if (entry.verdict === 'denied') {
      const { method, host, path, reason } = entry;
      this.deps().log('egress.denied', {
        taskId: state.request.taskId,
        method,
        host,
        path,
        rule: entry.rule,
      });
      this.append({ kind: 'egress.denied', method, host, path, reason });
    }
    if (entry.verdict === 'failed') {
      const { method, host, path, fault, rule, status, reason, bytesUp, bytesDown } = entry;
      const { taskId } = state.request;
      this.deps().log('egress.failed', { taskId, method, host, rule, fault, status, bytesUp, bytesDown });
      this.append({ kind: 'egress.failed', method, host, path, fault, reason });
    }
  }

  /** The receipt adds these up by host; each by itself is in the log. Its path is only the rule's: that is what it was let through as. */
  #logAllowed(
    { request }: TaskState,
    { at, method, host, rule, status, bytesUp, bytesDown }: EgressEntry,
  ): void {
    const { now, log } = this.deps();
    log('egress.allowed', {
      taskId: request.taskId,
      method,
      host,
      rule,
      status,
      bytesUp,
      bytesDown,
      ms: now() - at,
    });
  }

  /** Throws when the place does not take it; the caller decides whether that matters. */
  async saveComment(): Promise<void> {
    const edit = this.edits.then(() => this.#show());
    this.edits = edit.catch(() => undefined); // the next edit must not be stopped by this one's failure
    await edit;
  }

  /**
   * Leaves nothing but that there was such a task: the trigger's delivery can be sent again long after, by GitHub or by whoever has
   * once seen it, and must not start it anew.
   */
  protected async expire(): Promise<void> {
    const { taskId } = this.opened().request;
    const { now, log } = this.deps();
    clearTimeout(this.#countTimer);
    this.#state = null;
    await this.store.expire(now());
    await this.ctx.storage.setAlarm(now() + taskLimits.tombstoneMs);
    log('task.expired', { taskId });
  }

  /** At last that too. Whoever opens the task in the seconds until the object is gone fails, and comes again. */
  protected async forget(): Promise<void> {
    const expiredAt = this.store.expiredAt();
    if (expiredAt !== null && this.deps().now() >= expiredAt + taskLimits.tombstoneMs)
      await this.ctx.storage.deleteAll();
  }

  /** For the sweep: arms the alarm should it be lost. Needs no neighbour, so that it works when nothing else does. */
  async wake(): Promise<'watched' | 'rearmed' | 'gone'> {
    if (this.#state === null && this.store.expiredAt() === null) return 'gone';
    const isLost = (await this.ctx.storage.getAlarm()) === null;
    if (isLost) await this.ctx.storage.setAlarm(Date.now());
    if (this.#state === null) return 'gone';
    return isLost ? 'rearmed' : 'watched';
  }

  /** The heartbeat: always armed while the task lives. */
  protected async arm(inMs: number = taskLimits.heartbeatMs): Promise<void> {
    await this.ctx.storage.setAlarm(this.deps().now() + inMs);
  }

  // ---- the comment or message ---------------------------------------------------------------------------------

  /** Tells people at the next time that is far enough from the last; what comes meanwhile is told together. */
  protected tellSoon(): void {
    this.#untold = true;
    this.tellIfDue();
  }

  /** For what is seen at the next look at the clock, if it lasts until then; what Codex does is told at once, and comes first. */
  protected tellLater(): void {
    this.#untoldPhase = true;
  }

  protected tellIfDue(): void {
    const { now, log } = this.deps();
    const { observing } = this.opened();
    this.#shownAt ??= now();
    const hasNews = this.#untold || (this.#untoldPhase && !observing);
    // While Codex works it is told now and then that it still does, and for how long.
    if (!hasNews && (!observing || now() - this.#shownAt < taskLimits.refreshEveryMs)) return;
    if (now() < this.#quietUntil || now() - this.#editedAt < taskLimits.commentEveryMs) return;
    this.#untold = false;
    this.#untoldPhase = false;
    this.#editedAt = now();
    this.saveComment().catch((error: unknown) => {
      this.#untold = true;
      log('comment.edit_failed', { taskId: this.opened().request.taskId, error: String(error) });
    });
  }

  async #show(): Promise<void> {
    const { notifier, now } = this.deps();
    const waitMs = Math.min(this.#quietUntil - now(), taskLimits.quietMs);
    // Whoever waits for the end is told it: only progress is skipped while the place wants quiet.
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const state = this.opened();
    const view = this.view();
    if (view === null) return;
    let posted;
    try {
      posted = await notifier.show(state, view);
    } catch (error) {
      const quietMs = notifier.quietFor(error);
      if (quietMs !== null) this.#quietUntil = now() + quietMs;
      throw error;
    }
    this.#shownAt = now();
    const isFirst = posted !== null && state.posted === null;
    const after = this.opened(); // it may have been opened again meanwhile
    const endShown = view.outcome !== null && after.outcome !== null;
    this.saveState({ ...after, posted: posted ?? after.posted, endShown });
    if (isFirst) this.append({ kind: 'acknowledged' });
  }

  // ---- state ------------------------------------------------------------------------------------------------

  protected opened(): TaskState {
    if (this.#state === null) throw new Error('this task was never opened');
    return this.#state;
  }

  protected saveState(state: TaskState): void {
    this.store.save(state);
    this.#state = state;
    clearTimeout(this.#countTimer);
    this.#countTimer = undefined;
  }

  protected append(body: TaskEventBody, at = this.deps().now()): void {
    const event = this.store.append(body, at);
    if (event !== null) this.#viewers.send(event);
  }
}
