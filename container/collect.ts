/**
 * Collects the change set inside the sandbox after Codex, as lines of `src/core/change-set.ts`: `node
 * collect.ts <jobfile>`; exit code 0 if and only if the last line is `end`. Compares by a new git folder and
 * the objects that `clone.ts` kept, so that the clone's own `.git` has no effect. The output is untrusted all
 * the same.
 */
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChangeLine, CollectJob } from '../src/core/change-set.ts';
import { endOtherProcesses } from './end-processes.ts';
import { freshGit, type Git } from './fresh-git.ts';
import { liftGuidance, type ReadBlobs } from './guidance-files.ts';
import { indexEntries, nulRecords, parseDiffIndex, readObjects } from './index-changes.ts';
import { indexWorkingTree } from './index-tree.ts';
import { runMain } from './run-main.ts';
import type { TreeContext } from './tree-context.ts';
import { decodedPath, exists, isPlainFolder } from './working-tree.ts';

/** A disk with less room counts as full. */
const fullBytes = 1024 * 1024;
/** As in `src/core/change-set.ts`, which is not in the sandbox. */
const maxLinks = 500;
/** Entries of the report for guidance. */
const maxGuidance = 50;

type Failure = Extract<ChangeLine, { type: 'failed' }>;

class CollectError extends Error {
  readonly code: Failure['code'];
  constructor(code: Failure['code'], message: string) {
    super(message);
    this.code = code;
  }
}

function parseJob(text: string): CollectJob {
  const bad = (name: string) => new CollectError('bad-job', `the job's ${name} is missing or invalid`);
  const read = (from: unknown, name: string): unknown =>
    typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
  const value: unknown = JSON.parse(text);
  const string = (name: string, shape: RegExp): string => {
    const found = read(value, name);
    if (typeof found !== 'string' || !shape.test(found)) throw bad(name);
    return found;
  };
  const limit = (name: string): number => {
    const found = read(read(value, 'limits'), name);
    if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0) throw bad(`limits.${name}`);
    return found;
  };
  const texts = (name: string): readonly string[] => {
    const found = read(value, name) ?? [];
    if (!Array.isArray(found) || !found.every((text) => typeof text === 'string')) throw bad(name);
    return found;
  };
  return {
    directory: string('directory', /^\/./),
    objectStore: string('objectStore', /^\/./),
    base: string('base', /^[0-9a-f]{40}$/),
    endOtherProcesses: read(value, 'endOtherProcesses') === true,
    pathsLeftBySetup: texts('pathsLeftBySetup'),
    disposable: texts('disposable'),
    lfs: read(value, 'lfs') === true,
    limits: {
      maxFileBytes: limit('maxFileBytes'),
      maxChangeBytes: limit('maxChangeBytes'),
      maxChangedFiles: limit('maxChangedFiles'),
    },
  };
}

type Listed = Pick<TreeContext, 'modified' | 'deleted' | 'fresh'>;

/** Compares the working tree with the index. */
async function changedPaths(job: CollectJob, git: Git, folder: string): Promise<Listed> {
  const list = async (...how: readonly string[]) => {
    const argv = [
      'ls-files',
      '-z',
      '-t',
      '--modified',
      '--deleted',
      '--others',
      '--exclude-standard',
      ...how,
    ];
    return nulRecords(await git(argv, { maxBytes: 64 * 1024 * 1024 }));
  };
  try {
    return tagged(await list());
  } catch (error) {
    if (!(error instanceof CollectError)) throw error;
    // Then a new folder is one entry, like a repository of its own.
    if (error.code === 'too-many-files') return tagged(await list('--directory'));
    if (error.code !== 'git-failed') throw error;
    // The kept index is missing or damaged: read it from the base commit, which is slower.
    await rm(join(folder, 'index'), { force: true });
    await git(['read-tree', job.base], { failsAs: 'base-missing' });
    return tagged(await list());
  }
}

function tagged(records: readonly string[]): Listed {
  const withTag = (...tags: readonly string[]) =>
    new Set(records.filter((record) => tags.includes(record[0] ?? '')).map((record) => record.slice(2)));
  return { modified: [...withTag('C', 'R')], deleted: withTag('R'), fresh: [...withTag('?')] };
}

/** An empty folder without `.git` is a disk that is not mounted, or a deleted clone: no change. */
async function isGone({ job, base, deleted, fresh }: TreeContext): Promise<boolean> {
  if (!(await isPlainFolder(job.directory))) return true;
  return deleted.size === base.size && fresh.length === 0 && !(await exists(job.directory, '.git'));
}

/** Edits of the base branch's version. */
function guidanceLines(paths: readonly string[]): Extract<ChangeLine, { type: 'skipped' }>[] {
  return paths.slice(0, maxGuidance).map((path) => {
    const name = decodedPath(path) ?? Buffer.from(path, 'latin1').toString('utf8');
    return { type: 'skipped', path: name.slice(0, 4096), why: 'guidance' };
  });
}

type FileMode = Extract<ChangeLine, { type: 'file' }>['mode'];
const isFileMode = (mode: string): mode is FileMode =>
  mode === '100644' || mode === '100755' || mode === '120000';

async function print(line: ChangeLine): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(line)}\n`)) await once(process.stdout, 'drain');
}

/** Lists the symlinks of the base commit, as far as they have names and targets in UTF-8. */
async function linksOf({ base, environment, job }: TreeContext): Promise<{ path: string; target: string }[]> {
  const entries = [...base].filter(([, { mode }]) => mode === '120000').slice(0, maxLinks);
  const links: { path: string; target: string }[] = [];
  const objects = entries.map(([, { object }]) => object);
  for await (const target of readObjects(objects, { environment, cwd: job.directory })) {
    const path = decodedPath(entries[links.length]?.[0] ?? '') ?? '';
    links.push({ path, target: decodedPath(target.toString('latin1'))?.slice(0, 4096) ?? '' });
  }
  return links.filter(({ path, target }) => path !== '' && target !== '');
}

/** Prints nothing before the change is complete, so that it can be called again after an error. */
async function collect(job: CollectJob, scratch: string, wasFull: boolean): Promise<void> {
  const gone = () => new CollectError('working-tree-missing', 'the working tree was deleted');
  if (!(await isPlainFolder(job.directory))) throw gone();
  const failWith = (code: Failure['code'], message: string) => new CollectError(code, message);
  const { git, environment } = await freshGit(job, scratch, failWith);
  const read: ReadBlobs = (blobs) => readObjects(blobs, { environment, cwd: job.directory });
  const lost = await liftGuidance(job, read);
  const listed = await changedPaths(job, git, scratch);
  const base = await indexEntries(git);
  const context = { job, git, environment, scratch, base, failWith, ...listed };
  if (await isGone(context)) throw gone();
  const skipped = [...guidanceLines(lost), ...(await indexWorkingTree(context))];
  const compare = ['diff-index', '--raw', '-z', '--cached', '--no-renames', job.base];
  const changes = parseDiffIndex(await git(compare, { failsAs: 'base-missing' }));
  const objects = changes.filter((change) => !change.deleted).map((change) => change.object);
  const bodies = readObjects(objects, { environment, cwd: job.directory });
  const links = await linksOf(context);
  for (const line of skipped) await print(line);
  for (const { path: bytes, mode, deleted } of changes) {
    const path = decodedPath(bytes) ?? '';
    if (deleted) {
      await print({ type: 'deletion', path });
      continue;
    }
    const body = await bodies.next();
    if (body.done === true || !isFileMode(mode)) {
      throw new CollectError('git-failed', `${path} has the unexpected mode ${mode}`);
    }
    await print({ type: 'file', path, mode, content: body.value.toString('base64') });
  }
  // Runs the generator to its end, where it checks the number of objects.
  await bodies.next();
  await print({
    type: 'end',
    base: job.base,
    entries: changes.length + skipped.length,
    links,
    diskFull: wasFull || (await isFull(job.directory)),
  });
}

/** A file system without a size has no blocks. */
async function isFull(folder: string): Promise<boolean> {
  const { blocks, bavail, bsize } = await statfs(folder);
  return blocks > 0 && bavail * bsize < fullBytes;
}

const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['disk-full', 'ENOSPC', 'EDQUOT'].includes(String(error.code));

/** Collects in a new scratch folder. If the disk is full, deletes what nothing needs any more and retries. */
async function collectWithRoom(job: CollectJob): Promise<void> {
  for (const wasFull of [false, true]) {
    const scratch = await mkdtemp(join(tmpdir(), 'airlock-collect-'));
    try {
      await collect(job, scratch, wasFull);
      return;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      if (wasFull)
        throw new CollectError('disk-full', 'the disk of the sandbox is full, also without package caches');
      for (const path of job.disposable) await rm(path, { recursive: true, force: true });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}

async function main(): Promise<void> {
  try {
    const job = parseJob(await readFile(process.argv[2] ?? '', 'utf8'));
    if (job.endOtherProcesses && !(await endOtherProcesses(5000))) {
      throw new CollectError('processes-remain', 'some processes in the sandbox could not be ended');
    }
    await collectWithRoom(job);
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, 400);
    await print({ type: 'failed', code: error instanceof CollectError ? error.code : 'git-failed', message });
    process.exitCode = 1;
  }
}

runMain(main);
