/**
 * TaskRecord: the Durable Object that is one task's record, grant, observer and watchdog. A shell: what may change and
 * how is decided in `task-state.ts`, reading the run in `observer.ts`. Addressed by the sandbox's own id, so that the
 * egress handler finds it from `ctx.containerId` alone.
 *
 * While the task works, its alarm never sleeps longer than a heartbeat: after a crash of the Worker it goes on by itself.
 */
import type { AgentEnd, Approval } from '../../core/authorization.ts';
import type { TaskRecordPort } from '../../core/ports/task-record.ts';
import type { RepositoryRef } from '../../core/task.ts';
import { withDeadline } from '../../lib/with-deadline.ts';
import { ranIn, settleCommands } from './denied-commands.ts';
import { taskLimits } from '../limits.ts';
import { observeOnce } from './observer.ts';
import { RecordSteps } from './record-steps.ts';
import { workflowIdOf } from '../start-task.ts';
import { spentBudget } from './task-grant.ts';
import { choose, mayCancel, reopen, waitsForSlotSince } from './task-state.ts';
import { heartbeatMs, watchdog } from './watchdog.ts';

export abstract class TaskRecordBase<Env> extends RecordSteps<Env> {
  #freshlyStarted = true;

  async choose(repository: RepositoryRef): Promise<boolean> {
    const next = choose(this.opened(), repository);
    if (next === null) return false;
    this.saveState(next);
    await this.deps().notifyWorkflow(this.#workflowId(), 'chosen');
    return true;
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

  /**
   * Destroys the sandbox, then gives back the slot: the other way round there could be one sandbox too many. Rejects when that did not
   * work in time: the alarm tries again.
   */
  async close(): Promise<void> {
    const state = this.opened();
    const { sandboxes, slots } = this.deps();
    await withDeadline(
      sandboxes.get(sandboxes.idFor(state.request.taskId)).destroy(),
      taskLimits.destroyMs,
      'destroying the sandbox',
    );
    await slots.release(state.request.taskId);
    this.saveState({ ...this.opened(), closed: true });
    if (watchdog(this.opened(), this.deps().now()) === 'done') await this.#rest();
  }

  // ---- observer and watchdog --------------------------------------------------------------------------------

  override async alarm(): Promise<void> {
    // Nothing to watch: it was never opened, or has expired.
    if (this.view() === null) return await this.forget();
    const state = this.opened();
    const { now, notifyWorkflow, workflowIsOver } = this.deps();
    const due = watchdog(state, now());
    if (due === 'done') return await this.#rest();
    await this.arm(heartbeatMs(state, due));
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
        else this.tellIfDue(); // a phase, or a place in the queue that came too soon after the last
        return;
      case 'close':
        return await this.close();
      case 'show':
        return await this.saveComment().catch(() => undefined); // the next alarm tries again
      case 'end-run':
        return await this.#endRun({ kind: 'deadline' });
      case 'give-up':
        return waitsForSlotSince(state) === null
          ? await this.#giveUp('overdue', 'The task did not end in its time and was given up.')
          : await this.#giveUp('queue-overdue', 'No sandbox became free for this task within 24 hours.');
    }
  }

  /** Over for everybody: what is left is to be forgotten in time. */
  async #rest(): Promise<void> {
    const { now, retentionMs } = this.deps();
    const expiresAt = (this.opened().endedAt ?? now()) + retentionMs;
    if (now() >= expiresAt) await this.expire();
    else await this.ctx.storage.setAlarm(expiresAt);
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
        const receipt = this.store.receipt();
        const settled = settleCommands(receipt, ranIn(this.opened(), progress));
        if (settled !== receipt) this.store.saveReceipt(settled);
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
    else if (waitsForSlotSince(state) !== null)
      await this.deps().notifyWorkflow(this.#workflowId(), 'slot-granted');
    await this.deps().notifyWorkflow(this.#workflowId(), 'agent-finished');
  }
}
