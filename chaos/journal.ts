/**
 * Reads what the Workflow engine of workerd has written about an instance, as its database says it: which
 * step has begun, which is done. The engine is the same as in production; nothing in the product helps.
 */
import { createHash, createHmac } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';

/** As workerd derives the id of an object from its name. */
function objectId(uniqueKey: string, name: string): string {
  const key = createHash('sha256').update(uniqueKey).digest();
  const hmac = (of: string | Buffer) => createHmac('sha256', key).update(of).digest().subarray(0, 16);
  const first = hmac(name);
  return Buffer.concat([first, hmac(first)]).toString('hex');
}

/** The id of a task's sandbox on one machine. */
export const sandboxIdOf = (taskId: string): string => objectId('airlock-TaskRecord', `sandbox:${taskId}`);

/** The engine's codes for what this reads (`InstanceEvent` of Cloudflare's workflows-shared). */
const codes = { ended: [2, 3, 4], begun: [5, 14], attempted: [10], done: [6, 15], failed: [7] } as const;

export interface StepEntry {
  /** With the engine's counter, such as `codex-2`. */
  readonly step: string;
  readonly what: 'begun' | 'attempted' | 'done' | 'failed';
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const rowSchema = z.object({ at: z.number(), target: z.string().nullable(), event: z.number() });

export interface Journal {
  /** [] while the instance does not exist. */
  entries(): readonly StepEntry[];
  /** The instance has ended, in whatever way. */
  hasEnded(): boolean;
  /** Resolves as soon as the entry is written. */
  until(step: string, what: StepEntry['what'], signal: AbortSignal): Promise<void>;
}

export function journalOf(botStateDir: string, instanceId: string): Journal {
  const folder = join(botStateDir, 'worker', 'workflows', 'miniflare-workflows-tasks');
  const path = join(folder, `${objectId('miniflare-workflows-tasks', instanceId)}.sqlite`);
  const rows = () => {
    if (!existsSync(path)) return [];
    const database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
    try {
      return database
        .prepare(query)
        .all()
        .map((row) => rowSchema.parse(row));
    } catch (error) {
      // The engine has not made its table yet.
      if (/no such table|SQLITE_BUSY|locked/.test(String(error))) return [];
      throw error;
    } finally {
      database.close();
    }
  };
  const entries = (): readonly StepEntry[] =>
    rows().flatMap(({ at, target, event }) => {
      const what = whatOf(event);
      return target === null || what === null ? [] : [{ step: target, what, at }];
    });
  return {
    entries,
    hasEnded: () =>
      rows().some(({ target, event }) => target === null && codes.ended.some((code) => code === event)),
    until: async (step, what, signal) => {
      const isThere = () => entries().some((entry) => entry.step === step && entry.what === what);
      await untilWritten(path, isThere, signal);
    },
  };
}

const query =
  'SELECT CAST(ROUND((julianday(timestamp) - 2440587.5) * 86400000) AS INTEGER) AS at, target, event FROM states ORDER BY id';

function whatOf(event: number): StepEntry['what'] | null {
  for (const what of ['begun', 'attempted', 'done', 'failed'] as const)
    if (codes[what].some((code) => code === event)) return what;
  return null;
}

/** Looks for changes every 2 ms: opening the database on each of them would starve the simulators. */
async function untilWritten(path: string, isThere: () => boolean, signal: AbortSignal): Promise<void> {
  let seen = 0n;
  for (;;) {
    const { mtimeNs = 0n } = statSync(`${path}-wal`, { bigint: true, throwIfNoEntry: false }) ?? {};
    if (mtimeNs !== seen) {
      seen = mtimeNs;
      if (isThere()) return;
    }
    await sleep(2, undefined, { signal });
  }
}
