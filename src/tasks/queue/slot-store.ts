/**
 * Keeps the queue for slots in the SQLite of its Durable Object: a row for each task, so that a change writes what changed and
 * not all of it. What the queue means is `core/admission.ts`'s.
 */
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
  /** Writes the difference. `now`: when the ones that hold a slot in `next` for the first time got it. */
  save(before: SlotQueue, next: SlotQueue, now: number): void;
  /** Who holds a slot and has not heard of it. */
  untold(): string[];
  heard(taskId: string): void;
  /** The place that a task was last told; null before the first time. */
  toldPlaces(): ReadonlyMap<string, number>;
  tellPlace(taskId: string, place: number): void;
  /** Whose record was not asked since: `heldBefore` for those that hold a slot, `waitingBefore` for the others. Longest ago first. */
  unchecked(heldBefore: number, waitingBefore: number, limit: number): Checkable[];
  checked(taskId: string, now: number): void;
  /** Who left the queue before that, and was not forgotten; any of them, so that some that cannot be forgotten hold up none. */
  past(leftBefore: number, limit: number): string[];
  forget(taskId: string): void;
}

export interface Checkable {
  readonly taskId: string;
  readonly grantedAt: number | null;
}

export function openSlotStore(storage: DurableObjectStorage): SlotStore {
  const { sql } = storage;
  // `heard`: 1 once the task knows of its slot. `checked_at`: when it came, or its record was last asked.
  sql.exec(`
    CREATE TABLE IF NOT EXISTS slot (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL UNIQUE, repository TEXT NOT NULL, requester TEXT,
      passed INTEGER NOT NULL DEFAULT 0, granted_at INTEGER, heard INTEGER NOT NULL DEFAULT 0,
      told_place INTEGER, checked_at INTEGER NOT NULL
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
    untold: () =>
      sql
        .exec<{ task_id: string }>(
          'SELECT task_id FROM slot WHERE granted_at IS NOT NULL AND heard = 0 ORDER BY granted_at',
        )
        .toArray()
        .map(({ task_id }) => task_id),
    heard: (taskId) => void sql.exec('UPDATE slot SET heard = 1 WHERE task_id = ? AND heard = 0', taskId),
    toldPlaces: () =>
      new Map(
        sql
          .exec<{ task_id: string; told_place: number }>(
            'SELECT task_id, told_place FROM slot WHERE granted_at IS NULL AND told_place IS NOT NULL',
          )
          .toArray()
          .map(({ task_id, told_place }) => [task_id, told_place]),
      ),
    tellPlace: (taskId, place) =>
      void sql.exec('UPDATE slot SET told_place = ? WHERE task_id = ?', place, taskId),
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
    past: (leftBefore, limit) =>
      sql
        .exec<{ task_id: string }>(
          'SELECT task_id FROM past WHERE left_at < ? ORDER BY RANDOM() LIMIT ?',
          leftBefore,
          limit,
        )
        .toArray()
        .map(({ task_id }) => task_id),
    forget: (taskId) => void sql.exec('DELETE FROM past WHERE task_id = ?', taskId),
    checked: (taskId, now) => void sql.exec('UPDATE slot SET checked_at = ? WHERE task_id = ?', now, taskId),
  };
}
