/**
 * Runs setup inside the sandbox, detached: `node setup.ts <jobfile>`. Kills its leftover processes, or stops
 * them meanwhile if they are services; restores tracked files, lists new ones, and packs for the cache;
 * prints one JSON line. The command runs as the same user, so the output is untrusted.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SetupJob, SetupResult } from '../src/core/setup.ts';
import { endOtherProcesses, whileOthersAreStopped } from './end-processes.ts';
import { freshGit, type Git } from './fresh-git.ts';
import { indexEntries, nulRecords } from './index-changes.ts';
import { pointersAmong } from './lfs-files.ts';
import { packableFiles } from './packable-files.ts';
import { packFiles } from './packed-files.ts';
import { runMain } from './run-main.ts';
import { parseSetupJob } from './setup-job.ts';
import { decodedPath, exists, isUntouched, setupDone } from './working-tree.ts';

const endMs = 5_000;
const maxListBytes = 64 * 1024 * 1024;
const noEntry = { mode: '', object: '' };
const maxRestoredNamed = 50;
/** Limit for all listed paths together, because they are printed in one line. */
const maxNamedCharacters = 200_000;

type Ended = Pick<SetupResult, 'exitCode' | 'durationMs' | 'outputTail'>;

/** Runs the setup command to its end or its time limit. Does not wait for background processes. */
async function runCommand(job: SetupJob, scratch: string): Promise<Ended> {
  const startedAt = performance.now();
  // Services keep their output: as a pipe without a reader it would end them.
  const file = job.keepProcesses ? await open(join(scratch, 'output'), 'a+') : null;
  const child = spawn('/bin/sh', ['-c', job.run], {
    cwd: job.directory,
    stdio: ['ignore', file?.fd ?? 'pipe', file?.fd ?? 'pipe'],
    // Its own process group, so that the time limit kills all of it.
    detached: true,
  });
  let output = '';
  const decoder = new TextDecoder();
  const keep = (chunk: Buffer): void => {
    output = (output + decoder.decode(chunk, { stream: true })).slice(-job.maxOutputCharacters);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, job.timeoutMs);
  const exitCode = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  clearTimeout(timer);
  // The pipe can still contain output from before the end. A background process that keeps it open is not
  // waited for.
  if (file === null) await new Promise((resolve) => setTimeout(resolve, 100));
  else keep(await endOf(file, 4 * job.maxOutputCharacters));
  child.stdout?.destroy();
  child.stderr?.destroy();
  await file?.close();
  return {
    exitCode: timedOut ? null : exitCode,
    durationMs: Math.round(performance.now() - startedAt),
    outputTail: output.replace(/^[\uDC00-\uDFFF]/, ''),
  };
}

/** The last bytes of a file. */
async function endOf(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(Math.min(size, maxBytes));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
  return bytes.subarray(0, bytesRead);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself at the same time.
  }
}

/** To the base, so that setup's changes are not published as Codex's. Returns their paths. */
async function restoreTracked(
  job: SetupJob,
  { git, environment }: { git: Git; environment: Record<string, string> },
  scratch: string,
): Promise<readonly string[]> {
  const list = async () =>
    nulRecords(await git(['ls-files', '-z', '--modified', '--deleted'], { maxBytes: maxListBytes }));
  let changed: string[];
  try {
    changed = [...new Set(await list())];
  } catch {
    // The kept index is missing or damaged: read it from the base commit, which is slower.
    await rm(join(scratch, 'index'), { force: true });
    await git(['read-tree', job.base]);
    changed = [...new Set(await list())];
  }
  if (changed.length > 0) {
    const entries = await indexEntries(git);
    // LFS files hold objects, not pointers. One that setup changed cannot be restored; the collector reports
    // it.
    const pointers = job.lfs
      ? await pointersAmong(
          { git, environment, directory: job.directory },
          changed.flatMap((path) => [[path, entries.get(path) ?? noEntry] as const]),
        )
      : new Map<string, never>();
    const kept = await Promise.all(
      changed.map(async (path) =>
        pointers.has(path)
          ? await exists(job.directory, path)
          : await isUntouched(job.directory, path, entries.get(path) ?? noEntry),
      ),
    );
    changed = changed.filter((_, at) => kept[at] !== true);
  }
  if (changed.length > 0)
    await git(['checkout-index', '--force', '-z', '--stdin'], {
      input: changed.map((path) => `${path}\0`).join(''),
    });
  return changed;
}

/** Lists untracked paths. A folder that is new as a whole is one entry and ends with a slash. */
async function newPaths(git: Git, ...which: readonly string[]): Promise<readonly string[]> {
  const argv = ['ls-files', '-z', '--others', '--exclude-standard', '--directory', '--no-empty-directory'];
  return nulRecords(await git([...argv, ...which], { maxBytes: maxListBytes }));
}

/** Returns the first paths, within `max` and `maxNamedCharacters`, and the number of all. */
function listPaths(paths: readonly string[], max: number): { paths: string[]; total: number } {
  const shown: string[] = [];
  let characters = 0;
  for (const path of paths) {
    const text = decodedPath(path);
    // A path that is not UTF-8 cannot be published anyway.
    if (text === null || text.length > 4096) continue;
    characters += text.length;
    if (shown.length >= max || characters > maxNamedCharacters) break;
    shown.push(text);
  }
  return { paths: shown, total: paths.length };
}

/** What the cache takes: ignored files of the clone, and the package managers' folders. */
async function worthKeeping(job: SetupJob, ignored: readonly string[]): Promise<readonly string[]> {
  const paths = ignored
    .filter((path) => !job.neverCached.includes((path.split('/')[0] ?? '').toLowerCase()))
    .map((path) => `${job.directory}/${path.replace(/\/$/, '')}`);
  const roots = [
    { root: job.directory, paths, without: ['.git'] },
    ...job.packageFolders.map((folder) => ({ root: folder, paths: [folder], without: [] })),
  ];
  return (await Promise.all(roots.map(packableFiles))).flat();
}

async function setUp(job: SetupJob, scratch: string): Promise<SetupResult> {
  const ended = await runCommand(job, scratch);
  const nothing = { paths: [], total: 0 };
  const result: SetupResult = {
    ...ended,
    restored: nothing,
    pathsLeftBySetup: nothing,
    packed: null,
    problem: null,
  };
  const finish = async () => await readTree(job, result, scratch);
  if (!job.endOtherProcesses) return await finish();
  if (job.keepProcesses) {
    const read = await whileOthersAreStopped(endMs, finish);
    return read ?? { ...result, problem: 'some processes that setup started could not be stopped' };
  }
  if (!(await endOtherProcesses(endMs)))
    return { ...result, problem: 'some processes that setup started could not be ended' };
  return await finish();
}

/** Restores tracked files, lists new ones and packs, while nothing else changes the tree. */
async function readTree(job: SetupJob, result: SetupResult, scratch: string): Promise<SetupResult> {
  try {
    const failWith = (_code: string, message: string) => new Error(message);
    const { git, environment } = await freshGit(job, scratch, failWith);
    const restored = await restoreTracked(job, { git, environment }, scratch);
    const left = await newPaths(git);
    const ignored = await newPaths(git, '--ignored');
    // Tells the collector which ignored files are older than Codex's run.
    await writeFile(join(job.objectStore, setupDone), '');
    const packing = job.pack && result.exitCode === 0 ? await worthKeeping(job, ignored) : [];
    const packed =
      packing.length === 0 ? null : await packFiles(packing, job.packedFolder, job.maxPackedBytes);
    return {
      ...result,
      restored: listPaths(restored, maxRestoredNamed),
      pathsLeftBySetup: listPaths(left, job.maxLeftPaths),
      packed,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...result, problem: `the working tree could not be read after setup: ${why}`.slice(0, 400) };
  }
}

async function main(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'airlock-setup-git-'));
  try {
    const result = await setUp(parseSetupJob(await readFile(process.argv[2] ?? '', 'utf8')), scratch);
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

runMain(main);
