/**
 * Runs inside the sandbox before Codex, detached: `node setup.ts <jobfile>`. Runs the configured command in the clone, ends what it left
 * running, puts tracked files back, says what new files are left, and packs what was installed for the cache. Prints one JSON line
 * (`setupResultSchema`). Decides nothing about the task.
 *
 * The command has this script's own user and can kill it or speak in its place. Nothing that it says is trusted.
 */
import { spawn } from 'node:child_process';
import { lstat, mkdtemp, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SetupJob, SetupResult } from '../src/core/setup.ts';
import { endOtherProcesses } from './end-processes.ts';
import { freshGit, type Git } from './fresh-git.ts';
import { nulRecords } from './index-changes.ts';
import { lfsStanding } from './lfs-files.ts';
import { packFiles, unpackFiles } from './packed-files.ts';
import { parseSetupJob } from './setup-job.ts';
import { decodedPath } from './working-tree.ts';

const endMs = 5_000;
const maxListBytes = 64 * 1024 * 1024;
const maxPutBackNamed = 50;
/** Of all paths together that are named: they travel in one line. */
const maxNamedCharacters = 200_000;

type Ended = Pick<SetupResult, 'exitCode' | 'durationMs' | 'outputTail'>;

/** To its end or to the time limit. What it left in the background is not waited for. */
async function runCommand(job: SetupJob): Promise<Ended> {
  const startedAt = performance.now();
  const child = spawn('/bin/sh', ['-c', job.run], {
    cwd: job.directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that the time limit ends all of it.
    detached: true,
  });
  let output = '';
  const decoder = new TextDecoder();
  const keep = (chunk: Buffer): void => {
    output = (output + decoder.decode(chunk, { stream: true })).slice(-job.maxOutputCharacters);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
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
  // What was written before the end may still be in the pipe; whoever holds it open is not waited for.
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.stdout.destroy();
  child.stderr.destroy();
  return {
    exitCode: timedOut ? null : exitCode,
    durationMs: Math.round(performance.now() - startedAt),
    outputTail: output.replace(/^[\uDC00-\uDFFF]/, ''),
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself at the same time.
  }
}

/** Tracked files as the base commit has them. What Codex is to change must not begin with changes that nobody asked for. */
async function putBackTracked(
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
    // The kept index is missing or broken: the base's tree says the same, only slower.
    await rm(join(scratch, 'index'), { force: true });
    await git(['read-tree', job.base]);
    changed = [...new Set(await list())];
  }
  if (job.lfs && changed.length > 0) {
    // An object is in the place of its pointer; one that setup changed cannot be had again, and the collector says so.
    const standing = await lfsStanding({ git, environment, directory: job.directory }, changed);
    changed = changed.filter((path) => !standing.has(path));
  }
  if (changed.length > 0)
    await git(['checkout-index', '--force', '-z', '--stdin'], {
      input: changed.map((path) => `${path}\0`).join(''),
    });
  return changed;
}

/** Folders that are new as a whole end with a slash. */
async function newPaths(git: Git, ...which: readonly string[]): Promise<readonly string[]> {
  const argv = ['ls-files', '-z', '--others', '--exclude-standard', '--directory', '--no-empty-directory'];
  return nulRecords(await git([...argv, ...which], { maxBytes: maxListBytes }));
}

function named(paths: readonly string[], max: number): { paths: string[]; total: number } {
  const shown: string[] = [];
  let characters = 0;
  for (const path of paths) {
    const text = decodedPath(path);
    // What is not UTF-8 cannot be published anyway.
    if (text === null || text.length > 4096) continue;
    characters += text.length;
    if (shown.length >= max || characters > maxNamedCharacters) break;
    shown.push(text);
  }
  return { paths: shown, total: paths.length };
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(async (path) =>
      lstat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => found[index] === true);
}

async function setUp(job: SetupJob, scratch: string): Promise<SetupResult> {
  const restored = job.restore && (await unpackFiles(job.packedFolder));
  const ended = await runCommand(job);
  const nothing = { paths: [], total: 0 };
  const result: SetupResult = {
    ...ended,
    restored,
    putBack: nothing,
    left: nothing,
    packed: null,
    problem: null,
  };
  if (job.endOtherProcesses && !(await endOtherProcesses(endMs)))
    return { ...result, problem: 'processes that setup started could not be ended' };
  try {
    const refuse = (_code: string, message: string) => new Error(message);
    const { git, environment } = await freshGit(job, scratch, refuse);
    const putBack = await putBackTracked(job, { git, environment }, scratch);
    const left = await newPaths(git);
    const ignored = await newPaths(git, '--ignored');
    const inClone = [...new Set([...ignored, ...left])].map((path) => `${job.directory}/${path}`);
    const worthKeeping = job.pack && ended.exitCode === 0;
    const packing = worthKeeping ? [...inClone, ...(await existing(job.packageFolders))] : [];
    const packed =
      packing.length === 0 ? null : await packFiles(packing, job.packedFolder, job.maxPackedBytes);
    return {
      ...result,
      putBack: named(putBack, maxPutBackNamed),
      left: named(left, job.maxLeftPaths),
      packed,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...result, problem: `the working tree could not be read after setup: ${why}`.slice(0, 400) };
  }
}

const scratch = await mkdtemp(join(tmpdir(), 'airlock-setup-git-'));
try {
  const result = await setUp(parseSetupJob(await readFile(process.argv[2] ?? '', 'utf8')), scratch);
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
