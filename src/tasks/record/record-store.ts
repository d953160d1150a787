/** Stores a record in SQLite. Holds no credential but installation tokens, sealed, until revoked. */
import { emptyReceipt, type Receipt } from '../../core/grant.ts';
import type { CommandRun, Progress } from '../../core/progress.ts';
import type { TaskEvent, TaskEventBody } from '../../core/task-view.ts';
import { taskLimits } from '../limits.ts';
import { fromStoredJson, toStoredJson, type StoredJson } from '../stored-json.ts';
import type { RecordState } from './record-state.ts';

/** A row of SQLite in a Durable Object holds at most 2 MB. */
const partBytes = 1024 * 1024;

const fullLog: TaskEventBody = {
  kind: 'note',
  text: 'The log is full: further lines are left out, except the end.',
};

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
  /** Writes only the commands that are new or changed. */
  saveProgress(progress: Progress): void;
  receipt(): Receipt;
  saveReceipt(receipt: Receipt): void;
  /** Appends a line to the log. When the log is full it says so once; then only the end is appended. */
  append(body: TaskEventBody, at: number): void;
  hasLine(body: TaskEventBody): boolean;
  eventsAfter(seq: number, atMost: number): readonly TaskEvent[];
  /** In order. */
  newestEvents(atMost: number, before?: number): readonly TaskEvent[];
  keep(name: string, content: string): void;
  kept(name: string): string | null;
  /** Sealed installation tokens that can still be live. */
  tokens(now: number): readonly string[];
  saveToken(sealed: string, expiresAt: number): void;
  deleteToken(sealed: string): void;
  /** All of `work` is stored, or nothing if it throws. */
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
      CREATE TABLE IF NOT EXISTS command (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS kept (
        name TEXT, part INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (name, part)
      );
      CREATE TABLE IF NOT EXISTS token (sealed TEXT PRIMARY KEY, expires_at INTEGER NOT NULL);
    `);
  createTables();
  const readLastSeq = () => Number(sql.exec('SELECT COALESCE(MAX(seq), 0) AS seq FROM event').one()['seq']);
  let lastSeq = readLastSeq();
  /** As stored; undefined if that is not known. */
  let progress: Progress | null | undefined;

  const read = <Name extends keyof Documents>(name: Name): Documents[Name] | null => {
    const row = sql
      .exec<{ body: StoredJson<Documents[Name]> }>('SELECT body FROM document WHERE name = ?', name)
      .toArray()[0];
    return row === undefined ? null : fromStoredJson(row.body);
  };
  const write = <Name extends keyof Documents>(name: Name, value: Documents[Name]) =>
    void sql.exec('INSERT OR REPLACE INTO document (name, body) VALUES (?, ?)', name, toStoredJson(value));

  const readProgress = (): Progress | null => {
    const stored = read('progress');
    if (stored === null) return null;
    const rows = sql.exec<{ body: StoredJson<CommandRun> }>('SELECT body FROM command ORDER BY number');
    return { ...stored, commands: rows.toArray().map(({ body }) => fromStoredJson(body)) };
  };

  const events = (where: string, ...values: number[]): readonly TaskEvent[] =>
    sql
      .exec<{ seq: number; at: number; body: StoredJson<TaskEventBody> }>(
        `SELECT seq, at, body FROM event ${where}`,
        ...values,
      )
      .toArray()
      .map((row) => ({ seq: row.seq, at: row.at, body: fromStoredJson(row.body) }));

  return {
    state: () => read('state'),
    save: (state) => write('state', state),
    progress: () => (progress === undefined ? (progress = readProgress()) : progress),
    saveProgress(next) {
      const stored = new Map(progress == null ? [] : numbered(progress));
      write('progress', { ...next, commands: [] });
      for (const [number, command] of numbered(next))
        if (stored.get(number) !== command)
          sql.exec(
            'INSERT OR REPLACE INTO command (number, body) VALUES (?, ?)',
            number,
            toStoredJson(command),
          );
      sql.exec('DELETE FROM command WHERE number < ?', next.commandsTotal - next.commands.length);
      progress = next;
    },
    receipt: () => read('receipt') ?? emptyReceipt,
    saveReceipt: (receipt) => write('receipt', receipt),
    append(body, at) {
      const isEnd = body.kind === 'ended';
      if (lastSeq > taskLimits.events && !isEnd) return;
      const line = lastSeq === taskLimits.events && !isEnd ? fullLog : body;
      sql.exec('INSERT INTO event (seq, at, body) VALUES (?, ?, ?)', lastSeq + 1, at, toStoredJson(line));
      lastSeq += 1;
    },
    hasLine: (body) =>
      sql.exec('SELECT 1 FROM event WHERE body = ? LIMIT 1', toStoredJson(body)).toArray().length > 0,
    eventsAfter: (seq, atMost) => events('WHERE seq > ? ORDER BY seq LIMIT ?', seq, atMost),
    newestEvents: (atMost, before = Number.MAX_SAFE_INTEGER) =>
      events('WHERE seq < ? ORDER BY seq DESC LIMIT ?', before, atMost).toReversed(),
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
    transaction(work) {
      try {
        storage.transactionSync(work);
      } catch (error) {
        lastSeq = readLastSeq();
        progress = undefined;
        throw error;
      }
    },
    async expire(now) {
      // Unlike deleting rows, this frees the pages too.
      await storage.deleteAll();
      createTables();
      lastSeq = 0;
      progress = null;
      write('tombstone', { expiredAt: now });
    },
    expiredAt: () => read('tombstone')?.expiredAt ?? null,
  };
}

/** Each command that is kept, with its number in the run. */
function numbered({ commands, commandsTotal }: Progress): readonly (readonly [number, CommandRun])[] {
  return commands.map((command, index) => [commandsTotal - commands.length + index, command]);
}
