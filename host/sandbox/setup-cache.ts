/**
 * Keeps what setup installed, on this machine: one file an entry, below a folder for its repository. Decides what is kept, what is
 * believed and what goes when there is no room. Never looks into an entry: it is untrusted, and only ever unpacked in a sandbox.
 *
 * `<repository id>/<key>.<SHA-256 of the content>`, put there by rename. A file that does not have its hash is removed, not used.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { partBytes, type SetupCacheEntry } from '../../src/core/ports/setup-cache-port.ts';

const GiB = 1024 ** 3;
const defaultMaxBytes = 4 * GiB;
export const maxEntryBytes = GiB / 2;
/** A draft that is older belongs to a host that was killed. */
const abandonedMs = 60 * 60_000;

export interface SetupCacheStore {
  /** Calls `part` for each part, in order, once the whole has been checked. False when there is no such entry. */
  read(
    entry: SetupCacheEntry,
    part: (number: number, content: Uint8Array) => Promise<void>,
  ): Promise<boolean>;
  /** Takes parts until `next` gives null. False, and nothing is kept, when they do not have the hash, or are too many. */
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
          const seen = await stat(path).catch(() => null); // another task may just have removed it
          return seen === null ? [] : [{ path, bytes: seen.size, usedAt: seen.mtimeMs }];
        }),
    );
    return kept.flat();
  }

  /** What was not used for longest goes first, until there is room for so many bytes more. */
  async function makeRoom(bytes: number): Promise<void> {
    const all = await list();
    const isAbandoned = ({ path, usedAt }: Kept) => path.endsWith('.draft') && now() - usedAt > abandonedMs;
    const kept = all.filter(({ path }) => !path.endsWith('.draft')).toSorted((a, b) => a.usedAt - b.usedAt);
    let total = kept.reduce((sum, one) => sum + one.bytes, bytes);
    const going = all.filter(isAbandoned);
    for (const one of kept) {
      if (total <= maxBytes) break;
      going.push(one);
      total -= one.bytes;
    }
    await Promise.all(going.map(async ({ path }) => await rm(path, { force: true })));
  }

  return {
    async read(entry, part) {
      const found = await find(entry);
      if (found === null) return false;
      const file = await open(found.path, 'r').catch(() => null);
      if (file === null) return false;
      try {
        // Whole and first: what is handed out before its hash is known cannot be taken back. An entry is never changed in place.
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
      // What is there was stored under the same key before: the first stays.
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
