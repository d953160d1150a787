/**
 * Clones the repository at one given commit: `node clone.ts <jobfile>`; prints one JSON line
 * (`cloneResultSchema`). Renames the finished clone into place, so that concurrent or repeated attempts end
 * in the same one. Holds no credential: the egress handler adds a read token.
 */
import { link, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CloneJob, CloneResult } from '../src/core/checkout.ts';
import { reserveRoom } from './disk-reserve.ts';
import type { Git } from './fresh-git.ts';
import { attributesWithoutFilters, copyIndex, gitEnvironment, gitReason, runGit } from './git.ts';
import { fetchLfsFiles, LfsError } from './lfs-files.ts';
import { runMain } from './run-main.ts';

type Failure = Extract<CloneResult, { ok: false }>;

class CloneError extends Error {
  readonly code: Failure['code'];
  constructor(code: Failure['code'], message: string) {
    super(message);
    this.code = code;
  }
}

function parseJob(text: string): CloneJob {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CloneError('bad-job', 'the job file is not JSON');
  }
  const field = (name: string, shape: RegExp): string => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof found !== 'string' || !shape.test(found))
      throw new CloneError('bad-job', `the job's ${name} is missing or invalid`);
    return found;
  };
  return {
    url: field('url', /^(?:https?|file):\/\/[^\s@]+$/),
    sha: field('sha', /^[0-9a-f]{40}$/),
    branch: field('branch', /^[^-\s\p{Cc}][^\s\p{Cc}]*$/u),
    directory: field('directory', /^\/./),
    objectStore: field('objectStore', /^\/./),
    also: alsoIn(value),
    lfs: typeof value === 'object' && value !== null && Reflect.get(value, 'lfs') === true,
  };
}

function alsoIn(job: unknown): CloneJob['also'] {
  const also: unknown = typeof job === 'object' && job !== null ? Reflect.get(job, 'also') : undefined;
  if (also === undefined) return [];
  const shape = /^\+[0-9a-f]{40}:refs\/[^\s\p{Cc}:]+$/u;
  if (Array.isArray(also) && also.every((one): one is string => typeof one === 'string' && shape.test(one)))
    return also;
  throw new CloneError('bad-job', "the job's also is invalid");
}

/** Maps git's error messages to codes and plain messages. Any other error keeps git's own message. */
const knownErrors: readonly (readonly [RegExp, Failure['code'], string])[] = [
  [
    /not our ref|no such remote ref|couldn't find remote ref/i,
    'commit-not-found',
    'the server no longer has the base commit',
  ],
  [
    /repository .*not found|returned error: 404|does not appear to be a git repository/i,
    'not-found',
    'the repository was not found',
  ],
  [
    /returned error: 40[13]|authentication failed|terminal prompts disabled/i,
    'refused',
    'the server refused read access to the repository',
  ],
  [
    /no space left on device|disk quota exceeded/i,
    'disk-full',
    'the repository is too large for the disk of the sandbox',
  ],
  [
    /could ?n[o']t resolve|failed to connect|could not connect|timed out|returned error: (?:429|5\d\d)|early eof|rpc failed|hung up|SSL|too slow/i,
    'unreachable',
    'the git server could not be reached',
  ],
  [
    /invalid path|unable to checkout|cannot create|file name too long/i,
    'bad-tree',
    'the commit contains a path that cannot be checked out',
  ],
];

function cloneErrorOf(stderr: string): CloneError {
  const reason = gitReason(stderr);
  for (const [pattern, code, message] of knownErrors) {
    if (pattern.test(stderr)) return new CloneError(code, `${message} (${reason})`);
  }
  return new CloneError('git-failed', reason);
}

/** A file, because `git config` costs a process per line. `fetch.unpackLimit`: packs can be hard-linked. */
function config(job: CloneJob): string {
  return `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
\tautocrlf = false
\thooksPath = /dev/null
[remote "origin"]
\turl = ${job.url}
\tfetch = +refs/heads/*:refs/remotes/origin/*
\ttagOpt = --no-tags
[user]
\tname = Codex
\temail = codex@airlock.invalid
[fetch]
\tunpackLimit = 1
[gc]
\tauto = 0
[maintenance]
\tauto = false
[submodule]
\trecurse = false
[commit]
\tgpgSign = false
[credential]
\thelper =
[http]
\tlowSpeedLimit = 1000
\tlowSpeedTime = 60
`;
}

/** Null if there is none. The marker file is part of the renamed folder. */
async function finishedCommit(directory: string): Promise<string | null> {
  try {
    return (await readFile(join(directory, '.git', 'airlock-base'), 'utf8')).trim();
  } catch {
    // No clone, or an unfinished one.
    return null;
  }
}

async function fetchAndCheckOut(job: CloneJob, tree: string): Promise<void> {
  const limits = { environment: gitEnvironment('/nonexistent'), cwd: tree, timeoutMs: 900_000 };
  const git = async (...argv: string[]): Promise<void> => {
    const run = await runGit(argv, { ...limits, showProgress: true });
    if (run.exitCode !== 0) throw cloneErrorOf(run.stderr);
  };
  await git('init', '--quiet', '--template=', `--initial-branch=${job.branch}`);
  const gitDir = join(tree, '.git');
  await mkdir(join(gitDir, 'info'), { recursive: true });
  await Promise.all([
    writeFile(join(gitDir, 'config'), config(job)),
    writeFile(join(gitDir, 'info', 'attributes'), attributesWithoutFilters),
    writeFile(join(gitDir, 'airlock-base'), `${job.sha}\n`),
  ]);
  const target = `+${job.sha}:refs/remotes/origin/${job.branch}`;
  await git(
    'fetch',
    '--progress',
    '--depth=50',
    '--no-tags',
    '--no-recurse-submodules',
    '--no-write-fetch-head',
    'origin',
    target,
    ...job.also,
  );
  // On a branch without commits one `reset` creates the branch, fills the index and writes the files.
  await git('reset', '--quiet', '--hard', job.sha);
  const head = (await readFile(join(gitDir, 'refs', 'heads', job.branch), 'utf8')).trim();
  if (head !== job.sha)
    throw new CloneError('git-failed', `the clone is at commit ${head} instead of ${job.sha}`);
}

/** Outside the clone, so that whatever happens to `.git`, the collector knows base and unchanged files. */
async function keepBase(tree: string, store: string): Promise<void> {
  const packs = join(tree, '.git', 'objects', 'pack');
  await mkdir(join(store, 'objects', 'pack'), { recursive: true });
  const names = await readdir(packs);
  await Promise.all(names.map((name) => link(join(packs, name), join(store, 'objects', 'pack', name))));
  await copyIndex(join(tree, '.git', 'index'), join(store, 'index'));
}

/** Replaces LFS pointers. After `keepBase`: marks the files so that git sees them as unmodified. */
async function fetchLfs(job: CloneJob, tree: string, attempt: string): Promise<void> {
  const environment = gitEnvironment('/nonexistent');
  const git: Git = async (argv, { input } = {}) => {
    const more = input === undefined ? {} : { input: Buffer.from(input, 'latin1') };
    const run = await runGit(argv, { environment, cwd: tree, ...more });
    if (run.exitCode !== 0) throw cloneErrorOf(run.stderr);
    return run.stdout.toString('latin1');
  };
  const context = { git, environment, directory: tree };
  const paths = await fetchLfsFiles(context, job.url, join(attempt, 'lfs')).catch((error: unknown) => {
    throw error instanceof LfsError
      ? new CloneError(error.transient ? 'unreachable' : 'lfs-failed', error.message)
      : error;
  });
  if (paths.length > 0)
    await git(['update-index', '--skip-worktree', '-z', '--stdin'], {
      input: paths.map((path) => `${path}\0`).join(''),
    });
}

/** Renames a finished folder to its final path. False if another attempt was there first. */
async function moveIntoPlace(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

async function clone(job: CloneJob, startedAt: number): Promise<CloneResult> {
  const cloned = (found: boolean): CloneResult => ({
    ok: true,
    sha: job.sha,
    found,
    elapsedMs: Math.round(performance.now() - startedAt),
  });
  if ((await finishedCommit(job.directory)) === job.sha) return cloned(true);
  const parent = dirname(job.directory);
  await mkdir(parent, { recursive: true });
  const prefix = `.${basename(job.directory)}.attempt-`;
  const attempt = await mkdtemp(join(parent, prefix));
  try {
    const tree = join(attempt, 'tree');
    const store = join(attempt, 'store');
    await mkdir(tree);
    await fetchAndCheckOut(job, tree);
    await keepBase(tree, store);
    await reserveRoom(store);
    if (job.lfs) await fetchLfs(job, tree, attempt);
    // The object store goes first, so that every finished clone has one. Every attempt's store has the same
    // commit.
    await moveIntoPlace(store, job.objectStore);
    if (await moveIntoPlace(tree, job.directory)) return cloned(false);
    if ((await finishedCommit(job.directory)) === job.sha) return cloned(true);
    throw new CloneError('git-failed', `${job.directory} exists and is not the clone`);
  } catch (error) {
    // A concurrent attempt can have finished and deleted this attempt's folder; then the clone is done.
    if ((await finishedCommit(job.directory)) === job.sha) return cloned(true);
    throw error;
  } finally {
    await rm(attempt, { recursive: true, force: true });
  }
}

function failure(error: unknown): Failure {
  if (error instanceof CloneError) return { ok: false, code: error.code, error: error.message.slice(0, 400) };
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, code: code === 'ENOSPC' ? 'disk-full' : 'git-failed', error: message.slice(0, 400) };
}

/** Of killed attempts. Only after the clone is finished: before, one can still be running. */
async function deleteAttempts(job: CloneJob): Promise<void> {
  const parent = dirname(job.directory);
  const prefix = `.${basename(job.directory)}.attempt-`;
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  await Promise.all(names.map((name) => rm(join(parent, name), { recursive: true, force: true })));
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  let result: CloneResult;
  try {
    const jobFile = process.argv[2];
    if (jobFile === undefined) throw new CloneError('bad-job', 'usage: clone.ts <jobfile>');
    if (!(await lstat(jobFile)).isFile())
      throw new CloneError('bad-job', 'the job file is not a regular file');
    const job = parseJob(await readFile(jobFile, 'utf8'));
    result = await clone(job, startedAt);
    // A leftover folder costs only disk space.
    await deleteAttempts(job).catch(() => undefined);
  } catch (error) {
    result = failure(error);
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.ok ? 0 : 1;
}

runMain(main);
