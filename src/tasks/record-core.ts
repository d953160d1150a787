/**
 * The part of a task's record that is independent of how far the task is: opening it, showing it, its grant and receipt,
 * its one comment, its state on disk. `record.ts` adds the Workflow's steps, the observer and the watchdog.
 */
import { DurableObject } from 'cloudflare:workers';
import type { EgressEntry, Grant } from '../core/grant.ts';
import type { CodeHost, Codex, Sandboxes } from '../core/ports.ts';
import type { TaskEventBody, TaskView } from '../core/task-view.ts';
import type { TaskRequest } from '../core/task.ts';
import { taskLimits } from './limits.ts';
import { openRecordStore, type RecordStore } from './record-store.ts';
import { grantOf, openState, viewOf, type TaskState } from './task-state.ts';
import { createViewers } from './viewers.ts';

export interface RecordDeps {
  readonly sandboxes: Sandboxes;
  readonly codex: Codex;
  readonly codeHost: Pick<CodeHost, 'saveProgressComment'>;
  readonly renderComment: (view: TaskView) => string;
  /** Folds one request into the receipt. */
  readonly addToReceipt: (receipt: TaskView['receipt'], entry: EgressEntry) => TaskView['receipt'];
  /** Sends an event to a Workflow instance; rejects when there is none. */
  readonly notifyWorkflow: (instanceId: string, type: 'agent-finished' | 'nudge') => Promise<void>;
  /** Whether a Workflow instance is over, in whatever way. False as long as that cannot be known. */
  readonly workflowIsOver: (instanceId: string) => Promise<boolean>;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

export abstract class RecordCore<Env> extends DurableObject<Env> {
  protected abstract deps(): RecordDeps;
  protected readonly store: RecordStore = openRecordStore(this.ctx.storage);
  readonly #viewers = createViewers();
  #state: TaskState | null = this.store.state();
  /** Comment edits one after the other, so that an older one can never overwrite the last. */
  protected comments: Promise<void> = Promise.resolve();
  #commentAt = 0;

  async open(request: TaskRequest): Promise<{ readonly created: boolean }> {
    if (this.#state !== null) return { created: false };
    const nonce = crypto.randomUUID().replaceAll('-', '');
    this.saveState(openState(request, nonce, this.deps().now()));
    this.append({ kind: 'phase', phase: 'accepted' });
    await this.arm();
    return { created: true };
  }

  view(): TaskView | null {
    if (this.#state === null) return null;
    return viewOf(this.#state, this.store.progress(), this.store.receipt(), this.deps().now());
  }

  /** Server-sent events from after `seq` on; ends with the task. null when there is no such task. */
  watch(seq: number): ReadableStream<Uint8Array> | null {
    if (this.#state === null) return null;
    return this.#viewers.add(this.store.eventsAfter(seq), this.#state.outcome !== null);
  }

  // ---- egress -----------------------------------------------------------------------------------------------

  /** The grant as it is now; counts the request. */
  admitEgress(): Grant | null {
    const state = this.#state;
    const grant = state === null ? null : grantOf(state);
    if (state === null || grant === null) return null;
    this.saveState({ ...state, used: { ...state.used, requests: state.used.requests + 1 } });
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
  }

  /** Throws when GitHub does not take it; the caller decides whether that matters. */
  async saveComment(): Promise<void> {
    const edit = this.comments.then(() => this.#writeComment());
    this.comments = edit.catch(() => undefined); // the next edit must not be stopped by this one's failure
    await edit;
  }

  /** The heartbeat: always armed while the task lives. */
  protected async arm(): Promise<void> {
    await this.ctx.storage.setAlarm(this.deps().now() + taskLimits.heartbeatMs);
  }

  // ---- the comment ------------------------------------------------------------------------------------------

  protected saveCommentSoon(): void {
    const { now, log } = this.deps();
    if (now() - this.#commentAt < taskLimits.commentEveryMs) return;
    this.#commentAt = now();
    this.saveComment().catch((error: unknown) =>
      log('comment.edit_failed', { taskId: this.opened().request.taskId, error: String(error) }),
    );
  }

  async #writeComment(): Promise<void> {
    const state = this.opened();
    const { facts } = state;
    const view = this.view();
    if (facts === null || view === null || state.request.trigger.kind !== 'github') return;
    const { codeHost, renderComment } = this.deps();
    const commentId = await codeHost.saveProgressComment(
      facts,
      state.request,
      renderComment(view),
      state.commentId,
    );
    if (state.commentId === null) {
      this.saveState({ ...this.opened(), commentId });
      this.append({ kind: 'acknowledged' });
    }
  }

  // ---- state ------------------------------------------------------------------------------------------------

  protected opened(): TaskState {
    if (this.#state === null) throw new Error('this task was never opened');
    return this.#state;
  }

  protected saveState(state: TaskState): void {
    this.store.save(state);
    this.#state = state;
  }

  protected append(body: TaskEventBody, at = this.deps().now()): void {
    const event = this.store.append(body, at);
    if (event !== null) this.#viewers.send(event);
  }
}
