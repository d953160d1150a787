/**
 * TaskRecord: the Durable Object that is one task's record, grant, observer and watchdog. A shell: what may change and
 * how is decided in `task-state.ts`, reading the run in `observer.ts`. Addressed by the sandbox's own id, so that the
 * egress handler finds it from `ctx.containerId` alone.
 *
 * Its alarm never sleeps longer than a heartbeat while the task lives: after a crash of the Worker it goes on by itself.
 */
import type { GrantPhase } from '../core/grant.ts';
import type { Routing } from '../core/chat.ts';
import type { AgentEnd, Approval, Authorization, TaskRecordPort } from '../core/ports.ts';
import type { Notable } from '../core/progress.ts';
import type {
  RepositoryFacts,
  RepositoryRef,
  RoutedRequest,
  TaskOutcome,
  TaskPhase,
  TaskRequest,
} from '../core/task.ts';
import { withDeadline } from '../core/with-deadline.ts';
import { taskLimits } from './limits.ts';
import { observeOnce } from './observer.ts';
import { RecordCore } from './record-core.ts';
import { workflowIdOf } from './start-task.ts';
import { advanceGrant, spentBudget } from './task-grant.ts';
import {
  choose,
  enterPhase,
  mayCancel,
  offer,
  reopen,
  routedRequestOf,
  startObserving,
  watchdog,
} from './task-state.ts';

export abstract class TaskRecordBase<Env> extends RecordCore<Env> {
  #freshlyStarted = true;

  // ---- the Workflow's steps ---------------------------------------------------------------------------------

  request(): TaskRequest | null {
    return this.view() === null ? null : this.opened().request;
  }

  routedRequest(): RoutedRequest | null {
    return routedRequestOf(this.opened());
  }

  routed({ routing, requesterName }: { routing: Routing; requesterName: string }): void {
    const state = this.opened();
    if (state.routing === null) this.saveState({ ...state, routing, requesterName, choices: null });
  }

  offer(choices: readonly RepositoryRef[]): void {
    this.saveState(offer(this.opened(), choices));
  }

  async choose(repository: RepositoryRef): Promise<boolean> {
    const next = choose(this.opened(), repository);
    if (next === null) return false;
    this.saveState(next);
    await this.deps().notifyWorkflow(this.#workflowId(), 'chosen');
    return true;
  }

  choice(): RepositoryRef | null {
    return this.opened().choice;
  }

  approval(): Approval | null {
    return this.opened().approval;
  }

  located(facts: RepositoryFacts): void {
    this.saveState({ ...this.opened(), facts });
  }

  authorized(authorization: Authorization): void {
    this.saveState({ ...this.opened(), authorization });
  }

  enter(phase: TaskPhase): { readonly cancelledBy: string | null } {
    const state = this.opened();
    const next = enterPhase(state, phase, this.deps().now());
    if (next !== state) {
      this.saveState(next);
      this.append({ kind: 'phase', phase });
      this.deps().log('task.phase_entered', { taskId: state.request.taskId, phase });
    }
    return { cancelledBy: next.cancelledBy };
  }

  grantPhase(phase: GrantPhase): void {
    const next = advanceGrant(this.opened(), phase);
    if (next === null) throw new Error(`the phase “${phase}” of the grant is over`);
    this.saveState(next);
  }

  authorization(): Authorization | null {
    return this.opened().authorization;
  }

  note(text: string): void {
    // Once: a task that waits for hours looks every few seconds, and each look says so.
    const isTold = this.store.eventsAfter(0).some(({ body }) => body.kind === 'note' && body.text === text);
    if (!isTold) this.append({ kind: 'note', text });
  }

  tell(line: Notable): void {
    const text = JSON.stringify(line);
    if (!this.store.eventsAfter(0).some(({ body }) => JSON.stringify(body) === text)) this.append(line);
    this.tellSoon();
  }

  canaryNonce(): string {
    return this.opened().canaryNonce;
  }

  async observe(): Promise<void> {
    this.saveState(startObserving(this.opened(), this.deps().now()));
    await this.ctx.storage.setAlarm(this.deps().now());
  }

  agentEnd(): AgentEnd | null {
    return this.opened().agentEnd;
  }

  keep(name: string, content: string): void {
    this.store.keep(name, content);
  }

  kept(name: string): string | null {
    return this.store.kept(name);
  }

  changed(change: { files: number; insertions: number; deletions: number }): void {
    const state = this.opened();
    if (state.change !== null) return;
    this.saveState({ ...state, change });
    this.append({ kind: 'change', ...change });
  }

  finish(outcome: TaskOutcome): void {
    const state = this.opened();
    if (state.outcome !== null) return;
    const now = this.deps().now();
    this.saveState({ ...enterPhase(state, 'ended', now), outcome, endedAt: now, observing: false });
    this.append({ kind: 'ended', outcome });
    this.deps().log('task.ended', { taskId: state.request.taskId, outcome: outcome.kind });
  }

  async cancel(by: string): Promise<{ readonly cancelled: boolean; readonly reason: string }> {
    const state = this.opened();
    const { may, reason } = mayCancel(state);
    if (!may) return { cancelled: false, reason };
    if (state.cancelledBy === null) {
      this.saveState({ ...state, cancelledBy: by });
      this.append({ kind: 'note', text: `Cancelled by ${by}.` });
    }
    await this.#endRun({ kind: 'cancelled', by });
    return { cancelled: true, reason };
  }

  async reopen(approval: Approval | null): ReturnType<TaskRecordPort['reopen']> {
    const next = reopen(this.opened(), approval, this.deps().now());
    if ('reason' in next) return { reopened: false, reason: next.reason };
    this.saveState(next);
    this.append({
      kind: 'note',
      text: approval === null ? 'Publishing again.' : `Approved by ${approval.by}: publishing.`,
    });
    await this.arm();
    return { reopened: true, attempt: next.reopenings, request: next.request };
  }

  /** Destroys the sandbox. Rejects when that did not work in time: the alarm tries again. */
  async close(): Promise<void> {
    const state = this.opened();
    const { sandboxes } = this.deps();
    await withDeadline(
      sandboxes.get(sandboxes.idFor(state.request.taskId)).destroy(),
      taskLimits.destroyMs,
      'destroying the sandbox',
    );
    this.saveState({ ...this.opened(), closed: true });
    if (watchdog(this.opened(), this.deps().now()) === 'done') await this.ctx.storage.deleteAlarm();
  }

  // ---- observer and watchdog --------------------------------------------------------------------------------

  override async alarm(): Promise<void> {
    // An alarm of a record that was never opened has nothing to watch.
    if (this.view() === null) return;
    const state = this.opened();
    const { now, notifyWorkflow, workflowIsOver } = this.deps();
    const due = watchdog(state, now());
    if (due === 'done') return;
    await this.arm(due === 'show' ? taskLimits.showEveryMs : taskLimits.heartbeatMs);
    const instanceId = this.#workflowId();
    if (this.#freshlyStarted) {
      this.#freshlyStarted = false;
      // After a restart a Workflow instance may sleep on until some event comes (seen with the local runtime).
      await notifyWorkflow(instanceId, 'nudge').catch(() => undefined);
    }
    switch (due) {
      case 'nothing':
      case 'notify-again':
        // Its last step is to end the task; one that is over without that will never do it.
        if (await workflowIsOver(instanceId))
          return await this.#giveUp('broke-off', 'The work on this task broke off.');
        if (due === 'notify-again') return await notifyWorkflow(instanceId, 'agent-finished');
        if (state.observing) await this.#observeSlice();
        return;
      case 'close':
        return await this.close();
      case 'show':
        return await this.saveComment().catch(() => undefined); // the next alarm tries again
      case 'end-run':
        return await this.#endRun({ kind: 'deadline' });
      case 'give-up':
        return await this.#giveUp('overdue', 'The task did not end in its time and was given up.');
    }
  }

  async #giveUp(code: string, what: string): Promise<void> {
    const state = this.opened();
    // The Workflow may have ended it between the look and now.
    if (state.outcome === null) {
      const changeKept = state.change !== null && state.change.files > 0;
      const wayOut = changeKept
        ? 'Its change is kept, and publishing it can be tried again.'
        : 'Ask again to start over.';
      this.finish({ kind: 'failed', reason: { code, message: `${what} ${wayOut}` }, changeKept });
      await this.saveComment().catch(() => undefined); // its place may be what the task hung on
    }
    await this.close();
  }

  #workflowId(): string {
    const { request, reopenings } = this.opened();
    return workflowIdOf(request.taskId, reopenings);
  }

  async #observeSlice(): Promise<void> {
    const { sandboxes, codex, now } = this.deps();
    const sandbox = sandboxes.get(sandboxes.idFor(this.opened().request.taskId));
    const until = now() + taskLimits.observeSliceMs;
    let progress = this.store.progress() ?? codex.initialProgress;
    let offset = this.opened().offset;
    let persistedAt = 0;
    let unsaved = false;
    const persist = () => {
      if (!unsaved) return;
      this.store.transaction(() => {
        this.store.saveProgress(progress);
        this.saveState({ ...this.opened(), offset });
      });
      persistedAt = now();
      unsaved = false;
    };
    while (now() < until && this.opened().observing && watchdog(this.opened(), now()) === 'nothing') {
      const seen = await observeOnce(sandbox, codex, { offset, progress }, taskLimits.readWaitMs, now);
      unsaved ||= seen.state.offset !== offset;
      ({ offset, progress } = seen.state);
      for (const notable of seen.notable) this.append(notable);
      const spent = spentBudget(this.opened());
      const end = seen.end ?? (spent === null ? null : { kind: 'budget' as const, budget: spent });
      // With the lines of the log, or a crash would tell them twice; at the end, as the exit is often seen one read later.
      if (seen.notable.length > 0 || end !== null || now() - persistedAt >= taskLimits.persistEveryMs)
        persist();
      if (end !== null) return await this.#endRun(end);
      if (seen.notable.length > 0) this.tellSoon();
      else this.tellIfDue();
      await this.arm();
      if (seen.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, seen.pauseMs));
    }
    persist();
  }

  /** Ends the observation once, and tells the Workflow. All but a cancellation keep the sandbox: what was done is collected. */
  async #endRun(end: AgentEnd): Promise<void> {
    const state = this.opened();
    if (state.agentEnd === null) {
      this.saveState({ ...state, agentEnd: end, observing: false });
      this.deps().log('agent.ended', { taskId: state.request.taskId, how: end.kind });
    }
    if (end.kind === 'cancelled') await this.close().catch(() => this.arm());
    await this.edits; // no progress edit may still be on its way when the end is reported
    // Whatever the Workflow waits for: an event that nobody waits for is kept and does no harm.
    if (state.authorization === null) await this.deps().notifyWorkflow(this.#workflowId(), 'chosen');
    await this.deps().notifyWorkflow(this.#workflowId(), 'agent-finished');
  }
}
