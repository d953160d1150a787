/**
 * Keeps a task's record in its Durable Object's SQLite: one JSON document for the state, one each for progress and
 * receipt, the log by sequence number, kept files in parts. Knows nothing of what they mean.
 *
 * Nothing here ever holds a credential.
 */
import { emptyReceipt, type Receipt } from '../../core/grant.ts';
import type { Progress } from '../../core/progress.ts';
import type { TaskEvent, TaskEventBody } from '../../core/task-view.ts';
import { taskLimits } from '../limits.ts';
import { fromStoredJson, toStoredJson, type StoredJson } from '../stored-json.ts';
import { restoreState, type TaskState } from './task-state.ts';

/** A row of SQLite in a Durable Object holds at most 2 MB. */
const partBytes = 1024 * 1024;

/** One row each. */
interface Documents {
  readonly state: TaskState;
  readonly progress: Progress;
  readonly receipt: Receipt;
  /** All that is left of an expired task. */
  readonly tombstone: { readonly expiredAt: number };
}

export interface RecordStore {
  state(): TaskState | null;
  save(state: TaskState): void;
  progress(): Progress | null;
  saveProgress(progress: Progress): void;
  receipt(): Receipt;
  saveReceipt(receipt: Receipt): void;
  /** null once the log is full. */
  append(body: TaskEventBody, at: number): TaskEvent | null;
  eventsAfter(seq: number): TaskEvent[];
  keep(name: string, content: string): void;
  kept(name: string): string | null;
  transaction(work: () => void): void;
  /** Deletes everything, and remembers that alone. */
  expire(now: number): Promise<void>;
  /** null as long as it has not. */
  expiredAt(): number | null;
}

export function openRecordStore(storage: DurableObjectStorage): RecordStore {
  const { sql } = storage;
  const createTables = () =>
    void sql.exec(`
      CREATE TABLE IF NOT EXISTS document (name TEXT PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS kept (name TEXT, part INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (name, part));
    `);
  createTables();
  let lastSeq = Number(sql.exec('SELECT COALESCE(MAX(seq), 0) AS seq FROM event').one()['seq']);

  const read = <Name extends keyof Documents>(name: Name): Documents[Name] | null => {
    const row = sql
      .exec<{ body: StoredJson<Documents[Name]> }>('SELECT body FROM document WHERE name = ?', name)
      .toArray()[0];
    return row === undefined ? null : fromStoredJson(row.body);
  };
  const write = <Name extends keyof Documents>(name: Name, value: Documents[Name]) =>
    void sql.exec('INSERT OR REPLACE INTO document (name, body) VALUES (?, ?)', name, toStoredJson(value));

  return {
    state: () => {
      const stored = read('state');
      return stored === null ? null : restoreState(stored);
    },
    save: (state) => write('state', state),
    progress: () => read('progress'),
    saveProgress: (progress) => write('progress', progress),
    receipt: () => read('receipt') ?? emptyReceipt,
    saveReceipt: (receipt) => write('receipt', receipt),
    append(body, at) {
      // The end is always written: a full log must not hide how the task ended.
      if (lastSeq >= taskLimits.events && body.kind !== 'ended') return null;
      lastSeq += 1;
      sql.exec('INSERT INTO event (seq, at, body) VALUES (?, ?, ?)', lastSeq, at, toStoredJson(body));
      return { seq: lastSeq, at, body };
    },
    eventsAfter: (seq) =>
      sql
        .exec<{ seq: number; at: number; body: StoredJson<TaskEventBody> }>(
          'SELECT seq, at, body FROM event WHERE seq > ? ORDER BY seq',
          seq,
        )
        .toArray()
        .map((row) => ({ seq: row.seq, at: row.at, body: fromStoredJson(row.body) })),
    keep(name, content) {
      const bytes = new TextEncoder().encode(content);
      storage.transactionSync(() => {
        sql.exec('DELETE FROM kept WHERE name = ?', name);
        // One part at least: an empty file is kept as well.
        for (let part = 0; part === 0 || part * partBytes < bytes.byteLength; part += 1)
          sql.exec(
            'INSERT INTO kept (name, part, bytes) VALUES (?, ?, ?)',
            name,
            part,
            bytes.slice(part * partBytes, (part + 1) * partBytes),
          );
      });
    },
    kept(name) {
      const rows = sql
        .exec<{ bytes: ArrayBuffer }>('SELECT bytes FROM kept WHERE name = ? ORDER BY part', name)
        .toArray();
      if (rows.length === 0) return null;
      // As it was: a byte order mark would be swallowed otherwise.
      const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
      return rows.map((row) => decoder.decode(row.bytes, { stream: true })).join('') + decoder.decode();
    },
    transaction: (work) => storage.transactionSync(work),
    async expire(now) {
      // Frees the pages as well, which deleting rows does not.
      await storage.deleteAll();
      createTables();
      lastSeq = 0;
      write('tombstone', { expiredAt: now });
    },
    expiredAt: () => read('tombstone')?.expiredAt ?? null,
  };
}
