/**
 * The download side of Git LFS, which a sandbox need not have: fetches objects for pointers, and detects
 * whether a file still equals its object. https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, lstat, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Git } from './fresh-git.ts';
import { pathIn } from './working-tree.ts';
import { indexEntries, readObjects, type IndexEntry } from './index-changes.ts';

/** The specification limits a pointer to less than this. */
const maxPointerBytes = 1024;
/** Per batch request, as in git-lfs: every server accepts this many. */
const batchObjects = 100;
const concurrentDownloads = 4;
const answerMs = 60_000;
const objectMs = 10 * 60_000;

export interface LfsPointer {
  readonly oid: string;
  readonly size: number;
}

export class LfsError extends Error {
  /** A retry can succeed. */
  readonly transient: boolean;
  constructor(message: string, transient = false) {
    super(message);
    this.transient = transient;
  }
}

/** Parses a pointer file; null for any other content. */
export function parseLfsPointer(content: Buffer): LfsPointer | null {
  const text = content.toString('latin1');
  if (content.length >= maxPointerBytes || !text.startsWith('version https://git-lfs.github.com/spec/v1\n'))
    return null;
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
  const size = /^size (\d{1,15})$/m.exec(text)?.[1];
  return oid === undefined || size === undefined ? null : { oid, size: Number(size) };
}

interface GitContext {
  readonly git: Git;
  readonly environment: Record<string, string>;
  readonly directory: string;
}

/** A pointer and the object of git that holds it. */
export interface HeldPointer extends LfsPointer {
  readonly object: string;
}

/** Finds the LFS pointers among files of the index, by path. Paths are byte strings (latin1). */
export async function pointersAmong(
  { git, environment, directory }: GitContext,
  entries: Iterable<readonly [path: string, entry: IndexEntry]>,
): Promise<ReadonlyMap<string, HeldPointer>> {
  const files = [...entries].filter(([, { mode }]) => mode.startsWith('100'));
  if (files.length === 0) return new Map();
  const input = [...new Set(files.map(([, { object }]) => object))].map((object) => `${object}\n`).join('');
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
    files.flatMap(([path, { object }]) => {
      const pointer = byObject.get(object);
      return pointer === undefined ? [] : [[path, { ...pointer, object }] as const];
    }),
  );
}

/** Returns the pointer whose object the file is; null if it is none of them. */
export async function pointerTo(
  directory: string,
  path: string,
  pointers: readonly HeldPointer[],
): Promise<HeldPointer | null> {
  const file = pathIn(directory, path);
  const found = await lstat(file).catch(() => null);
  const possible = pointers.filter(({ size }) => found?.isFile() === true && found.size === size);
  if (possible.length === 0) return null;
  const digest = await sha256Of(file);
  return possible.find(({ oid }) => oid === digest) ?? null;
}

/** True for content that Git LFS commits as it is: a pointer, or nothing. */
export async function isLfsPointer(directory: string, path: string, bytes: number): Promise<boolean> {
  if (bytes === 0) return true;
  return bytes < maxPointerBytes && parseLfsPointer(await readFile(pathIn(directory, path))) !== null;
}

/** Replaces all pointers of a new checkout. `url` ends in `.git`. Rejects with `LfsError`, for people. */
export async function fetchLfsFiles(
  context: GitContext,
  url: string,
  scratch: string,
): Promise<readonly string[]> {
  const pointers = await pointersAmong(context, await indexEntries(context.git));
  const wanted = [...new Map([...pointers.values()].map((pointer) => [pointer.oid, pointer])).values()];
  await mkdir(scratch, { recursive: true });
  try {
    for (let at = 0; at < wanted.length; at += batchObjects) {
      const sources = await requestSources(url, wanted.slice(at, at + batchObjects));
      for (let from = 0; from < sources.length; from += concurrentDownloads)
        await Promise.all(
          sources
            .slice(from, from + concurrentDownloads)
            .map(async (source) => await download(source, scratch)),
        );
    }
    // Overwrites the pointer, so that the file keeps its mode.
    for (const [path, { oid }] of pointers)
      await copyFile(join(scratch, oid), pathIn(context.directory, path));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return [...pointers.keys()];
}

interface Source extends LfsPointer {
  readonly href: string;
  readonly header: Readonly<Record<string, string>>;
}

async function requestSources(url: string, objects: readonly LfsPointer[]): Promise<readonly Source[]> {
  const type = 'application/vnd.git-lfs+json';
  const response = await fetch(`${url}/info/lfs/objects/batch`, {
    method: 'POST',
    headers: { accept: type, 'content-type': type },
    body: JSON.stringify({
      operation: 'download',
      transfers: ['basic'],
      objects: objects.map(({ oid, size }) => ({ oid, size })),
    }),
    signal: AbortSignal.timeout(answerMs),
  }).catch((error: unknown) => {
    throw new LfsError(`the LFS server could not be reached (${String(error)})`, true);
  });
  if (!response.ok) throw new LfsError(`the LFS server answered ${response.status}`, response.status >= 500);
  const answer: unknown = await response.json().catch(() => null);
  const answered = at(answer, 'objects');
  return objects.map((object) => {
    const found: unknown = Array.isArray(answered)
      ? answered.find((one) => at(one, 'oid') === object.oid)
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
    throw new LfsError(`the LFS object ${oid.slice(0, 12)}… does not match its pointer`);
}

async function sha256Of(path: Buffer): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

const at = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
