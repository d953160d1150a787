/**
 * The first program of the local sandbox. It carries out what the host asks for over its standard input and output: commands,
 * runs, files. All file access of the host happens here, with the sandbox's own rights, so that no link or mount inside can
 * lead the host astray.
 *
 * The host trusts nothing it says once a command has run: a command has the same user and can kill it, or speak in its place.
 */
import { randomUUID } from 'node:crypto';
import { constants, readFileSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeFrame, frameReader, type Frame } from './sandbox-frames.ts';
import { execCommand, readRun, startRun, type Command } from './sandbox-commands.ts';

const runsFolder = '/run/airlock/runs';

/** The host's side of the protocol is trusted and typed there; it is written down here once more because no package is in reach. */
export type InitRequest = { readonly id: number } & (
  | {
      readonly method: 'exec';
      readonly command: Command;
      readonly timeoutMs: number;
      readonly maxOutputBytes: number;
    }
  | { readonly method: 'startRun'; readonly name: string; readonly command: Command }
  | {
      readonly method: 'readRun';
      readonly name: string;
      readonly offset: number;
      readonly maxBytes: number;
      readonly waitMs: number;
    }
  | { readonly method: 'writeFile'; readonly path: string }
  | { readonly method: 'readFile'; readonly path: string; readonly offset: number; readonly maxBytes: number }
);

interface Reply {
  readonly header: Readonly<Record<string, unknown>>;
  readonly body?: Uint8Array;
}

async function answer(request: InitRequest, body: Uint8Array): Promise<Reply> {
  switch (request.method) {
    case 'exec': {
      const { stdout, stderr, ...rest } = await execCommand(request.command, request);
      return { header: { ...rest, stdoutBytes: stdout.length }, body: Buffer.concat([stdout, stderr]) };
    }
    case 'startRun':
      startRun(request.name, request.command, runsFolder);
      return { header: {} };
    case 'readRun': {
      const chunk = await readRun(request.name, request);
      if (chunk === null) throw new Error('no run has that name');
      return { header: { size: chunk.size, exitCode: chunk.exitCode }, body: chunk.bytes };
    }
    case 'writeFile':
      await replaceFile(request.path, body);
      return { header: {} };
    case 'readFile': {
      const read = await readRegularFile(request.path, request);
      return read === null ? { header: { size: null } } : { header: { size: read.size }, body: read.bytes };
    }
    default:
      throw new Error('unknown method');
  }
}

/** By rename: a reader sees the old file or the new one, and a link or FIFO in its place is replaced, not followed. */
async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, content, { flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

const absentCodes = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ENAMETOOLONG']);

/** Opened without blocking: a FIFO without a writer would otherwise hang the reader for ever. */
async function readRegularFile(path: string, range: { offset: number; maxBytes: number }) {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && absentCodes.has(String(error.code))) return null;
    throw error;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return null;
    const bytes = Buffer.alloc(Math.max(0, Math.min(range.maxBytes, stat.size - range.offset)));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, range.offset);
    return { bytes: bytes.subarray(0, bytesRead), size: stat.size };
  } finally {
    await file.close();
  }
}

function isRequest(header: unknown): header is InitRequest {
  return typeof header === 'object' && header !== null && 'id' in header && 'method' in header;
}

async function serve({ header, body }: Frame): Promise<void> {
  if (!isRequest(header)) return;
  const { id } = header;
  try {
    const reply = await answer(header, body);
    process.stdout.write(encodeFrame({ id, ok: true, ...reply.header }, reply.body));
  } catch (error) {
    process.stdout.write(
      encodeFrame({
        id,
        ok: false,
        problem: error instanceof Error ? error.message.slice(0, 500) : 'unknown',
      }),
    );
  }
}

/** Before anything untrusted runs, the host learns how this process really stands, and goes no further unless it is sealed. */
function standing() {
  const status = readFileSync('/proc/self/status', 'latin1');
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
  return { uid: field('Uid'), effectiveCapabilities: field('CapEff'), noNewPrivileges: field('NoNewPrivs') };
}

// The host holds the other end: when it is gone, so is the reason to live.
process.stdin.on('end', () => process.exit(0));
process.stdin.on(
  'data',
  frameReader((frame) => void serve(frame)),
);
process.stdout.write(encodeFrame({ id: 0, ok: true, ...standing() }));
