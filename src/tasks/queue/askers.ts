/**
 * What an inbox remembers of those who asked: access, refusals, tasks being authorized. `admit-trigger.ts`
 * decides with it. Bounded: old rows are deleted, and the oldest of too many.
 */
import { taskLimits } from '../limits.ts';
import type { AskerAccess } from '../start-task.ts';
import { admitTrigger, askerLimits } from './admit-trigger.ts';

interface Where {
  readonly taskId: string;
  readonly person: number;
  /** The number of the issue or pull request. */
  readonly place: number;
}

export interface Askers {
  verdict(where: Where, now: number): ReturnType<typeof admitTrigger>;
  /** How many tasks are being authorized. */
  checks(now: number): number;
  /** A task is about to be started, and authorized after that. */
  starts(task: Where, now: number): void;
  /** The task's authorization has ended. */
  checked(taskId: string): void;
  /** Returns whether the person was refused in this place by an earlier task. */
  learn(task: Where, access: AskerAccess, now: number): boolean;
  prune(now: number): void;
}

export function openAskers(sql: SqlStorage): Askers {
  sql.exec(`
    CREATE TABLE IF NOT EXISTS asker (
      person INTEGER PRIMARY KEY, may_ask INTEGER NOT NULL, at INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS told (
      person INTEGER, place INTEGER, task_id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (person, place)
    );
    CREATE TABLE IF NOT EXISTS started (
      task_id TEXT PRIMARY KEY, person INTEGER NOT NULL, is_stranger INTEGER NOT NULL, at INTEGER NOT NULL,
      checking INTEGER NOT NULL DEFAULT 1
    );
    CREATE INDEX IF NOT EXISTS started_by_time ON started (at);
  `);
  const count = (where: string, ...values: readonly (string | number)[]): number =>
    Number(sql.exec(`SELECT COUNT(*) AS many FROM started WHERE ${where}`, ...values).one()['many']);
  const known = (person: number) => {
    const [row] = sql
      .exec<{ may_ask: number; at: number }>('SELECT may_ask, at FROM asker WHERE person = ?', person)
      .toArray();
    return row === undefined ? null : { mayAsk: row.may_ask === 1, at: row.at };
  };
  const isTold = ({ person, place, taskId }: Where) =>
    sql
      .exec('SELECT 1 FROM told WHERE person = ? AND place = ? AND task_id <> ?', person, place, taskId)
      .toArray().length > 0;
  const stillChecked = (now: number) => now - taskLimits.inboxCheckMs;

  return {
    verdict(where, now) {
      const { person, taskId } = where;
      const since = now - askerLimits.rateMs;
      // Without the task itself, whose start can have been interrupted.
      const others = (which: string, ...values: readonly number[]) =>
        count(`task_id <> ? AND ${which} AND at > ?`, taskId, ...values);
      return admitTrigger(
        {
          known: known(person),
          isChecked: others('person = ? AND checking = 1', person, stillChecked(now)) > 0,
          toldHere: isTold(where),
          started: others('person = ?', person, since),
          startedByStrangers: others('is_stranger = 1', since),
        },
        now,
      );
    },
    checks: (now) => count('checking = 1 AND at > ?', stillChecked(now)),
    starts({ taskId, person }, now) {
      const isStranger = known(person)?.mayAsk === true ? 0 : 1;
      sql.exec(
        'INSERT OR IGNORE INTO started (task_id, person, is_stranger, at) VALUES (?, ?, ?, ?)',
        taskId,
        person,
        isStranger,
        now,
      );
    },
    checked: (taskId) => void sql.exec('UPDATE started SET checking = 0 WHERE task_id = ?', taskId),
    learn(task, access, now) {
      if (access === 'unknown') return false;
      const { person, place, taskId } = task;
      const mayAsk = access === 'granted' ? 1 : 0;
      sql.exec('INSERT OR REPLACE INTO asker (person, may_ask, at) VALUES (?, ?, ?)', person, mayAsk, now);
      if (access === 'granted') {
        sql.exec('DELETE FROM told WHERE person = ?', person);
        sql.exec('UPDATE started SET is_stranger = 0 WHERE person = ?', person);
        return false;
      }
      const told = isTold(task);
      sql.exec(
        'INSERT OR IGNORE INTO told (person, place, task_id, at) VALUES (?, ?, ?, ?)',
        person,
        place,
        taskId,
        now,
      );
      return told;
    },
    prune(now) {
      sql.exec('DELETE FROM started WHERE at < ?', now - askerLimits.rateMs);
      for (const table of ['asker', 'told']) {
        sql.exec(`DELETE FROM ${table} WHERE at < ?`, now - taskLimits.askerMs);
        sql.exec(
          `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} ORDER BY at DESC LIMIT -1 OFFSET ?)`,
          taskLimits.askers,
        );
      }
    },
  };
}
