/**
 * Stores requests at once and starts their tasks later, a few at a time. Slack wants an answer within three
 * seconds even if two hundred people ask at once, a thousand triggers on GitHub must not make each other time
 * out, and opening a record and a Workflow for each takes longer. A request is on disk before `accept`
 * returns, and stays there until its task is started.
 *
 * A repository on GitHub has an inbox of its own. It asks `admit-trigger.ts` about each trigger, starts
 * those of one conversation in order, and lets few tasks be authorized at the same time.
 */
import { DurableObject } from 'cloudflare:workers';
import { taskRequestSchema, type TaskRequest } from '../../core/task.ts';
import { withDeadline } from '../../lib/with-deadline.ts';
import { taskLimits } from '../limits.ts';
import type { AskerAccess } from '../start-task.ts';
import { openAskers, type Askers } from './askers.ts';

export interface InboxDeps {
  /** Opens the task's record and starts its Workflow. Idempotent. */
  start(request: TaskRequest): Promise<'started' | 'exists'>;
  /** Counts a trigger that becomes no task. */
  readonly count: (as: 'duplicate' | 'dropped', source: TaskRequest['trigger']['kind']) => void;
  readonly now: () => number;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** Back-off of a failed start, ms: 1 s, 2 s, 4 s … up to 1 min, without an end. */
export function retryDelayMs(attempts: number): number {
  return Math.min(1000 * 2 ** Math.min(attempts, 6), 60_000);
}

const earlierInPlace = `SELECT 1 FROM inbox AS earlier
  WHERE earlier.body IS NOT NULL AND earlier.place = inbox.place AND earlier.seq < inbox.seq`;

/** Delay of the alarm that takes over if the object dies during a drain. */
const alarmMs = 5000;

type Row = {
  seq: number;
  task_id: string;
  /** Who asked on GitHub, and the number of the issue; null for the others. */
  person: number | null;
  place: number | null;
  /** 1: the task changes code. 0: a command. */
  runs: number;
  attempts: number;
  due_at: number;
};

export abstract class TaskInboxBase<Env> extends DurableObject<Env> {
  protected abstract deps(): InboxDeps;
  readonly #sql = this.ctx.storage.sql;
  readonly #askers: Askers;
  #drained: Promise<void> | null = null;
  #again = false;
  #acceptedAt = 0;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS inbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL UNIQUE, body TEXT, at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL,
        person INTEGER, place INTEGER, runs INTEGER NOT NULL
      );
      CREATE INDEX IF NOT EXISTS inbox_waiting ON inbox (seq) WHERE body IS NOT NULL;
      CREATE INDEX IF NOT EXISTS inbox_places ON inbox (place, seq) WHERE body IS NOT NULL;
    `);
    this.#askers = openAskers(this.#sql);
  }

  /** Stores the request. `exists`: the same task was accepted before; it can still wait to be started. */
  async accept(request: TaskRequest): Promise<'started' | 'exists'> {
    const { now } = this.deps();
    this.#acceptedAt = now();
    const { trigger, requester } = request;
    const onGithub = trigger.kind === 'github';
    if (onGithub && this.#pending() >= taskLimits.inboxWaiting)
      throw new Error('too many requests wait in this inbox');
    const isNew = this.#sql
      .exec(
        `INSERT INTO inbox (task_id, body, at, due_at, person, place, runs) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING seq`,
        request.taskId,
        JSON.stringify(request),
        now(),
        now(),
        onGithub ? (requester?.id ?? 0) : null,
        onGithub ? trigger.issueNumber : null,
        request.ask.kind === 'run' ? 1 : 0,
      )
      .toArray();
    if (isNew.length === 0) {
      this.deps().count('duplicate', trigger.kind);
      return 'exists';
    }
    if (this.#alarmAt === null || this.#alarmAt < now()) await this.#arm(now() + alarmMs);
    const drained = this.#drain().catch((error: unknown) =>
      this.deps().log('inbox.failed', { error: String(error) }),
    );
    // GitHub has the time, and a task that is there when its delivery is answered is easier to follow. In a
    // rush it would only hold up the deliveries that are read from GitHub's log, one after the other.
    if (onGithub && this.#pending() === 1)
      await withDeadline(drained, taskLimits.inboxAnswerMs, 'starting').catch(() => undefined);
    return 'started';
  }

  /** What the authorization found out. `told`: the person was refused here before. Idempotent. */
  async settle(taskId: string, access: AskerAccess): Promise<{ readonly told: boolean }> {
    const now = this.deps().now();
    const [row] = this.#sql.exec<Row>('SELECT * FROM inbox WHERE task_id = ?', taskId).toArray();
    this.#askers.checked(taskId);
    const told =
      row?.person == null || row.place === null
        ? false
        : this.#askers.learn({ taskId, person: row.person, place: row.place }, access, now);
    this.#drain().catch((error: unknown) => this.deps().log('inbox.failed', { error: String(error) }));
    return { told };
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

  /** Starts what can be started. A call during a drain makes it look once more. */
  async #drain(): Promise<void> {
    this.#again = true;
    this.#drained ??= this.#drainAll().finally(() => {
      this.#drained = null;
    });
    await this.#drained;
  }

  async #drainAll(): Promise<void> {
    const { now } = this.deps();
    const rushUntil = now() + taskLimits.inboxRushMs;
    while (this.#again) {
      this.#again = false;
      for (;;) {
        await this.#debounce(rushUntil);
        const due = this.#due();
        if (due.length === 0) break;
        await Promise.all(due.map(async (row) => await this.#start(row)));
      }
    }
    this.#sql.exec('DELETE FROM inbox WHERE body IS NULL AND at < ?', now() - taskLimits.inboxMs);
    this.#askers.prune(now());
  }

  /** While requests keep coming no task is started, up to a bound, because answers come before work. */
  async #debounce(rushUntil: number): Promise<void> {
    const { now } = this.deps();
    await new Promise((resolve) => setTimeout(resolve, 0));
    while (this.#pending() > 1 && now() < rushUntil) {
      const quietMs = now() - this.#acceptedAt;
      if (quietMs >= taskLimits.inboxQuietMs) return;
      await new Promise((resolve) => setTimeout(resolve, taskLimits.inboxQuietMs - quietMs));
    }
  }

  /** The rows to start now, in order of arrival. Drops those that `admit-trigger.ts` drops. */
  #due(): Row[] {
    const now = this.deps().now();
    const due: Row[] = [];
    const places = new Set<number>();
    /** People whose task is being authorized: one look each, because a storm can come from one person. */
    const waiting = new Set<number>();
    let checks = this.#askers.checks(now);
    // While no further task can be authorized, only commands are read, not a storm of triggers.
    const which = checks < taskLimits.inboxChecks ? '' : `AND runs = 0 AND NOT EXISTS (${earlierInPlace})`;
    const rows = this.#sql
      .exec<Row>(
        `SELECT seq, task_id, person, place, runs, attempts, due_at FROM inbox
         WHERE body IS NOT NULL ${which} ORDER BY seq`,
      )
      .toArray();
    for (const row of rows) {
      if (due.length >= taskLimits.inboxAtOnce) break;
      if (row.person === null || row.place === null) {
        if (row.due_at <= now) due.push(row);
        continue;
      }
      // A command must find the task that was asked for before it.
      if (places.has(row.place)) continue;
      if (waiting.has(row.person) || (row.runs === 1 && checks >= taskLimits.inboxChecks)) {
        places.add(row.place);
        continue;
      }
      const asked = { taskId: row.task_id, person: row.person, place: row.place };
      const verdict = this.#askers.verdict(asked, now);
      if (verdict === 'drop') {
        this.#drop(row);
        continue;
      }
      places.add(row.place);
      if (verdict === 'wait') waiting.add(row.person);
      if (verdict === 'wait' || row.due_at > now) continue;
      checks += 1;
      this.#askers.starts(asked, now);
      due.push(row);
    }
    return due;
  }

  #drop({ seq, task_id: taskId }: Row): void {
    this.#sql.exec('UPDATE inbox SET body = NULL WHERE seq = ?', seq);
    // Only triggers on GitHub are judged.
    this.deps().count('dropped', 'github');
    this.deps().log('inbox.dropped', { taskId });
  }

  async #start({ seq, attempts }: Row): Promise<void> {
    const deps = this.deps();
    const { body } = this.#sql.exec<{ body: string }>('SELECT body FROM inbox WHERE seq = ?', seq).one();
    const request = taskRequestSchema.parse(JSON.parse(body));
    try {
      await withDeadline(deps.start(request), taskLimits.inboxStartMs, 'starting the task');
      this.#sql.exec('UPDATE inbox SET body = NULL WHERE seq = ?', seq);
    } catch (error) {
      deps.log('inbox.start_failed', {
        taskId: request.taskId,
        attempts: attempts + 1,
        error: String(error),
      });
      this.#sql.exec(
        'UPDATE inbox SET attempts = ?, due_at = ? WHERE seq = ?',
        attempts + 1,
        deps.now() + retryDelayMs(attempts),
        seq,
      );
    }
  }

  #pending(): number {
    return Number(this.#sql.exec('SELECT COUNT(*) AS many FROM inbox WHERE body IS NOT NULL').one()['many']);
  }

  #nextDueAt(): number | null {
    const { at } = this.#sql
      .exec<{ at: number | null }>('SELECT MIN(due_at) AS at FROM inbox WHERE body IS NOT NULL')
      .one();
    return at;
  }
}
