/** Stores a record in SQLite. Holds no credential but installation tokens, sealed, until revoked. */
import { emptyReceipt, type Receipt } from '../../core/grant.ts';
import type { Progress } from '../../core/progress.ts';
import type { TaskEvent, TaskEventBody } from '../../core/task-view.ts';
import { taskLimits } from '../limits.ts';
import { fromStoredJson, toStoredJson, type StoredJson } from '../stored-json.ts';
import type { RecordState } from './record-state.ts';

/** A row of SQLite in a Durable Object holds at most 2 MB. */
const partBytes = 1024 * 1024;

/** One row each. */
interface Documents {
  readonly state: RecordState;
  readonly progress: Progress;
  readonly receipt: Receipt;
  /** What remains of an expired task. */
  readonly tombstone: { readonly expiredAt: number };
}

export interface RecordStore {
  state(): RecordState | null;
  save(state: RecordState): void;
  progress(): Progress | null;
  saveProgress(progress: Progress): void;
  receipt(): Receipt;
  saveReceipt(receipt: Receipt): void;
  /** Appends a line to the log; null when the log is full. */
  append(body: TaskEventBody, at: number): TaskEvent | null;
  eventsAfter(seq: number): TaskEvent[];
  keep(name: string, content: string): void;
  kept(name: string): string | null;
  /** Sealed installation tokens that can still be live. */
  tokens(now: number): readonly string[];
  saveToken(sealed: string, expiresAt: number): void;
  deleteToken(sealed: string): void;
  transaction(work: () => void): void;
  /** Deletes everything but a tombstone. */
  expire(now: number): Promise<void>;
  /** When the task expired; null before. */
  expiredAt(): number | null;
}

export function openRecordStore(storage: DurableObjectStorage): RecordStore {
  const { sql } = storage;
  const createTables = () =>
    void sql.exec(`
      CREATE TABLE IF NOT EXISTS document (name TEXT PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS kept (
        name TEXT, part INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (name, part)
      );
      CREATE TABLE IF NOT EXISTS token (sealed TEXT PRIMARY KEY, expires_at INTEGER NOT NULL);
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
    state: () => read('state'),
    save: (state) => write('state', state),
    progress: () => read('progress'),
    saveProgress: (progress) => write('progress', progress),
    receipt: () => read('receipt') ?? emptyReceipt,
    saveReceipt: (receipt) => write('receipt', receipt),
    append(body, at) {
      // The end is always written, so that a full log does not hide how the task ended.
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
        // At least one part, so that an empty file is kept too.
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
      // Without `ignoreBOM` a byte order mark at the start would be lost.
      const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
      return rows.map((row) => decoder.decode(row.bytes, { stream: true })).join('') + decoder.decode();
    },
    tokens(now) {
      sql.exec('DELETE FROM token WHERE expires_at <= ?', now);
      return sql
        .exec<{ sealed: string }>('SELECT sealed FROM token')
        .toArray()
        .map(({ sealed }) => sealed);
    },
    saveToken: (sealed, expiresAt) =>
      void sql.exec('INSERT OR REPLACE INTO token (sealed, expires_at) VALUES (?, ?)', sealed, expiresAt),
    deleteToken: (sealed) => void sql.exec('DELETE FROM token WHERE sealed = ?', sealed),
    transaction: (work) => storage.transactionSync(work),
    async expire(now) {
      // Unlike deleting rows, this frees the pages too.
      await storage.deleteAll();
      createTables();
      lastSeq = 0;
      write('tombstone', { expiredAt: now });
    },
    expiredAt: () => read('tombstone')?.expiredAt ?? null,
  };
}
