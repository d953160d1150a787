/** Stores the queue for slots in SQLite, a row a task, so that a change writes only what changed. */
import * as z from 'zod';
import type { SlotClaim, SlotQueue, WaitingClaim } from '../../core/admission.ts';

type Row = {
  task_id: string;
  repository: string;
  requester: string | null;
  passed: number;
  granted_at: number | null;
};

const turnsSchema = z.array(z.string());

export interface SlotStore {
  queue(): SlotQueue;
  /** Writes the difference. `now` becomes the time of new grants. */
  save(before: SlotQueue, next: SlotQueue, now: number): void;
  /** Tasks that hold a slot and are not notified of it. */
  unnotified(): string[];
  markNotified(taskId: string): void;
  /** The places that waiting tasks were last notified of. */
  notifiedPlaces(): ReadonlyMap<string, number>;
  markNotifiedPlace(taskId: string, place: number): void;
  /** Not checked since `heldBefore` (with a slot) or `waitingBefore`. Oldest check first. */
  unchecked(heldBefore: number, waitingBefore: number, limit: number): Checkable[];
  markChecked(taskId: string, now: number): void;
  /** That left before `leftBefore`, in random order, so that failing ones do not block others. */
  past(leftBefore: number, limit: number): string[];
  /** Tasks outside the queue that were accepted, or left it, since then; the newest first. */
  fresh(since: number, limit: number): string[];
  forget(taskId: string): void;
  /** Remembers a task that may never enter the queue. */
  add(taskId: string, now: number): void;
  isListed(taskId: string): boolean;
  /** Tasks with a slot, then those that wait for one, then all others, each newest first. */
  recent(limit: number): string[];
}

export interface Checkable {
  readonly taskId: string;
  readonly grantedAt: number | null;
}

export function openSlotStore(storage: DurableObjectStorage): SlotStore {
  const { sql } = storage;
  // `notified`: 1 once the task knows of its slot. `checked_at`: when it came, or when its record was last
  // checked.
  sql.exec(`
    CREATE TABLE IF NOT EXISTS slot (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL UNIQUE,
      repository TEXT NOT NULL, requester TEXT,
      passed INTEGER NOT NULL DEFAULT 0, granted_at INTEGER, notified INTEGER NOT NULL DEFAULT 0,
      notified_place INTEGER, checked_at INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS past (task_id TEXT PRIMARY KEY, left_at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS turns (id INTEGER PRIMARY KEY CHECK (id = 1), names TEXT NOT NULL);
  `);

  function readTurns(): string[] {
    const row = sql.exec<{ names: string }>('SELECT names FROM turns').toArray()[0];
    return row === undefined ? [] : turnsSchema.parse(JSON.parse(row.names));
  }

  function write(before: SlotQueue, next: SlotQueue, now: number): void {
    const stay = new Set([...next.held, ...next.waiting].map(({ taskId }) => taskId));
    const wereWaiting = new Map(before.waiting.map((claim) => [claim.taskId, claim]));
    const wereHeld = new Set(before.held.map(({ taskId }) => taskId));
    for (const { taskId } of [...before.held, ...before.waiting]) {
      if (stay.has(taskId)) continue;
      sql.exec('DELETE FROM slot WHERE task_id = ?', taskId);
      sql.exec('INSERT OR REPLACE INTO past (task_id, left_at) VALUES (?, ?)', taskId, now);
    }
    const insert = ({ taskId, repository, requester }: SlotClaim) =>
      void sql.exec(
        'INSERT INTO slot (task_id, repository, requester, checked_at) VALUES (?, ?, ?, ?)',
        taskId,
        repository,
        requester,
        now,
      );
    for (const claim of next.waiting) {
      const was = wereWaiting.get(claim.taskId);
      if (was === undefined) insert(claim);
      else if (was.passed !== claim.passed)
        sql.exec('UPDATE slot SET passed = ? WHERE task_id = ?', claim.passed, claim.taskId);
    }
    for (const claim of next.held) {
      if (wereHeld.has(claim.taskId)) continue;
      if (!wereWaiting.has(claim.taskId)) insert(claim);
      sql.exec('UPDATE slot SET granted_at = ?, checked_at = ? WHERE task_id = ?', now, now, claim.taskId);
    }
    if (next.turns.join('\n') !== before.turns.join('\n'))
      sql.exec('INSERT OR REPLACE INTO turns (id, names) VALUES (1, ?)', JSON.stringify(next.turns));
  }

  return {
    queue() {
      const rows = sql
        .exec<Row>('SELECT task_id, repository, requester, passed, granted_at FROM slot ORDER BY seq')
        .toArray();
      const claimOf = ({ task_id, repository, requester }: Row): SlotClaim => ({
        taskId: task_id,
        repository,
        requester,
      });
      const waiting = rows
        .filter(({ granted_at }) => granted_at === null)
        .map((row): WaitingClaim => ({ ...claimOf(row), passed: row.passed }));
      return {
        held: rows.filter(({ granted_at }) => granted_at !== null).map(claimOf),
        waiting,
        turns: readTurns(),
      };
    },
    save: (before, next, now) => {
      if (before !== next) storage.transactionSync(() => write(before, next, now));
    },
    unnotified: () =>
      sql
        .exec<{ task_id: string }>(
          'SELECT task_id FROM slot WHERE granted_at IS NOT NULL AND notified = 0 ORDER BY granted_at',
        )
        .toArray()
        .map(({ task_id }) => task_id),
    markNotified: (taskId) =>
      void sql.exec('UPDATE slot SET notified = 1 WHERE task_id = ? AND notified = 0', taskId),
    notifiedPlaces: () =>
      new Map(
        sql
          .exec<{ task_id: string; notified_place: number }>(
            'SELECT task_id, notified_place FROM slot WHERE granted_at IS NULL AND notified_place IS NOT NULL',
          )
          .toArray()
          .map(({ task_id, notified_place }) => [task_id, notified_place]),
      ),
    markNotifiedPlace: (taskId, place) =>
      void sql.exec('UPDATE slot SET notified_place = ? WHERE task_id = ?', place, taskId),
    unchecked: (heldBefore, waitingBefore, limit) =>
      sql
        .exec<{ task_id: string; granted_at: number | null }>(
          `SELECT task_id, granted_at FROM slot
           WHERE checked_at <= CASE WHEN granted_at IS NULL THEN ? ELSE ? END
           ORDER BY granted_at IS NULL, checked_at LIMIT ?`,
          waitingBefore,
          heldBefore,
          limit,
        )
        .toArray()
        .map(({ task_id, granted_at }) => ({ taskId: task_id, grantedAt: granted_at })),
    fresh: (since, limit) =>
      sql
        .exec<{ task_id: string }>(
          `SELECT task_id FROM past WHERE left_at > ? AND task_id NOT IN (SELECT task_id FROM slot)
           ORDER BY left_at DESC LIMIT ?`,
          since,
          limit,
        )
        .toArray()
        .map(({ task_id }) => task_id),
    past: (leftBefore, limit) =>
      sql
        .exec<{ task_id: string }>(
          'SELECT task_id FROM past WHERE left_at < ? ORDER BY RANDOM() LIMIT ?',
          leftBefore,
          limit,
        )
        .toArray()
        .map(({ task_id }) => task_id),
    recent: (limit) =>
      sql
        .exec<{ task_id: string }>(
          `SELECT task_id FROM (
             SELECT task_id, 1 + (granted_at IS NOT NULL) AS present, seq AS at FROM slot
             UNION ALL SELECT task_id, 0, left_at FROM past WHERE task_id NOT IN (SELECT task_id FROM slot)
           ) ORDER BY present DESC, at DESC LIMIT ?`,
          limit,
        )
        .toArray()
        .map(({ task_id }) => task_id),
    isListed: (taskId) =>
      sql
        .exec('SELECT 1 FROM slot WHERE task_id = ?1 UNION SELECT 1 FROM past WHERE task_id = ?1', taskId)
        .toArray().length > 0,
    add: (taskId, now) =>
      void sql.exec('INSERT OR IGNORE INTO past (task_id, left_at) VALUES (?, ?)', taskId, now),
    forget: (taskId) => void sql.exec('DELETE FROM past WHERE task_id = ?', taskId),
    markChecked: (taskId, now) =>
      void sql.exec('UPDATE slot SET checked_at = ? WHERE task_id = ?', now, taskId),
  };
}
