/**
 * Indexes tasks by channel, person and repository, an object each, and a repository's latest turns by the
 * places of their conversations. Holds ids, no instructions.
 */
import { DurableObject } from 'cloudflare:workers';
import type { AskedAt, IndexedTask } from '../../core/chat.ts';
import type { Conversations, IssueTasks, TaskIndex } from '../../core/ports/chat-port.ts';

/**
 * Tasks kept for one channel or person in Slack. Older rows are deleted; their records stay. A repository on
 * GitHub has no such bound, because strangers could push others out: a task leaves it at its end.
 */
const maxTasks = 1000;
const maxRecent = 50;

const dayMs = 24 * 60 * 60_000;
/** Half a day for a choice, a day in the queue, the work. Retention counts from its end. */
const longestTaskMs = 3 * dayMs;

type Row = {
  task_id: string;
  short_id: string;
  user_id: string;
  channel_id: string;
  thread_ts: string | null;
  message_ts: string | null;
  posted_ts: string | null;
  at: number;
};

export abstract class TaskIndexBase<Env> extends DurableObject<Env> {
  /** How long an ended task is kept. */
  protected abstract retentionMs(): number;
  readonly #sql = this.ctx.storage.sql;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS task (
        task_id TEXT PRIMARY KEY, short_id TEXT NOT NULL, user_id TEXT NOT NULL, channel_id TEXT NOT NULL,
        thread_ts TEXT, message_ts TEXT, posted_ts TEXT, at INTEGER NOT NULL
      );
      CREATE TABLE IF NOT EXISTS turn (place TEXT PRIMARY KEY, task_id TEXT NOT NULL, at INTEGER NOT NULL);
      CREATE INDEX IF NOT EXISTS task_by_thread ON task (channel_id, thread_ts, at);
      CREATE INDEX IF NOT EXISTS task_by_message ON task (channel_id, message_ts);
      CREATE INDEX IF NOT EXISTS task_by_post ON task (channel_id, posted_ts);
      CREATE INDEX IF NOT EXISTS task_by_time ON task (at);
    `);
  }

  /** Never forgets a message that is known: a second attempt of the first step knows less than the record. */
  async put(task: IndexedTask): Promise<void> {
    this.#sql.exec(
      `INSERT INTO task (task_id, short_id, user_id, channel_id, thread_ts, message_ts, posted_ts, at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (task_id) DO UPDATE SET
         channel_id = CASE WHEN excluded.posted_ts IS NULL THEN channel_id ELSE excluded.channel_id END,
         thread_ts = COALESCE(excluded.thread_ts, thread_ts),
         posted_ts = COALESCE(excluded.posted_ts, posted_ts)`,
      task.taskId,
      task.shortId,
      task.userId,
      task.channelId,
      task.threadTs,
      task.messageTs,
      task.postedTs,
      task.at,
    );
    this.#sql.exec(
      `DELETE FROM task WHERE user_id <> '' AND task_id IN
         (SELECT task_id FROM task ORDER BY at DESC LIMIT -1 OFFSET ?)`,
      maxTasks,
    );
    await this.#armAlarm();
  }

  async #armAlarm(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + dayMs);
  }

  async putTurn({ taskId, at, places: { places, shared }, continued }: Turn): Promise<void> {
    const all = new Set(places);
    if (continued !== null)
      for (const { place } of this.#sql.exec<{ place: string }>(
        'SELECT place FROM turn WHERE task_id = ?',
        continued,
      ))
        all.add(place);
    for (const place of all)
      if (shared || !place.startsWith('#'))
        this.#sql.exec(
          `INSERT INTO turn (place, task_id, at) VALUES (?, ?, ?)
           ON CONFLICT (place) DO UPDATE SET task_id = excluded.task_id, at = excluded.at
           WHERE excluded.at >= at`,
          place,
          taskId,
          at,
        );
    await this.#armAlarm();
  }

  latestTurn(places: readonly string[]): string | null {
    const found = this.#sql
      .exec<{ task_id: string }>(
        `SELECT task_id FROM turn WHERE place IN (SELECT value FROM json_each(?))
         ORDER BY at DESC, task_id DESC LIMIT 1`,
        JSON.stringify(places),
      )
      .toArray();
    return found[0]?.task_id ?? null;
  }

  remove(taskId: string): void {
    this.#sql.exec('DELETE FROM task WHERE task_id = ?', taskId);
  }

  override async alarm(): Promise<void> {
    const before = Date.now() - this.retentionMs() - longestTaskMs;
    this.#sql.exec('DELETE FROM task WHERE at < ?', before);
    this.#sql.exec('DELETE FROM turn WHERE at < ?', before);
    const turns = this.#sql.exec('SELECT 1 FROM turn LIMIT 1').toArray();
    if (this.recent(1).length > 0 || turns.length > 0) await this.ctx.storage.setAlarm(Date.now() + dayMs);
  }

  inThread(channelId: string, threadTs: string, before: AskedAt | null): IndexedTask | null {
    return this.#first(
      `WHERE channel_id = ?1 AND thread_ts = ?2 AND (?3 IS NULL OR at < ?3 OR (at = ?3 AND task_id < ?4))
       ORDER BY at DESC, task_id DESC LIMIT 1`,
      channelId,
      threadTs,
      before?.at ?? null,
      before?.taskId ?? null,
    );
  }

  byMessage(channelId: string, ts: string): IndexedTask | null {
    return this.#first(
      'WHERE channel_id = ?1 AND (message_ts = ?2 OR posted_ts = ?2) ORDER BY at DESC, rowid DESC LIMIT 1',
      channelId,
      ts,
    );
  }

  /** Newest first. */
  allInThread(channelId: string, threadTs: string, limit: number): IndexedTask[] {
    return this.#all(
      'WHERE channel_id = ? AND thread_ts = ? ORDER BY at DESC, rowid DESC LIMIT ?',
      channelId,
      threadTs,
      Math.min(limit, maxRecent),
    );
  }

  recent(limit: number): IndexedTask[] {
    return this.#all('ORDER BY at DESC, rowid DESC LIMIT ?', Math.min(limit, maxRecent));
  }

  #first(where: string, ...values: readonly (string | number | null)[]): IndexedTask | null {
    return this.#all(where, ...values)[0] ?? null;
  }

  #all(where: string, ...values: readonly (string | number | null)[]): IndexedTask[] {
    return this.#sql
      .exec<Row>(`SELECT * FROM task ${where}`, ...values)
      .toArray()
      .map((row) => ({
        taskId: row.task_id,
        shortId: row.short_id,
        userId: row.user_id,
        channelId: row.channel_id,
        threadTs: row.thread_ts,
        messageTs: row.message_ts,
        postedTs: row.posted_ts,
        at: row.at,
      }));
  }
}

type Turn = Omit<Parameters<Conversations['putTurn']>[0], 'repositoryId'>;

/** The methods of an index object. Each call is one round trip. */
interface IndexObject {
  putTurn(turn: Turn): Promise<void> | void;
  latestTurn(places: readonly string[]): Promise<string | null>;
  put(task: IndexedTask): Promise<void> | void;
  remove(taskId: string): Promise<void> | void;
  inThread(channelId: string, threadTs: string, before: AskedAt | null): Promise<IndexedTask | null>;
  byMessage(channelId: string, ts: string): Promise<IndexedTask | null>;
  allInThread(channelId: string, threadTs: string, limit: number): Promise<readonly IndexedTask[]>;
  recent(limit: number): Promise<readonly IndexedTask[]>;
}

/** The bound that the port documents for `onIssue`. */
const maxOnIssue = 20;

/** The workspace is part of the name, because Slack's ids are unique only within one. */
export function createTaskIndex(
  team: string,
  objectFor: (name: string) => IndexObject,
): TaskIndex & IssueTasks & Conversations {
  const ofChannel = (channelId: string) => objectFor(`slack:${team}:channel:${channelId}`);
  const ofUser = (userId: string) => objectFor(`slack:${team}:user:${userId}`);
  const ofRepository = (repositoryId: number) => objectFor(`github:${repositoryId}`);
  return {
    put: async (task) => {
      await Promise.all([ofChannel(task.channelId).put(task), ofUser(task.userId).put(task)]);
    },
    inThread: async (channelId, threadTs, before) =>
      await ofChannel(channelId).inThread(channelId, threadTs, before ?? null),
    putOnIssue: async ({ taskId, shortId, repositoryId, issueNumber, at }) =>
      await ofRepository(repositoryId).put({
        taskId,
        shortId,
        userId: '',
        channelId: String(repositoryId),
        threadTs: String(issueNumber),
        messageTs: null,
        postedTs: null,
        at,
      }),
    putTurn: async ({ repositoryId, ...turn }) => await ofRepository(repositoryId).putTurn(turn),
    latestTurn: async (repositoryId, places) => await ofRepository(repositoryId).latestTurn(places),
    removeFromIssue: async ({ taskId, repositoryId }) => await ofRepository(repositoryId).remove(taskId),
    onIssue: async (repositoryId, issueNumber) => {
      const found = await ofRepository(repositoryId).allInThread(
        String(repositoryId),
        String(issueNumber),
        maxOnIssue,
      );
      return found.map(({ taskId }) => taskId);
    },
    byMessage: async (channelId, ts) => await ofChannel(channelId).byMessage(channelId, ts),
    recent: async (of, limit) =>
      await ('channelId' in of ? ofChannel(of.channelId) : ofUser(of.userId)).recent(limit),
  };
}
