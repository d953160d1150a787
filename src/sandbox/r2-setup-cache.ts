/**
 * Implements the setup cache in a bucket: one object an entry, streamed through the Worker, which checks its
 * names and types in both directions. The bucket's lifecycle rule expires entries.
 */
import type { TaskSandbox } from '../core/ports/sandbox-port.ts';
import {
  partName,
  type SetupCache,
  type SetupCacheEntry,
  type SetupCacheRestored,
  type SetupCacheStored,
} from '../core/ports/setup-cache-port.ts';
import { checkSetupArchive } from '../core/setup-archive.ts';
import { withDeadline } from '../lib/with-deadline.ts';

const MiB = 1024 * 1024;
/** Each MiB is a call to the container, and a restore must not take longer than an installation. */
const maxEntryBytes = 128 * MiB;
/** Bounds the check: a slice of compressed zeros unpacks to 32 MiB. */
const checkLimits = { maxUnpackedBytes: 1024 * MiB, sliceBytes: 32 * 1024 };
/** Largest read of the sandbox port. */
const readBytes = MiB;
/** Bytes of one write. The unpacking does not depend on where parts begin. */
const writeBytes = 2 * MiB;
/** Well below the five minutes of the step, which then continues without a cache. */
const carryMs = 2 * 60_000;
/** Deadline for one answer of the bucket, or one piece. */
const bucketMs = 20_000;
const removeMs = 30_000;

/** The part of the bucket binding that this needs. */
export interface SetupCacheBucket {
  head(name: string): Promise<object | null>;
  get(name: string): Promise<{
    readonly size: number;
    readonly checksums: { readonly sha256?: ArrayBuffer };
    readonly body: ReadableStream;
  } | null>;
  /** Null when the condition does not hold; it may then have read nothing. */
  put(
    name: string,
    content: ReadableStream,
    options: {
      readonly sha256: string;
      readonly onlyIf: { readonly etagDoesNotMatch: string };
      /** For people who list the bucket. */
      readonly customMetadata: Record<string, string>;
    },
  ): Promise<object | null>;
  delete(name: string): Promise<void>;
}
type Inside = Pick<TaskSandbox, 'readFile' | 'writeFile' | 'exec'>;
type Packed = Parameters<SetupCache['store']>[1];

export function r2SetupCache(bucket: SetupCacheBucket, sandbox: Inside, taskId: string): SetupCache {
  return {
    maxEntryBytes,
    restore: async (entry, folder) => await carried(async (open) => await restore(entry, folder, open)),
    store: async (entry, packed) => await carried(async (open) => await store(entry, packed, open)),
    remove: async (entry) => await withDeadline(bucket.delete(objectName(entry)), bucketMs, 'the bucket'),
  };

  async function restore(entry: SetupCacheEntry, folder: string, open: Open): Promise<SetupCacheRestored> {
    const name = objectName(entry);
    const object = await withDeadline(bucket.get(name), bucketMs, 'the bucket');
    if (object === null) return { kind: 'none' };
    const expected = object.checksums.sha256;
    if (expected === undefined || object.size > maxEntryBytes) {
      // Not stored by us: `store` always sets the hash.
      await object.body.cancel();
      return { kind: 'none' };
    }
    const { sha256, refusal } = await carryInto(folder, object.body, open);
    const isStored = hex(sha256) === hex(expected);
    if (isStored && refusal === null) return { kind: 'restored' };
    // Nothing has unpacked it yet; delete it, here and for the next task.
    await Promise.all([
      bucket.delete(name),
      sandbox.exec({ argv: ['rm', '-rf', folder] }, { timeoutMs: removeMs, maxOutputBytes: 0 }),
    ]);
    return isStored && refusal !== null ? { kind: 'refused', reason: refusal } : { kind: 'none' };
  }

  /** Writes the packed entry into the folder and returns its hash and why it is refused. */
  async function carryInto(
    folder: string,
    body: ReadableStream,
    open: Open,
  ): Promise<{ sha256: ArrayBuffer; refusal: string | null }> {
    const check = checkSetupArchive(checkLimits);
    const digest = new crypto.DigestStream('SHA-256');
    const hash = digest.getWriter();
    const reader = body.getReader({ mode: 'byob' });
    try {
      for (let number = 0; ; number += 1) {
        open();
        const next = reader.readAtLeast(writeBytes, new Uint8Array(writeBytes));
        const { value, done } = await withDeadline(next, bucketMs, 'the bucket');
        if (value !== undefined && value.byteLength > 0) {
          await hash.write(value);
          await check.write(value);
          await sandbox.writeFile(`${folder}/${partName(number)}`, value);
        }
        if (done) break;
      }
    } finally {
      reader.cancel().catch(() => undefined); // read to its end, or abandoned
    }
    await hash.close();
    return { sha256: await digest.digest, refusal: await check.end() };
  }

  async function store(entry: SetupCacheEntry, packed: Packed, open: Open): Promise<SetupCacheStored> {
    const { sha256, bytes, repository } = packed;
    if (bytes > maxEntryBytes) return { kind: 'not-stored' };
    const name = objectName(entry);
    // An entry under this key exists: the first one wins.
    if ((await withDeadline(bucket.head(name), bucketMs, 'the bucket')) !== null) return { kind: 'stored' };
    const { readable, writable } = new FixedLengthStream(bytes);
    const writer = writable.getWriter();
    const put = bucket.put(name, readable, {
      sha256,
      onlyIf: { etagDoesNotMatch: '*' },
      customMetadata: { task: taskId, repository },
    });
    const sent = send(packed, writer, open);
    // The race below handles the first rejection; later ones are ignored.
    for (const one of [put, sent, writer.closed]) one.catch(() => undefined);
    try {
      // A bucket that has got the entry meanwhile reads nothing.
      const result = await Promise.race([sent, put.then(() => ({ kind: 'stored' }) as const)]);
      if (result.kind === 'stored') await withDeadline(put, bucketMs, 'the bucket');
      return result;
    } finally {
      await writer.abort(new Error('the entry is not stored')).catch(() => undefined);
    }
  }

  /** Streams the pieces, the last one only if the whole is as packed and the check allows it. */
  async function send(
    { folder, sha256, bytes, parts }: Packed,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    open: Open,
  ): Promise<SetupCacheStored> {
    const check = checkSetupArchive(checkLimits);
    const digest = new crypto.DigestStream('SHA-256');
    const hash = digest.getWriter();
    let held: Uint8Array | null = null;
    let read = 0;
    for await (const piece of piecesOf(folder, parts)) {
      open();
      read += piece.byteLength;
      if (read > bytes) return { kind: 'not-stored' };
      await hash.write(piece);
      await check.write(piece);
      if (held !== null) await withDeadline(writer.write(held), bucketMs, 'the bucket');
      held = piece;
    }
    await hash.close();
    if (held === null || read !== bytes || hex(await digest.digest) !== sha256) return { kind: 'not-stored' };
    const reason = await check.end();
    if (reason !== null) return { kind: 'refused', reason };
    await withDeadline(writer.write(held), bucketMs, 'the bucket');
    await withDeadline(writer.close(), bucketMs, 'the bucket');
    return { kind: 'stored' };
  }

  async function* piecesOf(folder: string, parts: number): AsyncGenerator<Uint8Array> {
    for (let number = 0; number < parts; number += 1) {
      for (let offset = 0; ;) {
        const path = `${folder}/${partName(number)}`;
        const piece = await sandbox.readFile(path, { offset, maxBytes: readBytes });
        if (piece === null || piece.bytes.byteLength === 0) break;
        yield piece.bytes;
        offset += piece.bytes.byteLength;
      }
    }
  }
}

/** Throws after the deadline: a deadline ends the waiting, not the work. */
type Open = () => void;

async function carried<T>(work: (open: Open) => Promise<T>): Promise<T> {
  let isOver = false;
  const open = () => {
    if (isOver) throw new Error('the setup cache took too long');
  };
  try {
    return await withDeadline(work(open), carryMs, 'the setup cache');
  } finally {
    isOver = true;
  }
}

const objectName = ({ repositoryId, key }: SetupCacheEntry): string => `setup/${repositoryId}/${key}`;

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
