/**
 * Stores requests at once and starts their tasks later, a few at a time. Slack wants an answer within three
 * seconds even if two hundred people ask at once, and opening a record and a Workflow for each takes longer.
 * A request is on disk before `accept` returns, and stays there until its task is started.
 */
import { DurableObject } from 'cloudflare:workers';
import { taskRequestSchema, type TaskRequest } from '../../core/task.ts';
import { withDeadline } from '../../lib/with-deadline.ts';
import { taskLimits } from '../limits.ts';

export interface InboxDeps {
  /** Opens the task's record and starts its Workflow. Idempotent. */
  start(request: TaskRequest): Promise<'started' | 'exists'>;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** Back-off of a failed start, ms: 1 s, 2 s, 4 s … up to 1 min, without an end. */
export function retryDelayMs(attempts: number): number {
  return Math.min(1000 * 2 ** Math.min(attempts, 6), 60_000);
}

/** Delay of the alarm that takes over if the object dies during a drain. */
const alarmMs = 5000;

export abstract class TaskInboxBase<Env> extends DurableObject<Env> {
  protected abstract deps(): InboxDeps;
  readonly #sql = this.ctx.storage.sql;
  #draining = false;
  #acceptedAt = 0;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS request (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL UNIQUE, body TEXT, at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL
      );
      CREATE INDEX IF NOT EXISTS request_by_due ON request (due_at) WHERE body IS NOT NULL;
    `);
  }

  /** Stores the request. `exists`: the same task was accepted before; it can still wait to be started. */
  async accept(request: TaskRequest): Promise<'started' | 'exists'> {
    const { now } = this.deps();
    this.#acceptedAt = now();
    const isNew = this.#sql
      .exec(
        'INSERT INTO request (task_id, body, at, due_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq',
        request.taskId,
        JSON.stringify(request),
        now(),
        now(),
      )
      .toArray();
    if (isNew.length === 0) return 'exists';
    if (this.#alarmAt === null || this.#alarmAt < now()) await this.#arm(now() + alarmMs);
    this.#drain().catch((error: unknown) => this.deps().log('inbox.failed', { error: String(error) }));
    return 'started';
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    await this.#drain();
    const next = this.#nextDueAt();
    if (next !== null) await this.#arm(Math.max(next, this.deps().now() + 1000));
  }

  async #arm(at: number): Promise<void> {
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      const rushUntil = this.deps().now() + taskLimits.inboxRushMs;
      for (;;) {
        await this.#debounce(rushUntil);
        const due = this.#due();
        if (due.length === 0) break;
        await Promise.all(due.map(async ({ seq, body, attempts }) => await this.#start(seq, body, attempts)));
      }
      this.#sql.exec(
        'DELETE FROM request WHERE body IS NULL AND at < ?',
        this.deps().now() - taskLimits.inboxMs,
      );
    } finally {
      this.#draining = false;
    }
  }

  /**
   * Debounces, because answers come before work: while requests keep coming no task is started, up to a
   * bound. A single request waits for one turn of the event loop.
   */
  async #debounce(rushUntil: number): Promise<void> {
    const { now } = this.deps();
    await new Promise((resolve) => setTimeout(resolve, 0));
    while (this.#pending() > 1 && now() < rushUntil) {
      const quietMs = now() - this.#acceptedAt;
      if (quietMs >= taskLimits.inboxQuietMs) return;
      await new Promise((resolve) => setTimeout(resolve, taskLimits.inboxQuietMs - quietMs));
    }
  }

  async #start(seq: number, body: string, attempts: number): Promise<void> {
    const deps = this.deps();
    const request = taskRequestSchema.parse(JSON.parse(body));
    try {
      await withDeadline(deps.start(request), taskLimits.inboxStartMs, 'starting the task');
      this.#sql.exec('UPDATE request SET body = NULL WHERE seq = ?', seq);
    } catch (error) {
      deps.log('inbox.start_failed', {
        taskId: request.taskId,
        attempts: attempts + 1,
        error: String(error),
      });
      this.#sql.exec(
        'UPDATE request SET attempts = ?, due_at = ? WHERE seq = ?',
        attempts + 1,
        deps.now() + retryDelayMs(attempts),
        seq,
      );
    }
  }

  #due(): { seq: number; body: string; attempts: number }[] {
    return this.#sql
      .exec<{ seq: number; body: string; attempts: number }>(
        'SELECT seq, body, attempts FROM request WHERE body IS NOT NULL AND due_at <= ? ORDER BY seq LIMIT ?',
        this.deps().now(),
        taskLimits.inboxAtOnce,
      )
      .toArray();
  }

  #pending(): number {
    return Number(
      this.#sql.exec('SELECT COUNT(*) AS many FROM request WHERE body IS NOT NULL').one()['many'],
    );
  }

  #nextDueAt(): number | null {
    const { at } = this.#sql
      .exec<{ at: number | null }>('SELECT MIN(due_at) AS at FROM request WHERE body IS NOT NULL')
      .one();
    return at;
  }
}
