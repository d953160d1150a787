import { mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { partBytes, type SetupCacheEntry } from '../../src/core/ports/setup-cache-port.ts';
import { openSetupCache, type SetupCacheStore } from './setup-cache.ts';

const key = (digit: string): string => digit.repeat(64);
const entry: SetupCacheEntry = { repositoryId: 7, key: key('a') };
const hashOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const expectedOf = (content: Uint8Array) => ({ sha256: hashOf(content), bytes: content.length });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-setup-cache-'));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
});

function partsOf(content: Uint8Array) {
  return async (number: number) => {
    const part = content.subarray(number * partBytes, (number + 1) * partBytes);
    return part.length === 0 ? null : part;
  };
}
async function write(cache: SetupCacheStore, of: SetupCacheEntry, content: Uint8Array): Promise<boolean> {
  return await cache.write(of, expectedOf(content), partsOf(content));
}
async function read(cache: SetupCacheStore, of: SetupCacheEntry): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  const found = await cache.read(of, async (number, content) => {
    expect(number).toBe(parts.length);
    expect(content.length).toBeLessThanOrEqual(partBytes);
    parts.push(Uint8Array.from(content));
  });
  return found ? Buffer.concat(parts) : null;
}
const files = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());

describe('the setup cache', () => {
  it.each([1, partBytes, partBytes + 1, 2 * partBytes + 5])(
    'gives back what was stored: %i bytes',
    async (bytes) => {
      const content = Buffer.alloc(bytes, 'ab');
      const cache = openSetupCache(folder);
      expect(await write(cache, entry, content)).toBe(true);
      expect(await read(openSetupCache(folder), entry)).toEqual(content);
    },
  );

  it('returns false for an entry that was never stored', async () => {
    expect(await read(openSetupCache(join(folder, 'missing')), entry)).toBeNull();
  });

  it('keeps repositories and keys apart', async () => {
    const cache = openSetupCache(folder);
    await write(cache, entry, Buffer.from('mine'));
    expect(await read(cache, { ...entry, repositoryId: 8 })).toBeNull();
    expect(await read(cache, { ...entry, key: key('b') })).toBeNull();
  });

  it('keeps the first entry stored under a key', async () => {
    const cache = openSetupCache(folder);
    await write(cache, entry, Buffer.from('first'));
    expect(await write(cache, entry, Buffer.from('second'))).toBe(true);
    expect(String(await read(cache, entry))).toBe('first');
  });

  const content = Buffer.from('what setup installed');
  const other = Buffer.from('what Codex made of it');
  it.each<[string, { sha256: string; bytes: number }, Uint8Array]>([
    ['content with other bytes of the same length', expectedOf(content), Buffer.alloc(content.length)],
    ['content with more bytes', { sha256: hashOf(other), bytes: content.length }, other],
    ['content with fewer bytes', { ...expectedOf(content), bytes: content.length + 1 }, content],
    ['content with another hash', { ...expectedOf(content), sha256: key('0') }, content],
    ['content over the size limit of an entry', { ...expectedOf(content), bytes: 600 * 1024 ** 2 }, content],
  ])('stores nothing and returns false for %s', async (_, expected, given) => {
    const cache = openSetupCache(folder);
    expect(await cache.write(entry, expected, partsOf(given))).toBe(false);
    expect(await files()).toEqual([]);
    expect(await read(cache, entry)).toBeNull();
  });

  it('stores nothing when reading a part fails', async () => {
    const cache = openSetupCache(folder);
    const gone = async () => Promise.reject(new Error('the sandbox is gone'));
    await expect(cache.write(entry, expectedOf(content), gone)).rejects.toThrow('gone');
    expect(await files()).toEqual([]);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['was changed', async (path) => await writeFile(path, 'poisoned')],
    ['was truncated', async (path) => await truncate(path, 3)],
    ['is empty', async (path) => await truncate(path, 0)],
  ])('hands out nothing of an entry that %s, and deletes it', async (_, damage) => {
    const cache = openSetupCache(folder);
    await write(cache, entry, content);
    const [file] = await files();
    await damage(join(file?.parentPath ?? '', file?.name ?? ''));
    let handedOut = 0;
    const found = await cache.read(entry, async () => void (handedOut += 1));
    expect({ found, handedOut }).toEqual({ found: false, handedOut: 0 });
    expect(await files()).toEqual([]);
    expect(await write(cache, entry, content)).toBe(true);
  });

  it('evicts the least recently used entry when there is no room', async () => {
    let now = Date.now();
    const cache = openSetupCache(folder, { maxBytes: 250, now: () => now });
    const bytes = (text: string) => Buffer.alloc(100, text);
    const [a, b, c] = ['a', 'b', 'c'].map((digit) => ({ ...entry, key: key(digit) }));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three entries');
    await write(cache, a, bytes('a'));
    await write(cache, b, bytes('b'));
    now += 60_000;
    await read(cache, a);
    await write(cache, c, bytes('c'));
    expect(await read(cache, b)).toBeNull();
    expect([await read(cache, a), await read(cache, c)]).toEqual([bytes('a'), bytes('c')]);
  });

  it('refuses a single entry that is larger than the whole cache', async () => {
    const cache = openSetupCache(folder, { maxBytes: 50 });
    expect(await write(cache, entry, Buffer.alloc(51))).toBe(false);
  });

  it('deletes drafts of a killed host, but no draft that is being written', async () => {
    const cache = openSetupCache(folder);
    await write(cache, entry, content);
    const drafts = ['old', 'new'].map((name) => join(folder, '7', `${key('c')}.${name}.draft`));
    await Promise.all(drafts.map(async (path) => await writeFile(path, 'x')));
    const hoursAgo = Date.now() / 1000 - 2 * 3600;
    await utimes(drafts[0] ?? '', hoursAgo, hoursAgo);
    await write(cache, { ...entry, key: key('d') }, content);
    expect((await files()).map(({ name }) => name).filter((name) => name.endsWith('.draft'))).toEqual([
      `${key('c')}.new.draft`,
    ]);
  });
});
