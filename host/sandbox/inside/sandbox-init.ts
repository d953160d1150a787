/**
 * The first program of the local sandbox. Serves the host's calls over standard input and output, with the
 * sandbox's own rights, so that no link inside can redirect the host. Untrusted once a command has run, which
 * can impersonate it.
 */
import { randomUUID } from 'node:crypto';
import { constants, readFileSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeFrame, frameReader, type Frame } from './sandbox-frames.ts';
import { execCommand, readRun, startRun, type Command } from './sandbox-commands.ts';

const runsFolder = '/run/airlock/runs';

/** Of the trusted host. No zod schema, because no package is installed here. */
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

/** By rename: a reader sees the old or the new file; a link or FIFO is replaced, not followed. */
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

/** Without blocking, because a FIFO without a writer would hang. Null if not a regular file. */
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

/** This process's privileges and inherited descriptors, which the host checks before anything untrusted. */
function ownPrivileges() {
  const status = readFileSync('/proc/self/status', 'latin1');
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
  return {
    uid: field('Uid'),
    effectiveCapabilities: field('CapEff'),
    noNewPrivileges: field('NoNewPrivs'),
    descriptors: process.argv[2] ?? 'not listed',
  };
}

// The host closed its end or died: end the sandbox.
process.stdin.on('end', () => process.exit(0));
process.stdin.on(
  'data',
  frameReader((frame) => void serve(frame)),
);
process.stdout.write(encodeFrame({ id: 0, ok: true, ...ownPrivileges() }));
