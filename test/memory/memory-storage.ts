/**
 * A Durable Object's storage, as far as the objects of tasks use it. Like the platform it commits together
 * what is written without an `await` in between, and a crash undoes what is not committed.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

export class MemoryStorage {
  /** Set once the process of this storage's owner has crashed. */
  isDead = false;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #alarm: number | null;
  #committedAlarm: number | null;
  #isWriting = false;
  /** Whether it broke as planned. */
  hasBroken = false;
  #breaks: { readonly how: 'crash' | 'full'; writesLeft: number } | null = null;

  constructor(db = new DatabaseSync(':memory:'), alarm: number | null = null) {
    this.#db = db;
    this.#alarm = alarm;
    this.#committedAlarm = alarm;
  }

  /** When the alarm is due, in milliseconds since the epoch; null: none is armed. */
  get alarm(): number | null {
    return this.#alarm;
  }

  set alarm(at: number | null) {
    this.#write();
    this.#alarm = at;
  }

  /** After `writes` further writes the process crashes, or one write finds the disk full. */
  breakAfter(writes: number, how: 'crash' | 'full'): void {
    this.#breaks = { how, writesLeft: writes };
  }

  /** The platform runs the alarm. */
  takeAlarm(): void {
    this.#alarm = null;
    this.#committedAlarm = null;
  }

  /** The platform repeats an alarm that failed, unless a later one was set. */
  repeatAlarm(at: number): void {
    this.#alarm ??= at;
  }

  /** What the next process finds. */
  afterCrash(): MemoryStorage {
    this.#crash();
    return new MemoryStorage(this.#db, this.#committedAlarm);
  }

  readonly sql = {
    exec: (query: string, ...values: SQLInputValue[]) => {
      this.#assertAlive();
      if (/^\s*create/i.test(query)) {
        this.#db.exec(query);
        return { toArray: () => [] };
      }
      if (!/^\s*select/i.test(query)) this.#write();
      const statement = this.#statements.get(query) ?? this.#db.prepare(query);
      this.#statements.set(query, statement);
      const rows = statement.all(...values);
      return { toArray: () => rows, one: () => rows[0] };
    },
  };

  transactionSync(work: () => void): void {
    this.#write();
    this.#db.exec('SAVEPOINT work');
    try {
      work();
      if (!this.isDead) this.#db.exec('RELEASE work');
    } catch (error) {
      if (!this.isDead) this.#db.exec('ROLLBACK TO work; RELEASE work');
      throw error;
    }
  }
  getAlarm = async (): Promise<number | null> => await Promise.resolve(this.alarm);
  setAlarm = async (at: number): Promise<void> => {
    this.alarm = at;
    await Promise.resolve();
  };
  deleteAll = async (): Promise<void> => {
    this.#commit();
    this.#statements.clear();
    for (const table of ['document', 'command', 'event', 'kept', 'token'])
      this.#db.exec(`DROP TABLE IF EXISTS ${table}`);
    this.alarm = null;
    await Promise.resolve();
  };

  #write(): void {
    this.#assertAlive();
    if (this.#breaks !== null && this.#breaks.writesLeft-- === 0) {
      const { how } = this.#breaks;
      this.#breaks = null;
      this.hasBroken = true;
      if (how === 'full') throw new Error('database or disk is full');
      this.#crash();
      this.#assertAlive();
    }
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#db.exec('BEGIN');
    queueMicrotask(() => this.#commit());
  }

  #commit(): void {
    if (!this.#isWriting) return;
    this.#isWriting = false;
    this.#db.exec('COMMIT');
    this.#committedAlarm = this.#alarm;
  }

  #crash(): void {
    this.isDead = true;
    if (!this.#isWriting) return;
    this.#isWriting = false;
    this.#db.exec('ROLLBACK');
  }

  #assertAlive(): void {
    if (this.isDead) throw new Error('the process has crashed');
  }
}
