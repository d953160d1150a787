/**
 * TaskRecord: the Durable Object that is one task's record, grant, observer and watchdog. A shell: what may change and
 * how is decided in `task-state.ts`, reading the run in `observer.ts`. Addressed by the sandbox's own id, so that the
 * egress handler finds it from `ctx.containerId` alone.
 *
 * Its alarm never sleeps longer than a heartbeat while the task lives: after a crash of the Worker it goes on by itself.
 */
import { DurableObject } from 'cloudflare:workers';
import type { EgressEntry, Grant, GrantPhase } from '../core/grant.ts';
import type { AgentEnd, Authorization, CodeHost, Codex, Sandboxes } from '../core/ports.ts';
import type { TaskEventBody, TaskView } from '../core/task-view.ts';
import type { RepositoryFacts, TaskOutcome, TaskPhase, TaskRequest } from '../core/task.ts';
import { taskLimits } from './limits.ts';
import { observeOnce } from './observer.ts';
import { openRecordStore, type RecordStore } from './record-store.ts';
import {
  enterPhase,
  grantOf,
  mayCancel,
  openState,
  startObserving,
  viewOf,
  watchdog,
  type TaskState,
} from './task-state.ts';
import { createViewers } from './viewers.ts';
import { withDeadline } from './with-deadline.ts';

export interface RecordDeps {
  readonly sandboxes: Sandboxes;
  readonly codex: Codex;
  readonly codeHost: Pick<CodeHost, 'saveProgressComment'>;
  renderComment(view: TaskView): string;
  /** Folds one request into the receipt. */
  readonly addToReceipt: (receipt: TaskView['receipt'], entry: EgressEntry) => TaskView['receipt'];
  /** Sends an event to the task's Workflow instance; rejects when there is none. */
  notifyWorkflow(taskId: string, type: 'agent-finished' | 'nudge'): Promise<void>;
  now(): number;
  log(event: string, fields: Record<string, unknown>): void;
}

export abstract class TaskRecordBase<Env> extends DurableObject<Env> {
  protected abstract deps(): RecordDeps;
  readonly #store: RecordStore = openRecordStore(this.ctx.storage);
  readonly #viewers = createViewers();
  #state: TaskState | null = this.#store.state();
  /** Comment edits one after the other, so that an older one can never overwrite the last. */
  #comments: Promise<void> = Promise.resolve();
  #commentAt = 0;
  #freshlyStarted = true;

  async open(request: TaskRequest): Promise<{ readonly created: boolean }> {
    if (this.#state !== null) return { created: false };
    const nonce = crypto.randomUUID().replaceAll('-', '');
    this.#save(openState(request, nonce, this.deps().now()));
    this.#append({ kind: 'phase', phase: 'accepted' });
    await this.#arm();
    return { created: true };
  }

  view(): TaskView | null {
    if (this.#state === null) return null;
    return viewOf(this.#state, this.#store.progress(), this.#store.receipt(), this.deps().now());
  }

  /** Server-sent events from after `seq` on; ends with the task. null when there is no such task. */
  watch(seq: number): ReadableStream<Uint8Array> | null {
    if (this.#state === null) return null;
    return this.#viewers.add(this.#store.eventsAfter(seq), this.#state.outcome !== null);
  }

  // ---- egress -----------------------------------------------------------------------------------------------

  /** The grant as it is now; counts the request. */
  admitEgress(): Grant | null {
    const state = this.#state;
    const grant = state === null ? null : grantOf(state);
    if (state === null || grant === null) return null;
    this.#save({ ...state, used: { ...state.used, requests: state.used.requests + 1 } });
    return grant;
  }

  recordEgress(entry: EgressEntry, tokens: number): void {
    const state = this.#state;
    if (state === null) return;
    const isFirstModelRequest = entry.rule === 'openai.responses' && state.used.tokens === 0;
    if (tokens > 0) this.#save({ ...state, used: { ...state.used, tokens: state.used.tokens + tokens } });
    const receipt = this.#store.receipt();
    const next = this.deps().addToReceipt(receipt, entry);
    if (next === receipt) return;
    this.#store.saveReceipt(next);
    if (isFirstModelRequest) this.#append({ kind: 'model.first-request' }, entry.at);
    if (entry.verdict === 'denied') {
      const { method, host, path, reason } = entry;
      this.deps().log('egress.denied', {
        taskId: state.request.taskId,
        method,
        host,
        path,
        rule: entry.rule,
      });
      this.#append({ kind: 'egress.denied', method, host, path, reason });
    }
  }

  // ---- the Workflow's steps ---------------------------------------------------------------------------------

  located(facts: RepositoryFacts): void {
    this.#save({ ...this.#opened(), facts });
  }

  authorized(authorization: Authorization): void {
    this.#save({ ...this.#opened(), authorization });
  }

  enter(phase: TaskPhase): { readonly cancelledBy: string | null } {
    const state = this.#opened();
    const next = enterPhase(state, phase, this.deps().now());
    if (next !== state) {
      this.#save(next);
      this.#append({ kind: 'phase', phase });
      this.deps().log('task.phase_entered', { taskId: state.request.taskId, phase });
    }
    return { cancelledBy: next.cancelledBy };
  }

  grantPhase(grantPhase: GrantPhase): void {
    this.#save({ ...this.#opened(), grantPhase });
  }

  canaryNonce(): string {
    return this.#opened().canaryNonce;
  }

  /** Throws when GitHub does not take it; the caller decides whether that matters. */
  async saveComment(): Promise<void> {
    const edit = this.#comments.then(() => this.#writeComment());
    this.#comments = edit.catch(() => undefined); // the next edit must not be stopped by this one's failure
    await edit;
  }

  async observe(): Promise<void> {
    this.#save(startObserving(this.#opened(), this.deps().now()));
    await this.ctx.storage.setAlarm(this.deps().now());
  }

  agentEnd(): AgentEnd | null {
    return this.#opened().agentEnd;
  }

  keep(name: string, content: string): void {
    this.#store.keep(name, content);
  }

  kept(name: string): string | null {
    return this.#store.kept(name);
  }

  changed(change: { files: number; insertions: number; deletions: number }): void {
    const state = this.#opened();
    if (state.change !== null) return;
    this.#save({ ...state, change });
    this.#append({ kind: 'change', ...change });
  }

  finish(outcome: TaskOutcome): void {
    const state = this.#opened();
    if (state.outcome !== null) return;
    const now = this.deps().now();
    this.#save({ ...enterPhase(state, 'ended', now), outcome, endedAt: now, observing: false });
    this.#append({ kind: 'ended', outcome });
    this.deps().log('task.ended', { taskId: state.request.taskId, outcome: outcome.kind });
  }

  async cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }> {
    const state = this.#opened();
    const { may, reason } = mayCancel(state);
    if (!may) return { cancelled: false, reason };
    if (state.cancelledBy === null) {
      this.#save({ ...state, cancelledBy: by });
      this.#append({ kind: 'note', text: `Cancelled by ${by}.` });
    }
    await this.#endRun({ kind: 'cancelled', by });
    return { cancelled: true, reason };
  }

  /** Destroys the sandbox. Rejects when that did not work in time: the alarm tries again. */
  async close(): Promise<void> {
    const state = this.#opened();
    const { sandboxes } = this.deps();
    await withDeadline(
      sandboxes.get(sandboxes.idFor(state.request.taskId)).destroy(),
      taskLimits.destroyMs,
      'destroying the sandbox',
    );
    this.#save({ ...this.#opened(), closed: true });
    if (this.#opened().outcome !== null) await this.ctx.storage.deleteAlarm();
  }

  // ---- observer and watchdog --------------------------------------------------------------------------------

  override async alarm(): Promise<void> {
    const state = this.#state;
    if (state === null || (state.outcome !== null && state.closed)) return;
    await this.#arm();
    if (this.#freshlyStarted) {
      this.#freshlyStarted = false;
      // After a restart a Workflow instance may sleep on until some event comes (seen with the local runtime).
      await this.deps()
        .notifyWorkflow(state.request.taskId, 'nudge')
        .catch(() => undefined);
    }
    const due = watchdog(state, this.deps().now());
    switch (due) {
      case 'nothing':
        if (state.observing) await this.#observeSlice();
        return;
      case 'close':
        return await this.close();
      case 'end-run':
        return await this.#endRun({ kind: 'deadline' });
      case 'notify-again':
        return await this.deps().notifyWorkflow(state.request.taskId, 'agent-finished');
      case 'give-up': {
        const message = 'The task did not end in its time and was given up. Start it again by a new mention.';
        this.finish({
          kind: 'failed',
          reason: { code: 'overdue', message },
          changeKept: state.change !== null,
        });
        await this.saveComment().catch(() => undefined); // GitHub may be what the task hung on
        return await this.close();
      }
    }
  }

  async #observeSlice(): Promise<void> {
    const { sandboxes, codex, now } = this.deps();
    const sandbox = sandboxes.get(sandboxes.idFor(this.#opened().request.taskId));
    const until = now() + taskLimits.observeSliceMs;
    let progress = this.#store.progress() ?? codex.initialProgress;
    let offset = this.#opened().offset;
    let persistedAt = 0;
    let unsaved = false;
    const persist = () => {
      if (!unsaved) return;
      this.#store.transaction(() => {
        this.#store.saveProgress(progress);
        this.#save({ ...this.#opened(), offset });
      });
      persistedAt = now();
      unsaved = false;
    };
    while (now() < until && this.#opened().observing && watchdog(this.#opened(), now()) === 'nothing') {
      const seen = await observeOnce(sandbox, codex, { offset, progress }, taskLimits.readWaitMs, now);
      unsaved ||= seen.state.offset !== offset;
      ({ offset, progress } = seen.state);
      for (const notable of seen.notable) this.#append(notable);
      const end = seen.end ?? (this.#overBudget() ? { kind: 'budget' as const } : null);
      // With the lines of the log, or a crash would tell them twice; at the end, as the exit is often seen one read later.
      if (seen.notable.length > 0 || end !== null || now() - persistedAt >= taskLimits.persistEveryMs) persist();
      if (end !== null) return await this.#endRun(end);
      if (seen.notable.length > 0) this.#saveCommentSoon();
      await this.#arm();
    }
    persist();
  }

  /** Ends the observation once, and tells the Workflow. All but a cancellation keep the sandbox: what was done is collected. */
  async #endRun(end: AgentEnd): Promise<void> {
    const state = this.#opened();
    if (state.agentEnd === null) {
      this.#save({ ...state, agentEnd: end, observing: false });
      this.deps().log('agent.ended', { taskId: state.request.taskId, how: end.kind });
    }
    if (end.kind === 'cancelled') await this.close().catch(() => this.#arm());
    await this.#comments; // no progress edit may still be on its way when the end is reported
    await this.deps().notifyWorkflow(state.request.taskId, 'agent-finished');
  }

  #overBudget(): boolean {
    const { authorization, used } = this.#opened();
    return authorization !== null && used.tokens >= authorization.limits.tokens;
  }

  /** The heartbeat: always armed while the task lives. */
  async #arm(): Promise<void> {
    await this.ctx.storage.setAlarm(this.deps().now() + taskLimits.heartbeatMs);
  }

  // ---- the comment ------------------------------------------------------------------------------------------

  #saveCommentSoon(): void {
    const { now, log } = this.deps();
    if (now() - this.#commentAt < taskLimits.commentEveryMs) return;
    this.#commentAt = now();
    this.saveComment().catch((error: unknown) =>
      log('comment.edit_failed', { taskId: this.#opened().request.taskId, error: String(error) }),
    );
  }

  async #writeComment(): Promise<void> {
    const state = this.#opened();
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
      this.#save({ ...this.#opened(), commentId });
      this.#append({ kind: 'acknowledged' });
    }
  }

  // ---- state ------------------------------------------------------------------------------------------------

  #opened(): TaskState {
    if (this.#state === null) throw new Error('this task was never opened');
    return this.#state;
  }

  #save(state: TaskState): void {
    this.#store.save(state);
    this.#state = state;
  }

  #append(body: TaskEventBody, at = this.deps().now()): void {
    const event = this.#store.append(body, at);
    if (event !== null) this.#viewers.send(event);
  }
}
