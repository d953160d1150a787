/**
 * Git LFS without git-lfs, which a sandbox need not have: fetches the objects that a fresh checkout has pointers to, and later tells a file
 * that is still its object from one that was changed. Downloads only; what may be fetched is decided outside the sandbox.
 *
 * Protocol: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md, pointers: docs/spec.md there.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Git } from './fresh-git.ts';
import { nulRecords, readObjects } from './index-changes.ts';

/** By the specification a pointer is smaller than this. */
const maxPointerBytes = 1024;
/** As git-lfs asks: what one batch may hold is the server's choice, and this much every server takes. */
const batchObjects = 100;
const atOnce = 4;
const answerMs = 60_000;
const objectMs = 10 * 60_000;

export interface LfsPointer {
  readonly oid: string;
  readonly size: number;
}

export class LfsError extends Error {
  /** Another attempt may end differently. */
  readonly mayPass: boolean;
  constructor(message: string, mayPass = false) {
    super(message);
    this.mayPass = mayPass;
  }
}

export function parseLfsPointer(content: Buffer): LfsPointer | null {
  const text = content.toString('latin1');
  if (content.length >= maxPointerBytes || !text.startsWith('version https://git-lfs.github.com/spec/v1\n'))
    return null;
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
  const size = /^size (\d{1,15})$/m.exec(text)?.[1];
  return oid === undefined || size === undefined ? null : { oid, size: Number(size) };
}

interface Where {
  readonly git: Git;
  readonly environment: Record<string, string>;
  readonly directory: string;
}

/** Pointers among the index's blobs by path; of all paths, or of those in `among`. Paths are byte strings (latin1). */
async function pointersIn(
  { git, environment, directory }: Where,
  among: ReadonlySet<string> | null,
): Promise<ReadonlyMap<string, LfsPointer>> {
  const records = nulRecords(await git(['ls-files', '-z', '--stage'], { maxBytes: 256 * 1024 * 1024 }));
  const entries = records.flatMap((record) => {
    const [, object, path] = /^100(?:644|755) ([0-9a-f]{40}) 0\t([^]*)$/.exec(record) ?? [];
    return object === undefined || path === undefined || among?.has(path) === false ? [] : [{ object, path }];
  });
  if (entries.length === 0) return new Map();
  const input = [...new Set(entries.map(({ object }) => object))].map((object) => `${object}\n`).join('');
  const sizes = await git(['cat-file', '--batch-check=%(objectname) %(objectsize)'], { input });
  const small = sizes
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, size]) => Number(size) < maxPointerBytes)
    .flatMap(([object = '']) => object);
  const byObject = new Map<string, LfsPointer>();
  let at = 0;
  for await (const content of readObjects(small, { environment, cwd: directory })) {
    const pointer = parseLfsPointer(content);
    const object = small[at++];
    if (pointer !== null && object !== undefined) byObject.set(object, pointer);
  }
  return new Map(
    entries.flatMap(({ object, path }) => {
      const pointer = byObject.get(object);
      return pointer === undefined ? [] : [[path, pointer] as const];
    }),
  );
}

/**
 * Of the paths that have a pointer in the base commit and a file in the tree: whether that file still is the object. A deleted one
 * is not among them: deleting a pointer is a change like any other.
 */
export async function lfsStanding(
  where: Where,
  paths: readonly string[],
): Promise<ReadonlyMap<string, 'same' | 'changed'>> {
  const pointers = await pointersIn(where, new Set(paths));
  const standing = new Map<string, 'same' | 'changed'>();
  for (const [path, { oid, size }] of pointers) {
    const file = located(where.directory, path);
    const found = await lstat(file).catch(() => null);
    if (found === null) continue;
    const isSame = found.isFile() && found.size === size && (await sha256Of(file)) === oid;
    standing.set(path, isSame ? 'same' : 'changed');
  }
  return standing;
}

/**
 * Puts objects in the place of their pointers, right after a checkout. `url` is the repository's, ending in `.git`.
 * @returns the paths. @throws LfsError in words for people.
 */
export async function fetchLfsFiles(where: Where, url: string, scratch: string): Promise<readonly string[]> {
  const pointers = await pointersIn(where, null);
  const wanted = [...new Map([...pointers.values()].map((pointer) => [pointer.oid, pointer])).values()];
  await mkdir(scratch, { recursive: true });
  try {
    for (let at = 0; at < wanted.length; at += batchObjects) {
      const sources = await askForObjects(url, wanted.slice(at, at + batchObjects));
      for (let from = 0; from < sources.length; from += atOnce)
        await Promise.all(
          sources.slice(from, from + atOnce).map(async (source) => await download(source, scratch)),
        );
    }
    // Over the pointer, so that the file keeps its mode.
    for (const [path, { oid }] of pointers)
      await copyFile(join(scratch, oid), located(where.directory, path));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return [...pointers.keys()];
}

interface Source extends LfsPointer {
  readonly href: string;
  readonly header: Readonly<Record<string, string>>;
}

async function askForObjects(url: string, objects: readonly LfsPointer[]): Promise<readonly Source[]> {
  const type = 'application/vnd.git-lfs+json';
  const response = await fetch(`${url}/info/lfs/objects/batch`, {
    method: 'POST',
    headers: { accept: type, 'content-type': type },
    body: JSON.stringify({ operation: 'download', transfers: ['basic'], objects }),
    signal: AbortSignal.timeout(answerMs),
  }).catch((error: unknown) => {
    throw new LfsError(`the LFS server could not be reached (${String(error)})`, true);
  });
  if (!response.ok) throw new LfsError(`the LFS server answered ${response.status}`, response.status >= 500);
  const answer: unknown = await response.json().catch(() => null);
  const given = at(answer, 'objects');
  return objects.map((object) => {
    const found: unknown = Array.isArray(given)
      ? given.find((one) => at(one, 'oid') === object.oid)
      : undefined;
    const href = at(at(at(found, 'actions'), 'download'), 'href');
    if (typeof href !== 'string')
      throw new LfsError(`the LFS server has no object ${object.oid.slice(0, 12)}… of ${object.size} bytes`);
    const header = at(at(at(found, 'actions'), 'download'), 'header');
    const named = typeof header === 'object' && header !== null ? Object.entries(header) : [];
    return {
      ...object,
      href,
      header: Object.fromEntries(named.map(([name, value]) => [name, String(value)])),
    };
  });
}

async function download({ oid, size, href, header }: Source, folder: string): Promise<void> {
  const response = await fetch(href, { headers: header, signal: AbortSignal.timeout(objectMs) }).catch(
    (error: unknown) => {
      throw new LfsError(`an LFS object could not be fetched (${String(error)})`, true);
    },
  );
  if (!response.ok || response.body === null)
    throw new LfsError(
      `the LFS object ${oid.slice(0, 12)}… could not be fetched (${response.status})`,
      response.status >= 500,
    );
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    response.body,
    async function* counted(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > size) break;
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(join(folder, oid), { flags: 'wx' }),
  );
  if (bytes !== size || hash.digest('hex') !== oid)
    throw new LfsError(`the LFS object ${oid.slice(0, 12)}… is not what its pointer says`);
}

async function sha256Of(path: Buffer): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

const at = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

const located = (directory: string, path: string): Buffer =>
  Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')]);
