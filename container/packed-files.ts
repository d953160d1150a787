/**
 * Packs files into a compressed tar, in parts of one message each, and unpacks it. The archive is checked
 * outside (`src/core/setup-archive.ts`) and only unpacked inside a sandbox.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';

const partBytes = 8 * 1024 * 1024;
const partName = (number: number): string => `part-${String(number).padStart(5, '0')}`;
const tarMs = 10 * 60_000;

export type Packed =
  | { readonly sha256: string; readonly bytes: number; readonly parts: number }
  | { readonly problem: string };

/** `paths`: absolute, latin1. On failure deletes the folder and returns the problem. */
export async function packFiles(paths: readonly string[], folder: string, maxBytes: number): Promise<Packed> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const tar = spawn(
    'tar',
    [
      '--create',
      '--file=-',
      '--format=gnu',
      '--directory=/',
      // The bits that the check refuses. Go makes its folders read-only.
      '--mode=u+rwX,ug-s,o-t',
      // pnpm's store and `node_modules` share files on one file system, but a link must not leave its folder.
      '--hard-dereference',
      '--no-recursion',
      '--null',
      '--files-from=-',
    ],
    { stdio: ['pipe', 'pipe', 'pipe'], timeout: tarMs, killSignal: 'SIGKILL' },
  );
  const exited = exitCodeOf(tar);
  const lastErrorLine = lastLineOf(tar.stderr);
  tar.stdin.on('error', () => undefined); // if tar ends early, its exit code reports it
  tar.stdin.end(Buffer.from(paths.map((path) => `${path.slice(1)}\0`).join(''), 'latin1'));
  try {
    // gzip, because the check outside can read it. Level 1 is much faster than the default.
    const compress = createGzip({ level: 1 });
    const written = await writeParts(tar.stdout.pipe(compress), folder, maxBytes);
    if (written === null) throw new Error(`it has more than ${Math.floor(maxBytes / 1024 ** 2)} MiB packed`);
    const code = await exited;
    if (code !== 0) throw new Error(`tar ended with exit code ${String(code)}: ${lastErrorLine()}`);
    return written;
  } catch (error) {
    tar.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
    return { problem: (error instanceof Error ? error.message : String(error)).slice(0, 300) };
  }
}

/** Returns null if the stream has more than `maxBytes`. */
async function writeParts(
  stream: AsyncIterable<Buffer>,
  folder: string,
  maxBytes: number,
): Promise<{ sha256: string; bytes: number; parts: number } | null> {
  const hash = createHash('sha256');
  let bytes = 0;
  let parts = 0;
  let buffered: Buffer[] = [];
  let bufferedBytes = 0;
  const write = async (content: Buffer): Promise<void> => {
    const file = await open(join(folder, partName(parts)), 'wx', 0o600);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    parts += 1;
  };
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    hash.update(chunk);
    buffered.push(chunk);
    bufferedBytes += chunk.length;
    while (bufferedBytes >= partBytes) {
      const joined = Buffer.concat(buffered);
      await write(joined.subarray(0, partBytes));
      buffered = [joined.subarray(partBytes)];
      bufferedBytes -= partBytes;
    }
  }
  if (bufferedBytes > 0) await write(Buffer.concat(buffered));
  return { sha256: hash.digest('hex'), bytes, parts };
}

/** One of the two file systems that an archive is unpacked to. */
export interface Place {
  /** What the archive has here lies below this folder. Absolute. */
  readonly below: string;
  /** A new empty folder on the same file system. */
  readonly staging: string;
}

/** Into the staging folders; deletes the parts. May leave files if it rejects. */
export async function unpackFiles(folder: string, places: readonly Place[]): Promise<void> {
  const tars = places.map(({ staging }, index) => {
    // Excludes what belongs to the other places. The names of the archive were checked outside.
    const others = places.filter((_, other) => other !== index).map(({ below }) => below.slice(1));
    const child = spawn(
      'tar',
      [
        '--extract',
        '--file=-',
        `--directory=${staging}`,
        '--preserve-permissions',
        '--no-same-owner',
        '--anchored',
        '--no-wildcards',
        ...others.map((below) => `--exclude=${below}`),
      ],
      { stdio: ['pipe', 'ignore', 'ignore'], timeout: tarMs, killSignal: 'SIGKILL' },
    );
    child.stdin.on('error', () => undefined); // if tar ends early, its exit code reports it
    return { stdin: child.stdin, child, exited: exitCodeOf(child) };
  });
  try {
    await pipeline(readParts(folder), createGunzip(), async (content: AsyncIterable<Buffer>) => {
      for await (const chunk of content)
        await Promise.all(tars.map(async ({ stdin, exited }) => await written(stdin, chunk, exited)));
    });
    for (const { stdin } of tars) stdin.end();
    const codes = await Promise.all(tars.map(async ({ exited }) => await exited));
    const failed = codes.find((code) => code !== 0);
    if (failed !== undefined) throw new Error(`tar ended with exit code ${failed}`);
  } finally {
    for (const { child } of tars) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes and waits for room, or for the end of the program, which can close its input before the padding. */
async function written(stdin: Writable, chunk: Buffer, exited: Promise<number>): Promise<void> {
  if (stdin.destroyed || stdin.write(chunk)) return;
  const drained = new Promise((resolve) => stdin.once('drain', resolve));
  await Promise.race([drained, exited]);
}

async function* readParts(folder: string): AsyncGenerator<Buffer> {
  for (const name of (await readdir(folder)).toSorted()) {
    const path = join(folder, name);
    yield* createReadStream(path);
    await unlink(path);
  }
}

/** Returns a function for the last line of the stream so far. */
function lastLineOf(stream: NodeJS.ReadableStream): () => string {
  let tail = '';
  stream.on('data', (chunk: Buffer) => (tail = (tail + chunk.toString('utf8')).slice(-1000)));
  return () => tail.trim().split('\n').at(-1) ?? '';
}

/** Resolves with the exit code: 127 if the program cannot be started, 1 if it was killed. */
function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 1));
  });
}
