/**
 * Unpacks an entry of the setup cache before setup: `node unpack-setup.ts <jobfile>`. Asks git about its
 * names in the clone before it moves anything into place; a failure leaves nothing behind. Prints one JSON
 * line, trusted because nothing untrusted has run yet.
 */
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Unpacked, UnpackJob } from '../src/core/setup.ts';
import { freshGit } from './fresh-git.ts';
import { runGit } from './git.ts';
import { nulRecords } from './index-changes.ts';
import { unpackFiles, type Place } from './packed-files.ts';
import { runMain } from './run-main.ts';

const maxListBytes = 256 * 1024 * 1024;

/** A reason for people, without text of the archive. */
class Refused extends Error {
  override readonly name = 'Refused';
}

interface Move {
  readonly from: Buffer;
  readonly to: Buffer;
}

async function unpack(job: UnpackJob, scratch: string): Promise<void> {
  const places: Place[] = [];
  try {
    for (const [below, staging] of [
      [job.directory, job.cloneStaging],
      [job.home, job.homeStaging],
    ] as const) {
      await mkdir(staging, { mode: 0o700 });
      places.push({ below, staging });
    }
    await unpackFiles(job.packedFolder, places).catch((error: unknown) => {
      throw new Refused(`it could not be unpacked (${error instanceof Error ? error.message : 'unknown'})`);
    });
    const [clone] = places;
    if (clone !== undefined) await requireIgnored(job, `${clone.staging}${job.directory}`, scratch);
    const moves = (
      await Promise.all(places.map(async ({ below, staging }) => await plan(`${staging}${below}`, below)))
    ).flat();
    await moveAll(moves);
  } finally {
    for (const { staging } of places) await rm(staging, { recursive: true, force: true });
  }
}

/** Refuses a file or a link that is tracked in the base commit, or that no `.gitignore` matches. */
async function requireIgnored(job: UnpackJob, unpacked: string, scratch: string): Promise<void> {
  const paths = (await filesBelow(unpacked)).map((path) => path.slice(unpacked.length + 1));
  if (paths.length === 0) return;
  const { environment } = await freshGit(job, scratch, (_code, message) => new Error(message));
  const checked = await runGit(['check-ignore', '-z', '--stdin'], {
    // The command does not know literal pathspecs; `./` keeps a name from being read as another kind.
    environment: { ...environment, GIT_LITERAL_PATHSPECS: '0' },
    cwd: job.directory,
    input: Buffer.from(paths.map((path) => `./${path}\0`).join(''), 'latin1'),
    maxBytes: maxListBytes,
  });
  // It fails if none is ignored, and if one is below a link or a submodule. It never reports a tracked file.
  const ignored = nulRecords(checked.stdout.toString('latin1'));
  if (checked.exitCode !== 0 || checked.cut || ignored.length !== paths.length)
    throw new Refused('it has files in the clone that are tracked or not ignored');
}

/** Files and links as byte strings (latin1). */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const left = [folder];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    for (const { name, isFolder } of await entriesOf(path)) (isFolder ? left : found).push(`${path}/${name}`);
  }
  return found;
}

async function entriesOf(path: string): Promise<readonly { name: string; isFolder: boolean }[]> {
  const entries = await readdir(bytes(path), { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
  return entries.map((one) => ({ name: one.name.toString('latin1'), isFolder: one.isDirectory() }));
}

/** What to rename where: the topmost paths that do not exist yet. Refuses what would replace something. */
async function plan(from: string, to: string): Promise<readonly Move[]> {
  const moves: Move[] = [];
  const left = [{ from, to }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    for (const { name, isFolder } of await entriesOf(next.from)) {
      const [source, target] = [`${next.from}/${name}`, `${next.to}/${name}`];
      const there = await lstat(bytes(target)).catch(() => null);
      if (there === null) moves.push({ from: bytes(source), to: bytes(target) });
      else if (isFolder && there.isDirectory()) left.push({ from: source, to: target });
      else throw new Refused('it would replace something that is there');
    }
  }
  return moves;
}

async function moveAll(moves: readonly Move[]): Promise<void> {
  const made: Move[] = [];
  try {
    for (const move of moves) {
      await rename(move.from, move.to);
      made.push(move);
    }
  } catch (error) {
    for (const { to } of made) await rm(to, { recursive: true, force: true });
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Refused(`it could not be moved into place (${code})`);
  }
}

const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');

function parseJob(text: string): UnpackJob {
  const value: unknown = JSON.parse(text);
  const read = (name: keyof UnpackJob): string => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof found !== 'string' || !found.startsWith('/')) throw new Error(`the job's ${name} is invalid`);
    return found;
  };
  return {
    directory: read('directory'),
    objectStore: read('objectStore'),
    home: read('home'),
    cloneStaging: read('cloneStaging'),
    homeStaging: read('homeStaging'),
    packedFolder: read('packedFolder'),
  };
}

async function unpackJob(): Promise<Unpacked> {
  const job = parseJob(await readFile(process.argv[2] ?? '', 'utf8'));
  const scratch = await mkdtemp(join(tmpdir(), 'airlock-unpack-git-'));
  try {
    await unpack(job, scratch);
    return { ok: true };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, problem: error.message.slice(0, 200) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

runMain(async () => {
  process.stdout.write(`${JSON.stringify(await unpackJob())}\n`);
});
