/** A Durable Object's storage, as far as the objects of tasks use it. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

export class MemoryStorage {
  /** When the alarm is due, in milliseconds since the epoch; null: none is armed. */
  alarm: number | null = null;
  readonly #db = new DatabaseSync(':memory:');

  readonly sql = {
    exec: (query: string, ...values: SQLInputValue[]) => {
      if (/^\s*create/i.test(query)) {
        this.#db.exec(query);
        return { toArray: () => [] };
      }
      const rows = this.#db.prepare(query).all(...values);
      return { toArray: () => rows, one: () => rows[0] };
    },
  };

  transactionSync(work: () => void): void {
    work();
  }
  getAlarm = async (): Promise<number | null> => await Promise.resolve(this.alarm);
  setAlarm = async (at: number): Promise<void> => {
    this.alarm = at;
    await Promise.resolve();
  };
  deleteAll = async (): Promise<void> => {
    for (const table of ['document', 'event', 'kept', 'token'])
      this.#db.exec(`DROP TABLE IF EXISTS ${table}`);
    this.alarm = null;
    await Promise.resolve();
  };
}
