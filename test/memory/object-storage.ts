/** The storage of a Durable Object in memory, as far as the objects of the queue use it. */
import { DatabaseSync } from 'node:sqlite';

export class ObjectStorage {
  readonly #database = new DatabaseSync(':memory:');
  /** Milliseconds since the epoch; null: none is set. */
  alarmAt: number | null = null;

  readonly sql = {
    exec: (statements: string, ...values: (string | number | null)[]) => {
      if (values.length === 0 && /;\s*\S/.test(statements)) {
        this.#database.exec(statements);
        return { toArray: () => [] };
      }
      const rows = this.#database.prepare(statements).all(...values);
      return { toArray: () => rows };
    },
  };

  async setAlarm(at: number): Promise<void> {
    this.alarmAt = at;
    await Promise.resolve();
  }
}
