/**
 * Runs inside the sandbox before Codex: makes the clone, byte-exact, at one recorded commit.
 * `node clone.ts <jobfile>`; prints one JSON line (`cloneResultSchema`), git's progress goes to stderr.
 *
 * The clone is made beside its place and renamed into it, so it is there whole or not at all, and an attempt that
 * overlaps another, or follows one that was killed, ends in the same clone. It holds no credential and knows no
 * way to write: the gateway outside adds a read token to each request.
 */
import { link, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CloneJob, CloneResult } from '../src/core/checkout.ts';
import type { Git } from './fresh-git.ts';
import { copyIndex, gitComplaint, gitEnvironment, neutralAttributes, runGit } from './git.ts';
import { fetchLfsFiles, LfsError } from './lfs-files.ts';

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
      throw new CloneError('bad-job', `the job's ${name} is not usable`);
    return found;
  };
  return {
    url: field('url', /^(?:https?|file):\/\/[^\s@]+$/),
    sha: field('sha', /^[0-9a-f]{40}$/),
    branch: field('branch', /^[^-\s\p{Cc}][^\s\p{Cc}]*$/u),
    directory: field('directory', /^\/./),
    objectStore: field('objectStore', /^\/./),
    lfs: typeof value === 'object' && value !== null && Reflect.get(value, 'lfs') === true,
  };
}

/** The same words for the same trouble, whatever git's wording; anything else is told in git's own. */
const complaints: readonly (readonly [RegExp, Failure['code'], string])[] = [
  [
    /not our ref|no such remote ref|couldn't find remote ref/i,
    'commit-not-found',
    'the base commit is no longer on the server',
  ],
  [
    /repository .*not found|returned error: 404|does not appear to be a git repository/i,
    'not-found',
    'the repository was not found',
  ],
  [
    /returned error: 40[13]|authentication failed|terminal prompts disabled/i,
    'refused',
    'reading the repository was refused',
  ],
  [
    /no space left on device|disk quota exceeded/i,
    'disk-full',
    'the workspace is full: the repository is too large for it',
  ],
  [
    /could ?n[o']t resolve|failed to connect|could not connect|timed out|returned error: 5\d\d|early eof|rpc failed|hung up|SSL|too slow/i,
    'unreachable',
    'the git server could not be reached',
  ],
  [
    /invalid path|unable to checkout|cannot create|file name too long/i,
    'bad-tree',
    'the commit cannot be checked out here',
  ],
];

function complain(stderr: string): CloneError {
  const said = gitComplaint(stderr);
  for (const [pattern, code, message] of complaints) {
    if (pattern.test(stderr)) return new CloneError(code, `${message} (${said})`);
  }
  return new CloneError('git-failed', said);
}

/**
 * Written rather than set: one process less for each line. `fetch.unpackLimit` makes even a small fetch one pack,
 * which can be linked into the object store.
 */
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

/** The commit of a clone that was finished here before; the marker is written before the rename and so part of it. */
async function finishedAt(directory: string): Promise<string | null> {
  try {
    return (await readFile(join(directory, '.git', 'airlock-base'), 'utf8')).trim();
  } catch {
    // Not there, or not a finished clone: both mean that there is work to do.
    return null;
  }
}

async function fetchAndCheckOut(job: CloneJob, tree: string): Promise<void> {
  const limits = { environment: gitEnvironment('/nonexistent'), cwd: tree, timeoutMs: 900_000 };
  const git = async (...argv: string[]): Promise<void> => {
    const run = await runGit(argv, { ...limits, showProgress: true });
    if (run.exitCode !== 0) throw complain(run.stderr);
  };
  await git('init', '--quiet', '--template=', `--initial-branch=${job.branch}`);
  const gitDir = join(tree, '.git');
  await mkdir(join(gitDir, 'info'), { recursive: true });
  await Promise.all([
    writeFile(join(gitDir, 'config'), config(job)),
    writeFile(join(gitDir, 'info', 'attributes'), neutralAttributes),
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
  );
  // On a branch without a commit this creates the branch, fills the index and writes the files: one process for three.
  await git('reset', '--quiet', '--hard', job.sha);
  const head = (await readFile(join(gitDir, 'refs', 'heads', job.branch), 'utf8')).trim();
  if (head !== job.sha) throw new CloneError('git-failed', `the clone stands at ${head}, not at ${job.sha}`);
}

/**
 * A second, independent set of names for the pack of the base commit and a copy of the fresh index: whatever
 * happens to `.git` later, the collector still knows what the base was, and which files it need not read again.
 */
async function keepBase(tree: string, store: string): Promise<void> {
  const packs = join(tree, '.git', 'objects', 'pack');
  await mkdir(join(store, 'objects', 'pack'), { recursive: true });
  const names = await readdir(packs);
  await Promise.all(names.map((name) => link(join(packs, name), join(store, 'objects', 'pack', name))));
  await copyIndex(join(tree, '.git', 'index'), join(store, 'index'));
}

/** After the base is kept: to git the tree then differs from its commit, which the clone is told not to look for. */
async function fetchLfs(job: CloneJob, tree: string, attempt: string): Promise<void> {
  const environment = gitEnvironment('/nonexistent');
  const git: Git = async (argv, { input } = {}) => {
    const more = input === undefined ? {} : { input: Buffer.from(input, 'latin1') };
    const run = await runGit(argv, { environment, cwd: tree, ...more });
    if (run.exitCode !== 0) throw complain(run.stderr);
    return run.stdout.toString('latin1');
  };
  const where = { git, environment, directory: tree };
  const paths = await fetchLfsFiles(where, job.url, join(attempt, 'lfs')).catch((error: unknown) => {
    throw error instanceof LfsError
      ? new CloneError(error.mayPass ? 'unreachable' : 'lfs-failed', error.message)
      : error;
  });
  if (paths.length > 0)
    await git(['update-index', '--skip-worktree', '-z', '--stdin'], {
      input: paths.map((path) => `${path}\0`).join(''),
    });
}

/** Puts a finished folder in its place. False when another attempt's stands there already. */
async function place(from: string, to: string): Promise<boolean> {
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
  if ((await finishedAt(job.directory)) === job.sha) return cloned(true);
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
    if (job.lfs) await fetchLfs(job, tree, attempt);
    // The store first: a clone that is in its place always has one. Any attempt's will do, the commit is the same.
    await place(store, job.objectStore);
    if (await place(tree, job.directory)) return cloned(false);
    if ((await finishedAt(job.directory)) === job.sha) return cloned(true);
    throw new CloneError('git-failed', `${job.directory} is taken by something else`);
  } catch (error) {
    // An attempt that overtook this one cleans up after the others; then it is done, whatever broke here.
    if ((await finishedAt(job.directory)) === job.sha) return cloned(true);
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

/** Leftovers of attempts that were killed. Only once the clone is there: until then one of them may be at work. */
async function sweep(job: CloneJob): Promise<void> {
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
    // A leftover that cannot be removed costs space, not correctness.
    await sweep(job).catch(() => undefined);
  } catch (error) {
    result = failure(error);
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.ok ? 0 : 1;
}

await main();
