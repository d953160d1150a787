/**
 * The Durable Object of one task's record. It holds the state and delegates: `record-state.ts` decides
 * transitions, `task-grant.ts` the grant, `egress-ledger.ts` the receipt, `progress-post.ts` when the post is
 * edited, `run-watch.ts` how a run ended, `watchdog.ts` what the alarm does. Addressed by the sandbox's id,
 * so that the egress handler finds it from `ctx.containerId` alone.
 *
 * While the task lives, its alarm never sleeps longer than a heartbeat: after a crash of the Worker the
 * record continues by itself. Longer than 300 lines because it is one class.
 */
// oxlint-disable max-lines -- see above
import { DurableObject } from 'cloudflare:workers';
import type { AgentEnd, Approval } from '../../core/authorization.ts';
import type { EgressEntry, Grant, GrantPhase, TokenUsage, Receipt } from '../../core/grant.ts';
import type { LedgerEntry } from '../../core/ledger.ts';
import type { Codex } from '../../core/ports/codex.ts';
import type { Totals } from '../../core/metrics.ts';
import type { Notable, Progress } from '../../core/progress.ts';
import type { RunChunk, Sandboxes, TaskSandbox } from '../../core/ports/sandbox-port.ts';
import type { Slots } from '../../core/ports/slots-port.ts';
import type { Findings, LogLine, TaskRecordPort, TaskSnapshot } from '../../core/ports/task-record.ts';
import type { Remark, RemarkFate, RemarkReport } from '../../core/remark.ts';
import { finalReason } from '../../core/ports/upstream-error.ts';
import { reasonOf, withKeptChange } from '../../core/reason.ts';
import type { SetupReport } from '../../core/setup.ts';
import type { Reason, RepositoryRef, TaskOutcome, TaskPhase, TaskRequest } from '../../core/task.ts';
import type { TaskEvent, TaskEventBody, TaskView } from '../../core/task-view.ts';
import { headOf } from '../../lib/cut-text.ts';
import { withDeadline } from '../../lib/with-deadline.ts';
import { taskLimits } from '../limits.ts';
import { keptChange } from '../run-names.ts';
import { keptSetup, parseSetupReport } from '../setup-report.ts';
import { workflowIdOf } from '../start-task.ts';
import { ranIn, settleCommands } from './denied-commands.ts';
import { claimRetry, startPublicationAttempt } from './ended-task.ts';
import { countRequest, enterEgress } from './egress-ledger.ts';
import type { Notifier } from './notifier.ts';
import { createPhaseWaiters } from './phase-waiters.ts';
import { ProgressPost } from './progress-post.ts';
import {
  addWaiter,
  cancel,
  choose,
  endAgent,
  endedAt,
  enterPhase,
  failRead,
  finish,
  needsSlot,
  openState,
  snapshotOf,
  startWatching,
  waitsForSlotSince,
  watchedRun,
  type Posted,
  type RecordState,
} from './record-state.ts';
import { learn } from './learn.ts';
import { ledgerEntryOf } from './ledger-entry.ts';
import { remarksToPass, settledBetween, settleRemark, takeRemark } from './remarks.ts';
import { openRecordStore, type RecordStore } from './record-store.ts';
import { viewOf } from './record-view.ts';
import { watchCodex, watchSetup, type WatchingRecord } from './run-watch.ts';
import { grantOf } from './task-grant.ts';
import { totalsOf } from './task-totals.ts';
import { createViewers } from './viewers.ts';
import { heartbeatMs, waitUntil, watchdog } from './watchdog.ts';

/** Of a remark, in the log. */
const noteCharacters = 300;

export interface RecordDeps {
  readonly sandboxes: Sandboxes;
  readonly slots: Pick<Slots, 'release'>;
  readonly codex: Codex;
  readonly notifier: Notifier;
  /** US dollars; null if the configuration has no price for the model. */
  readonly costOf: (model: string, usage: TokenUsage) => number | null;
  /** Folds one request into the receipt; returns the same receipt for requests that it does not show. */
  readonly addToReceipt: (receipt: Receipt, entry: EgressEntry) => Receipt;
  /** Wakes a Workflow instance that waits; rejects if there is none. */
  readonly wakeWorkflow: (instanceId: string) => Promise<void>;
  readonly workflowState: (instanceId: string) => Promise<WorkflowState>;
  /** Creates a Workflow instance that does not exist; harmless if it does. */
  readonly startWorkflow: (request: TaskRequest, attempts: number) => Promise<void>;
  /** Revokes the task's installation tokens. Never throws; those that it could not revoke stay stored. */
  readonly forgetTokens: (taskId: string) => Promise<void>;
  /** Gives the metrics and the ledger what this task adds to them. A repeated report counts once. */
  readonly report: (totals: Totals, entry: LedgerEntry) => Promise<void>;
  /** How long an ended task is kept. */
  readonly retentionMs: number;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** `over`: it has ended, however. `unknown`: that cannot be asked now. */
export type WorkflowState = 'live' | 'over' | 'missing' | 'unknown';

export abstract class TaskRecordBase<Env> extends DurableObject<Env> {
  protected abstract deps(): RecordDeps;
  readonly #store: RecordStore = openRecordStore(this.ctx.storage);
  readonly #viewers = createViewers({
    after: (seq, atMost) => this.#store.eventsAfter(seq, atMost),
    hasEnded: () => this.#state?.outcome !== null,
  });
  readonly #post = new ProgressPost({
    show: async () => await this.#show(),
    agentRuns: () => watchedRun(this.#opened()) === 'codex',
    now: () => this.deps().now(),
    failed: (error) => this.#log('comment.edit_failed', { error: String(error) }),
  });
  #state: RecordState | null = this.#store.state();
  readonly #phaseWaiters = createPhaseWaiters(() =>
    this.#state === null ? null : (grantOf(this.#state)?.phase ?? null),
  );
  /** Parsed once; it never changes once it is kept. */
  #setup: SetupReport | null = null;
  #passing: Promise<void> = Promise.resolve();
  /** What the metrics were given last; null since the last restart. */
  #reported: string | null = null;
  /** When a report was last asked for, also one that failed or had nothing to say. */
  #reportAskedAt = 0;
  #reporting: Promise<void> | null = null;
  #countTimer: ReturnType<typeof setTimeout> | undefined;
  #wasRestarted = true;

  async open(request: TaskRequest): Promise<{ readonly created: boolean; readonly expired: boolean }> {
    if (this.#state !== null) return { created: false, expired: false };
    if (this.#store.expiredAt() !== null) return { created: false, expired: true };
    const nonce = crypto.randomUUID().replaceAll('-', '');
    this.#save(openState(request, nonce, this.deps().now()));
    this.#append({ kind: 'phase', phase: 'accepted' });
    await this.#arm();
    return { created: true, expired: false };
  }

  // ---- reading

  snapshot(): TaskSnapshot | null {
    const state = this.#state;
    return state === null ? null : { ...snapshotOf(state), waitUntil: waitUntil(state) };
  }

  view(): TaskView | null {
    if (this.#state === null) return null;
    const progress = this.#store.progress();
    this.#setup ??= parseSetupReport(this.#store.kept(keptSetup));
    return viewOf(this.#state, {
      progress,
      receipt: this.#store.receipt(),
      setup: this.#setup,
      costUsd: this.#costUsd(this.#state),
      now: this.deps().now(),
    });
  }

  /** The newest lines of the log, or of those before `before`, in order. */
  events(atMost: number = taskLimits.newestEvents, before?: number): readonly TaskEvent[] {
    return this.#store.newestEvents(atMost, before);
  }

  eventsAfter(seq: number, atMost: number): readonly TaskEvent[] {
    return this.#store.eventsAfter(seq, atMost);
  }

  /** The log after `seq` as server-sent events; ends with the task. null if there is no such task. */
  watch(seq: number): ReadableStream<Uint8Array> | null {
    if (this.#state === null) return null;
    return this.#viewers.add(seq);
  }

  kept(name: string): string | null {
    return this.#store.kept(name);
  }

  /** For the queue, about a slot that was never released. */
  needsSlot(): boolean {
    return needsSlot(this.#state);
  }

  // ---- installation tokens, sealed by `github/token-seal.ts`

  async rememberToken(sealed: string, expiresAt: number): Promise<void> {
    const { outcome } = this.#opened();
    this.#store.saveToken(sealed, expiresAt);
    // A step that timed out works on: nobody else revokes what it mints after the task's end.
    if (outcome !== null) await this.#arm(taskLimits.revokeEveryMs);
  }

  liveTokens(): readonly string[] {
    return this.#store.tokens(this.deps().now());
  }

  forgetToken(sealed: string): void {
    this.#store.deleteToken(sealed);
  }

  // ---- egress

  /** Counts the request; a crash loses only what was counted since the last, delayed write. */
  admitEgress(): Grant | null {
    const state = this.#state;
    const grant = state === null ? null : grantOf(state);
    if (state === null || grant === null) return null;
    this.#state = countRequest(state);
    this.#countTimer ??= setTimeout(() => {
      if (this.#state !== null) this.#save(this.#state);
    }, taskLimits.countEveryMs);
    return grant;
  }

  /** For a request under way: waits until the grant's phase is another one, at most `waitMs`. */
  async phaseEnded(phase: GrantPhase, waitMs: number): Promise<boolean> {
    return await this.#phaseWaiters.wait(phase, waitMs);
  }

  recordEgress(entry: EgressEntry, tokens: TokenUsage): void {
    const state = this.#state;
    if (state === null) return;
    const { addToReceipt, now, log } = this.deps();
    const receipt = this.#store.receipt();
    const entered = enterEgress({ state, receipt }, { entry, tokens }, addToReceipt, now());
    if (entered.state !== state) this.#save(entered.state);
    if (entered.receipt !== receipt) this.#store.saveReceipt(entered.receipt);
    if (entered.logged !== null) log(entered.logged.event, entered.logged.fields);
    for (const { body, at } of entered.events) this.#append(body, at);
    if (entered.state.modelAt !== state.modelAt) this.#reportSoon();
  }

  // ---- the Workflow's commands

  async learn(findings: Findings): Promise<void> {
    const before = this.#opened();
    const after = learn(before, findings, this.deps().now());
    this.#save(after);
    if (after.change !== null && after.change !== before.change)
      this.#append({ kind: 'change', ...after.change });
    if (after.queuePosition !== null && after.queuePosition !== before.queuePosition) {
      this.#append({ kind: 'queued', position: after.queuePosition });
      this.#post.requestUpdate();
    }
    const isNews = (['routing', 'choices', 'ahead', 'authorization'] as const).some(
      (field) => after[field] !== before[field],
    );
    if (after.choices !== before.choices) this.#reportSoon();
    if (isNews) await this.#wakeWaiters();
  }

  appendToLog(line: LogLine): void {
    if (!this.#store.hasLine(line)) this.#append(line);
    if (line.kind !== 'note') this.#post.requestUpdate();
  }

  async enter(phase: TaskPhase): ReturnType<TaskRecordPort['enter']> {
    const state = this.#opened();
    const next = enterPhase(state, phase, this.deps().now());
    if (next === null) throw new Error(`the phase “${phase}” is over: a later one has its grant open`);
    if (next !== state) {
      this.#save(next);
      // In the queue the alarm slept for longer.
      if (phase === 'provision') await this.#arm();
      this.#append({ kind: 'phase', phase });
      this.#log('task.phase_entered', { phase });
      // The first post shows what came before it, the last step the end.
      if (next.posted !== null && phase !== 'report') this.#post.requestPhaseUpdate();
    }
    return { cancelledBy: next.cancelledBy, outcome: next.outcome };
  }

  async choose(repository: RepositoryRef): Promise<boolean> {
    const next = choose(this.#opened(), repository);
    if (next === null) return false;
    this.#save(next);
    this.#reportSoon();
    await this.#wakeOwnWorkflow();
    return true;
  }

  /** Rejects if the post cannot be edited; the caller decides whether that matters. */
  async updatePost(): Promise<void> {
    await this.#post.update();
  }

  async watchRun(run: 'setup' | 'codex'): Promise<void> {
    this.#save(startWatching(this.#opened(), run, this.deps().now()));
    await this.#arm(0);
  }

  keep(name: string, content: string): void {
    this.#store.keep(name, content);
  }

  addWaiter(taskId: string): void {
    if (this.#state !== null) this.#save(addWaiter(this.#state, taskId));
  }

  remarkFate(id: string): RemarkFate | null {
    return this.#opened().remarks.find((remark) => remark.id === id)?.fate ?? null;
  }

  async addRemark(remark: Remark): Promise<RemarkFate | null> {
    const before = this.#opened();
    const { state, fate } = takeRemark(before, remark);
    if (state !== before) {
      this.#save(state);
      this.#append({ kind: 'note', text: `${remark.by} adds: ${headOf(remark.text, noteCharacters)}` });
    }
    await this.#passRemarks();
    return fate;
  }

  async finish(outcome: TaskOutcome): Promise<void> {
    const state = this.#opened();
    const next = finish(state, outcome, this.deps().now());
    if (next === state) return;
    this.#save(next);
    this.#append({ kind: 'ended', outcome });
    this.#log('task.ended', { outcome: outcome.kind });
    this.#reportSoon();
    await this.#wakeWaiters();
  }

  /** The sandbox first: otherwise there could be one too many. */
  async close(): Promise<void> {
    const { sandboxes, slots } = this.deps();
    const { taskId } = this.#opened().request;
    const destroyed = sandboxes.get(sandboxes.idFor(taskId)).destroy();
    await withDeadline(destroyed, taskLimits.destroyMs, 'destroying the sandbox');
    await slots.release(taskId);
    this.#save({ ...this.#opened(), closed: true });
    await this.#arm();
  }

  // ---- people's commands

  async cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }> {
    const before = this.#opened();
    const { state, reason } = cancel(before, by);
    if (state === null) return { cancelled: false, reason };
    if (state !== before) {
      this.#save(state);
      this.#append({ kind: 'note', text: `Cancelled by ${by}.` });
      if (before.agentEnd === null) this.#log('agent.ended', { how: 'cancelled' });
    }
    await this.close().catch(async () => await this.#arm());
    await this.#post.settled();
    // The alarm wakes or creates an instance that cannot be reached now.
    await this.#wakeOwnWorkflow().catch(async () => await this.#arm());
    return { cancelled: true, reason };
  }

  claimRetry(by: string, instead: string | null): string {
    const next = claimRetry(this.#opened(), by, instead);
    this.#save(next);
    return next.retriedBy;
  }

  async startPublicationAttempt(
    approval: Approval | null,
  ): ReturnType<TaskRecordPort['startPublicationAttempt']> {
    const next = startPublicationAttempt(this.#opened(), approval, this.deps().now());
    if ('reason' in next) return { started: false, reason: next.reason };
    this.#save(next);
    const text = approval === null ? 'Publishing again.' : `Approved by ${approval.by}: publishing.`;
    this.#append({ kind: 'note', text });
    await this.#arm();
    return { started: true, attempt: next.attempts.length, request: next.request };
  }

  // ---- the alarm

  override async alarm(): Promise<void> {
    if (this.#state === null) return await this.#forget();
    const state = this.#state;
    const due = watchdog(state, this.deps().now());
    await this.#arm(heartbeatMs(state, due));
    this.#reportSoon();
    // After a restart a Workflow instance can sleep until some event comes (seen with the local runtime).
    if (this.#wasRestarted) await this.#wakeOwnWorkflow().catch(() => undefined);
    this.#wasRestarted = false;
    switch (due) {
      case 'nothing':
        if (!(await this.#endedWithoutWorkflow())) await this.#watch();
        return;
      case 'wake':
        if (!(await this.#endedWithoutWorkflow())) await this.#wakeOwnWorkflow();
        return;
      case 'close':
        return await this.close();
      case 'show':
        await this.updatePost().catch(() => undefined); // the next alarm tries again
        return await this.deps().forgetTokens(state.request.taskId);
      case 'done':
        if (await this.#isSettled()) await this.#rest();
        return;
      case 'end-run':
        return await this.#endRun({ kind: 'deadline' });
      case 'lost':
        return await this.#giveUp(reasonOf('sandbox-lost.unreachable'));
      case 'give-up':
        return await this.#giveUp(reasonOf(waitsForSlotSince(state) === null ? 'overdue' : 'queue-overdue'));
    }
  }

  /** Arms a lost or late alarm. Calls no neighbour, so that it works when nothing else does. */
  async wake(): Promise<'watched' | 'rearmed' | 'gone'> {
    if (this.#state === null && this.#store.expiredAt() === null) return 'gone';
    const at = await this.ctx.storage.getAlarm();
    const isLost = at === null || at < Date.now() - taskLimits.lateAlarmMs;
    if (isLost) await this.ctx.storage.setAlarm(Date.now());
    if (this.#state === null) return 'gone';
    return isLost ? 'rearmed' : 'watched';
  }

  /** Creates an instance that a crash after `open` left out; one that is over will never end the task. */
  async #endedWithoutWorkflow(): Promise<boolean> {
    const { request, attempts } = this.#opened();
    const { workflowState, startWorkflow, now } = this.deps();
    const found = await workflowState(this.#workflowId());
    const begunAt = attempts.at(-1)?.at ?? Date.parse(request.acceptedAt);
    if (found === 'missing' && now() > begunAt + taskLimits.createMs)
      await startWorkflow(request, attempts.length);
    if (found !== 'over') return false;
    await this.#giveUp(reasonOf('workflow-aborted'));
    return true;
  }

  /** Whether no token is live and the Workflow has ended. Revokes and wakes what is left. */
  async #isSettled(): Promise<boolean> {
    const state = this.#opened();
    const { now, forgetTokens, workflowState } = this.deps();
    const { taskId } = state.request;
    if (this.liveTokens().length > 0) await forgetTokens(taskId);
    if (this.liveTokens().length > 0) return false;
    if (now() > (endedAt(state) ?? 0) + taskLimits.settleMs) return true;
    try {
      await this.#report();
    } catch {
      return false;
    }
    if ((await workflowState(this.#workflowId())) !== 'live') return true;
    await this.#wakeOwnWorkflow().catch(() => undefined);
    return false;
  }

  async #watch(): Promise<void> {
    const run = watchedRun(this.#opened());
    if (run === 'codex') {
      const end = await watchCodex(this.#watching());
      if (end !== null) await this.#endRun(end);
    } else if (run === 'setup') {
      if (!(await watchSetup(this.#watching()))) return;
      this.#save({ ...this.#opened(), setupRun: 'ended' });
      await this.#wakeOwnWorkflow();
    } else this.#post.updateIfDue();
  }

  #watching(): WatchingRecord {
    const { codex, now } = this.deps();
    return {
      sandbox: { readRun: async (...call) => await this.#read(...call) },
      codex,
      now,
      state: () => this.#opened(),
      progress: () => this.#store.progress(),
      persist: (lines, progress, offset) => this.#persist(lines, progress, offset),
      passRemarks: async () => await this.#passRemarks(),
      looked: async (news) => {
        if (news) this.#post.requestUpdate();
        else this.#post.updateIfDue();
        if (now() > this.#reportAskedAt + taskLimits.reportEveryMs) this.#reportSoon();
        await this.#arm();
      },
    };
  }

  /** All or nothing, also where the disk is full: what is not stored is read again. */
  #persist(lines: readonly (Notable | RemarkReport)[], progress: Progress, offset: number): void {
    const before = this.#state;
    try {
      this.#store.transaction(() => {
        for (const line of lines) {
          if (line.kind === 'remark') this.#settleRemark(line);
          else this.#store.append(line, this.deps().now());
        }
        this.#store.saveProgress(progress);
        this.#save({ ...this.#opened(), offset });
        const receipt = this.#store.receipt();
        const settled = settleCommands(receipt, ranIn(this.#opened(), progress));
        if (settled !== receipt) this.#store.saveReceipt(settled);
      });
    } catch (error) {
      this.#state = before;
      throw error;
    }
    this.#viewers.update();
  }

  /** Writes the control file, one write at a time: an older one would take remarks back. */
  async #passRemarks(): Promise<void> {
    const passing = this.#passing.then(async () => {
      const remarks = remarksToPass(this.#opened());
      if (remarks === null) return;
      const { path, content } = this.deps().codex.control(remarks);
      await withDeadline(this.#sandbox().writeFile(path, content), taskLimits.passRemarksMs, 'steering');
      this.#save({ ...this.#opened(), remarksPassed: remarks.length });
    });
    // The watch of the run tries again.
    this.#passing = passing.catch((error: unknown) =>
      this.#log('remark.not_passed', { error: String(error) }),
    );
    await this.#passing;
  }

  #settleRemark({ id, reached }: RemarkReport): void {
    const state = this.#opened();
    const next = settleRemark(state, id, reached ? 'reached' : 'missed');
    if (next === state) return;
    this.#save(next);
    const by = next.remarks.find((remark) => remark.id === id)?.by ?? '';
    const text = reached ? `Codex has read what ${by} added.` : `Codex did not take what ${by} added.`;
    this.#store.append({ kind: 'note', text }, this.deps().now());
  }

  /** Reads the watched run, and remembers since when that fails. */
  async #read(...call: Parameters<TaskSandbox['readRun']>): Promise<RunChunk> {
    try {
      const chunk = await this.#sandbox().readRun(...call);
      if (this.#opened().unread !== null) this.#save({ ...this.#opened(), unread: null });
      return chunk;
    } catch (error) {
      this.#save(failRead(this.#opened(), this.deps().now()));
      throw error;
    }
  }

  /** Ends the run once and wakes the Workflow. The sandbox stays, so that what was done can be collected. */
  async #endRun(end: AgentEnd): Promise<void> {
    const state = this.#opened();
    const next = endAgent(state, end);
    if (next !== state) {
      this.#save(next);
      this.#log('agent.ended', { how: end.kind });
    }
    await this.#post.settled(); // the outcome must be the last edit
    await this.#wakeOwnWorkflow();
  }

  async #giveUp(why: Reason): Promise<void> {
    const { outcome } = this.#opened();
    // The Workflow can have ended the task meanwhile.
    if (outcome === null) {
      const changeKept = this.#store.kept(keptChange) !== null;
      const reason = changeKept ? withKeptChange(why) : why;
      await this.finish({ kind: 'failed', reason, changeKept });
      await this.updatePost().catch(() => undefined); // the place of the post can be what the task hung on
    }
    await this.close();
  }

  /** Sleeps until the task expires. */
  async #rest(): Promise<void> {
    const { now, retentionMs } = this.deps();
    const expiresAt = (endedAt(this.#opened()) ?? now()) + retentionMs;
    if (now() >= expiresAt) await this.#expire();
    else {
      if (!this.#opened().endShown) this.#log('post.not_shown', {});
      await this.ctx.storage.setAlarm(expiresAt);
    }
  }

  /** Leaves a tombstone, because the trigger's delivery can be sent again long after. */
  async #expire(): Promise<void> {
    const { now } = this.deps();
    this.#log('task.expired', {});
    clearTimeout(this.#countTimer);
    this.#state = null;
    this.#phaseWaiters.look();
    await this.#store.expire(now());
    await this.ctx.storage.setAlarm(now() + taskLimits.tombstoneMs);
  }

  /** Deletes the tombstone too. An `open` until the object is gone fails and is retried. */
  async #forget(): Promise<void> {
    const expiredAt = this.#store.expiredAt();
    if (expiredAt !== null && this.deps().now() >= expiredAt + taskLimits.tombstoneMs)
      await this.ctx.storage.deleteAll();
  }

  // ---- shared

  /** Null before the authorization, which chooses the model, and without a price. */
  #costUsd({ authorization, usage }: RecordState): number | null {
    return authorization === null ? null : this.deps().costOf(authorization.model, usage);
  }

  async #show(): Promise<'shown' | 'closed'> {
    const state = this.#opened();
    const view = this.view();
    if (view === null) return 'shown';
    // Nobody waits for the end of a task that nobody saw to be asked for.
    const isSilent = state.silent || view.outcome?.kind === 'ignored' || view.outcome?.kind === 'steered';
    const shown = isSilent ? null : await this.#postOrClose(state, view);
    const posted = shown === 'closed' ? null : shown;
    const after = this.#opened(); // a publication attempt can have started meanwhile
    const endShown = view.outcome !== null && after.outcome !== null;
    const isFirst = posted !== null && state.posted === null;
    const acknowledgedAt = isFirst ? this.deps().now() : after.acknowledgedAt;
    this.#save({ ...after, posted: posted ?? after.posted, acknowledgedAt, endShown });
    if (isFirst) {
      this.#append({ kind: 'acknowledged' });
      this.#reportSoon();
    }
    return shown === 'closed' ? 'closed' : 'shown';
  }

  async #postOrClose(state: RecordState, view: TaskView): Promise<Posted | null | 'closed'> {
    try {
      return await this.deps().notifier.show(state, view);
    } catch (error) {
      // No attempt can succeed. The API has the outcome.
      const reason = finalReason(error);
      if (reason === null) throw error;
      this.#log('post.refused', { reason: reason.code });
      return 'closed';
    }
  }

  // ---- metrics

  /** In the background. The alarm takes over what fails. */
  #reportSoon(): void {
    this.#reportAskedAt = this.deps().now();
    this.#report().catch((error: unknown) => this.#log('metrics.not_reported', { error: String(error) }));
  }

  /** Gives the metrics and the ledger what has changed since the last report. One call at a time. */
  async #report(): Promise<void> {
    while (this.#reporting !== null) await this.#reporting.catch(() => undefined);
    if (this.#state === null) return;
    const totals = totalsOf(this.#state, this.#store.receipt());
    const entry = ledgerEntryOf(this.#state, this.#costUsd(this.#state));
    const text = JSON.stringify([totals, entry]);
    if (this.#reported === text) return;
    const reporting = this.deps().report(totals, entry);
    this.#reporting = withDeadline(reporting, taskLimits.slotCallMs, 'reporting to the metrics');
    try {
      await this.#reporting;
      this.#reported = text;
    } finally {
      this.#reporting = null;
    }
  }

  #workflowId(): string {
    const { request, attempts } = this.#opened();
    return workflowIdOf(request.taskId, attempts.length);
  }

  async #wakeOwnWorkflow(): Promise<void> {
    await this.deps().wakeWorkflow(this.#workflowId());
  }

  /** Best effort: a task that misses it looks by itself after a while. */
  async #wakeWaiters(): Promise<void> {
    await this.#wake(this.#opened().waiters);
  }

  async #wake(taskIds: readonly string[]): Promise<void> {
    const { wakeWorkflow } = this.deps();
    await Promise.all(
      taskIds.map(async (taskId) => await wakeWorkflow(workflowIdOf(taskId, 0)).catch(() => undefined)),
    );
  }

  #sandbox(): TaskSandbox {
    const { sandboxes } = this.deps();
    return sandboxes.get(sandboxes.idFor(this.#opened().request.taskId));
  }

  /** Arms the alarm, which is always armed while the task lives. */
  async #arm(inMs: number = taskLimits.heartbeatMs): Promise<void> {
    await this.ctx.storage.setAlarm(this.deps().now() + inMs);
  }

  #opened(): RecordState {
    if (this.#state === null) throw new Error('this task was never opened');
    return this.#state;
  }

  #save(state: RecordState): void {
    const settled = this.#state === null ? [] : settledBetween(this.#state, state);
    this.#store.save(state);
    this.#state = state;
    if (settled.length > 0) this.ctx.waitUntil(this.#wake(settled));
    clearTimeout(this.#countTimer);
    this.#countTimer = undefined;
    this.#phaseWaiters.look();
  }

  #append(body: TaskEventBody, at = this.deps().now()): void {
    this.#store.append(body, at);
    this.#viewers.update();
  }

  #log(event: string, fields: Record<string, unknown>): void {
    this.deps().log(event, { taskId: this.#opened().request.taskId, ...fields });
  }
}
