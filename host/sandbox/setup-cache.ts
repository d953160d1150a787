/**
 * Stores setup's results on this machine, in a folder per repository: `<repository id>/<key>.<SHA-256 of the
 * content>`, created by rename, and a JSON file that says who stored it. Evicts the least recently used.
 * Untrusted: checked when stored and handed out; deleted if refused.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import {
  partBytes,
  type SetupCacheEntry,
  type SetupCacheRestored,
  type SetupCacheStored,
} from '../../src/core/ports/setup-cache-port.ts';
import { checkSetupArchive } from '../../src/core/setup-archive.ts';
import { parseJson } from '../../src/lib/parse-json.ts';

const GiB = 1024 ** 3;
const defaultMaxBytes = 4 * GiB;
export const maxEntryBytes = GiB / 2;
/** What an entry may unpack to. More than a sandbox's disk, which bounds it further. */
const maxUnpackedBytes = 4 * GiB;
/** A draft older than this was left by a killed host. */
const abandonedMs = 60 * 60_000;

/** Which task stored an entry, and when (milliseconds since the epoch). */
export const storedBySchema = z.object({
  taskId: z.string().max(200),
  repository: z.string().max(200),
  at: z.number(),
});
type StoredBy = z.infer<typeof storedBySchema>;

/** An entry as `npm run cache -- list` shows it. */
export interface ListedEntry extends SetupCacheEntry {
  readonly bytes: number;
  readonly usedAt: number;
  /** Null if the file that says it is missing or damaged. */
  readonly storedBy: StoredBy | null;
}

export interface SetupCacheStore {
  /** Verifies and checks the whole entry, then calls `part` for each part in order. */
  read(
    entry: SetupCacheEntry,
    part: (number: number, content: Uint8Array) => Promise<void>,
  ): Promise<SetupCacheRestored>;
  /** Takes parts until `next` returns null. Stores nothing if hash, size or check does not match. */
  write(
    entry: SetupCacheEntry,
    expected: {
      readonly sha256: string;
      readonly bytes: number;
      readonly storedBy: Omit<StoredBy, 'at'>;
    },
    next: (number: number) => Promise<Uint8Array | null>,
  ): Promise<SetupCacheStored>;
  remove(entry: SetupCacheEntry): Promise<void>;
  /** Oldest use first. */
  list(): Promise<readonly ListedEntry[]>;
}

interface Kept {
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
}

export function openSetupCache(
  folder: string,
  { maxBytes = defaultMaxBytes, now = Date.now }: { maxBytes?: number; now?: () => number } = {},
): SetupCacheStore {
  const folderOf = ({ repositoryId }: SetupCacheEntry) => join(folder, String(repositoryId));

  async function find(entry: SetupCacheEntry): Promise<{ path: string; sha256: string } | null> {
    const names = await readdir(folderOf(entry)).catch(() => []);
    const name = names.find((one) => one.startsWith(`${entry.key}.`) && entryName.test(one));
    return name === undefined ? null : { path: join(folderOf(entry), name), sha256: name.slice(65) };
  }

  async function keptFiles(): Promise<readonly Kept[]> {
    const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const kept = await Promise.all(
      found
        .filter((one) => one.isFile())
        .map(async ({ parentPath, name }) => {
          const path = join(parentPath, name);
          const info = await stat(path).catch(() => null); // another task can have removed it
          return info === null ? [] : [{ path, bytes: info.size, usedAt: info.mtimeMs }];
        }),
    );
    return kept.flat();
  }

  /** Evicts the least recently used entries until `bytes` more fit. Also deletes abandoned drafts. */
  async function makeRoom(bytes: number): Promise<void> {
    const all = await keptFiles();
    const isAbandoned = ({ path, usedAt }: Kept) => path.endsWith('.draft') && now() - usedAt > abandonedMs;
    const kept = entriesOf(all);
    let total = kept.reduce((sum, one) => sum + one.bytes, bytes);
    const evicted = all.filter(isAbandoned);
    for (const one of kept) {
      if (total <= maxBytes) break;
      evicted.push(one);
      total -= one.bytes;
    }
    await Promise.all(evicted.map(async ({ path }) => await removeFiles(path)));
  }

  return {
    async read(entry, part) {
      const found = await find(entry);
      if (found === null) return { kind: 'none' };
      const file = await open(found.path, 'r').catch(() => null);
      if (file === null) return { kind: 'none' };
      try {
        // Hash and check the whole file before handing out the first part, which cannot be taken back.
        // Entries never change in place.
        if ((await hashOf(file)) !== found.sha256) {
          await removeFiles(found.path);
          return { kind: 'none' };
        }
        const reason = await refusalOf(file);
        if (reason !== null) {
          await removeFiles(found.path);
          return { kind: 'refused', reason };
        }
        let number = 0;
        for await (const content of partsOf(file)) await part(number++, content);
        await utimes(found.path, now() / 1000, now() / 1000).catch(() => undefined); // evicted meanwhile
        return { kind: 'restored' };
      } finally {
        await file.close();
      }
    },

    async write(entry, expected, next) {
      if (expected.bytes > Math.min(maxEntryBytes, maxBytes)) return { kind: 'not-stored' };
      // The first entry stored under a key stays.
      if ((await find(entry)) !== null) return { kind: 'stored' };
      await makeRoom(expected.bytes);
      await mkdir(folderOf(entry), { recursive: true, mode: 0o700 });
      const draft = join(folderOf(entry), `${entry.key}.${randomUUID()}.draft`);
      const file = await open(draft, 'wx+', 0o600);
      try {
        const hash = createHash('sha256');
        let bytes = 0;
        for (let number = 0; ; number += 1) {
          const content = await next(number);
          if (content === null) break;
          bytes += content.length;
          if (bytes > expected.bytes) return { kind: 'not-stored' };
          hash.update(content);
          await file.writeFile(content);
        }
        if (bytes !== expected.bytes || hash.digest('hex') !== expected.sha256) return { kind: 'not-stored' };
        const reason = await refusalOf(file);
        if (reason !== null) return { kind: 'refused', reason };
        await file.sync();
        const path = join(folderOf(entry), `${entry.key}.${expected.sha256}`);
        await writeFile(`${path}.json`, JSON.stringify({ ...expected.storedBy, at: now() }), { mode: 0o600 });
        await rename(draft, path);
        return { kind: 'stored' };
      } finally {
        await file.close();
        await rm(draft, { force: true });
      }
    },

    async remove(entry) {
      const found = await find(entry);
      if (found !== null) await removeFiles(found.path);
    },

    async list() {
      const entries = entriesOf(await keptFiles());
      return await Promise.all(
        entries.map(async ({ path, bytes, usedAt }) => ({
          repositoryId: Number(basename(dirname(path))),
          key: basename(path).slice(0, 64),
          bytes,
          usedAt,
          storedBy: await storedByOf(path),
        })),
      );
    },
  };
}

const entryName = /^[0-9a-f]{64}\.[0-9a-f]{64}$/;

/** Entries without drafts and the files that say who stored them, the least recently used first. */
const entriesOf = (all: readonly Kept[]): readonly Kept[] =>
  all.filter(({ path }) => entryName.test(basename(path))).toSorted((a, b) => a.usedAt - b.usedAt);

async function removeFiles(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}.json`, { force: true });
}

async function storedByOf(path: string): Promise<StoredBy | null> {
  const text = await readFile(`${path}.json`, 'utf8').catch(() => '');
  const parsed = storedBySchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

async function refusalOf(file: FileHandle): Promise<string | null> {
  const check = checkSetupArchive({ maxUnpackedBytes, sliceBytes: 1024 * 1024 });
  for await (const content of partsOf(file)) await check.write(content);
  return await check.end();
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const content of partsOf(file)) hash.update(content);
  return hash.digest('hex');
}

async function* partsOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(partBytes), 0, partBytes, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}
