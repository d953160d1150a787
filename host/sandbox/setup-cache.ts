/**
 * Stores the results of setup on this machine: one file per entry, in a folder per repository. Verifies
 * entries and evicts the least recently used ones. Never opens an entry's content: it is untrusted and is
 * only unpacked inside a sandbox.
 *
 * A file is named `<repository id>/<key>.<SHA-256 of the content>` and created by rename. A file whose hash
 * does not match is deleted, not used.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { partBytes, type SetupCacheEntry } from '../../src/core/ports/setup-cache-port.ts';

const GiB = 1024 ** 3;
const defaultMaxBytes = 4 * GiB;
export const maxEntryBytes = GiB / 2;
/** A draft older than this was left by a killed host. */
const abandonedMs = 60 * 60_000;

export interface SetupCacheStore {
  /** Verifies the whole entry, then calls `part` for each part in order. False if there is no valid entry. */
  read(
    entry: SetupCacheEntry,
    part: (number: number, content: Uint8Array) => Promise<void>,
  ): Promise<boolean>;
  /**
   * Takes parts until `next` returns null. If the hash or the size does not match, stores nothing and returns
   * false.
   */
  write(
    entry: SetupCacheEntry,
    expected: { readonly sha256: string; readonly bytes: number },
    next: (number: number) => Promise<Uint8Array | null>,
  ): Promise<boolean>;
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
    const name = names.find(
      (one) => one.startsWith(`${entry.key}.`) && /^[0-9a-f]{64}\.[0-9a-f]{64}$/.test(one),
    );
    return name === undefined ? null : { path: join(folderOf(entry), name), sha256: name.slice(65) };
  }

  async function list(): Promise<readonly Kept[]> {
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
    const all = await list();
    const isAbandoned = ({ path, usedAt }: Kept) => path.endsWith('.draft') && now() - usedAt > abandonedMs;
    const kept = all.filter(({ path }) => !path.endsWith('.draft')).toSorted((a, b) => a.usedAt - b.usedAt);
    let total = kept.reduce((sum, one) => sum + one.bytes, bytes);
    const evicted = all.filter(isAbandoned);
    for (const one of kept) {
      if (total <= maxBytes) break;
      evicted.push(one);
      total -= one.bytes;
    }
    await Promise.all(evicted.map(async ({ path }) => await rm(path, { force: true })));
  }

  return {
    async read(entry, part) {
      const found = await find(entry);
      if (found === null) return false;
      const file = await open(found.path, 'r').catch(() => null);
      if (file === null) return false;
      try {
        // Hash the whole file before handing out the first part, which cannot be taken back. Entries never
        // change in place.
        if ((await hashOf(file)) !== found.sha256) {
          await rm(found.path, { force: true });
          return false;
        }
        let number = 0;
        for await (const content of partsOf(file)) await part(number++, content);
        await utimes(found.path, now() / 1000, now() / 1000).catch(() => undefined); // evicted meanwhile
        return true;
      } finally {
        await file.close();
      }
    },

    async write(entry, expected, next) {
      if (expected.bytes > Math.min(maxEntryBytes, maxBytes)) return false;
      // The first entry stored under a key stays.
      if ((await find(entry)) !== null) return true;
      await makeRoom(expected.bytes);
      await mkdir(folderOf(entry), { recursive: true, mode: 0o700 });
      const draft = join(folderOf(entry), `${entry.key}.${randomUUID()}.draft`);
      const file = await open(draft, 'wx', 0o600);
      try {
        const hash = createHash('sha256');
        let bytes = 0;
        for (let number = 0; ; number += 1) {
          const content = await next(number);
          if (content === null) break;
          bytes += content.length;
          if (bytes > expected.bytes) return false;
          hash.update(content);
          await file.writeFile(content);
        }
        if (bytes !== expected.bytes || hash.digest('hex') !== expected.sha256) return false;
        await file.sync();
        await rename(draft, join(folderOf(entry), `${entry.key}.${expected.sha256}`));
        return true;
      } finally {
        await file.close();
        await rm(draft, { force: true });
      }
    },
  };
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
