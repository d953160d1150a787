/**
 * The part of a task's record that the Workflow's steps read and write. What may change is decided in `task-state.ts`; the run, its
 * end and the alarm are `record.ts`'s.
 */
import type { GrantPhase } from '../../core/grant.ts';
import type { Routing } from '../../core/chat.ts';
import type { AgentEnd, Approval, Authorization } from '../../core/authorization.ts';
import type { Notable } from '../../core/progress.ts';
import type {
  RepositoryFacts,
  RepositoryRef,
  RoutedRequest,
  TaskOutcome,
  TaskPhase,
  TaskRequest,
} from '../../core/task.ts';
import { RecordCore } from './record-core.ts';
import { advanceGrant } from './task-grant.ts';
import { enterPhase, needsSlot, offer, queue, routedRequestOf, startObserving } from './task-state.ts';

export abstract class RecordSteps<Env> extends RecordCore<Env> {
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

  async enter(phase: TaskPhase): Promise<{ readonly cancelledBy: string | null }> {
    const state = this.opened();
    const next = enterPhase(state, phase, this.deps().now());
    if (next !== state) {
      this.saveState(next);
      // In the queue the alarm slept for longer.
      if (phase === 'provision') await this.arm();
      this.append({ kind: 'phase', phase });
      this.deps().log('task.phase_entered', { taskId: state.request.taskId, phase });
      // What the task does when it is acknowledged is told then, and the end by the last step.
      if (next.posted !== null && phase !== 'report') this.tellLater();
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

  queued(position: number): void {
    const state = this.opened();
    const next = queue(state, position);
    if (next === state) return;
    this.saveState(next);
    this.append({ kind: 'queued', position });
    this.tellSoon();
  }

  /** What the queue asks about a slot that was never given back. */
  needsSlot(): boolean {
    return needsSlot(this.view() === null ? null : this.opened());
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
}
