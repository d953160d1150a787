/**
 * Runs inside the sandbox after Codex: collects the change set as lines of `src/core/change-set.ts`, by
 * comparing the working tree with the base commit. `node collect.ts <jobfile>`; exit code 0 if and only if
 * the last line is `end`.
 *
 * Compares by means of a new git folder and the objects that `clone.ts` kept outside the clone. The clone's
 * configuration, hooks, attributes, index, excludes and history have no effect. Commits that Codex made count
 * through their files. The output is untrusted all the same, and the Worker parses it as such.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChangeLine, CollectJob } from '../src/core/change-set.ts';
import { endOtherProcesses } from './end-processes.ts';
import { freshGit, type Git } from './fresh-git.ts';
import { runGit } from './git.ts';
import { lfsFileStates } from './lfs-files.ts';
import { nulRecords, parseDiffIndex, readObjects } from './index-changes.ts';
import { decodedPath, isPlainFolder, treeInspector } from './working-tree.ts';

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
    lfs: read(value, 'lfs') === true,
    limits: {
      maxFileBytes: limit('maxFileBytes'),
      maxChangeBytes: limit('maxChangeBytes'),
      maxChangedFiles: limit('maxChangedFiles'),
      maxDiffCharacters: limit('maxDiffCharacters'),
    },
  };
}

/**
 * Lists tracked paths that are modified or deleted, and untracked paths that no `.gitignore` of the tree
 * excludes.
 */
async function changedPaths(job: CollectJob, git: Git, folder: string): Promise<readonly string[]> {
  const list = () =>
    git(['ls-files', '-z', '--modified', '--deleted', '--others', '--exclude-standard'], {
      maxBytes: 32 * 1024 * 1024,
    });
  try {
    return [...new Set(nulRecords(await list()))];
  } catch (error) {
    if (error instanceof CollectError && error.code !== 'git-failed') throw error;
    // The kept index is missing or damaged: read it from the base commit, which is slower.
    await rm(join(folder, 'index'), { force: true });
    await git(['read-tree', job.base], { failsAs: 'base-missing' });
    return [...new Set(nulRecords(await list()))];
  }
}

/** Returns a test for paths that equal an entry, or are below an entry that ends with a slash. */
function pathMatcher(paths: readonly string[]): (path: string) => boolean {
  const all = paths.map((path) => Buffer.from(path, 'utf8').toString('latin1'));
  const files = new Set(all);
  const folders = all.filter((path) => path.endsWith('/'));
  return (path) => files.has(path) || folders.some((folder) => path.startsWith(folder));
}

/**
 * Updates the index to the working tree. Returns a `skipped` line for each path that stays as in the base.
 */
async function indexWorkingTree(
  job: CollectJob,
  { git, environment }: { git: Git; environment: Record<string, string> },
  folder: string,
): Promise<readonly ChangeLine[]> {
  const inspect = treeInspector(job.directory, job.limits.maxFileBytes);
  const added: string[] = [];
  const removed: string[] = [];
  const folders: string[] = [];
  const skipped: ChangeLine[] = [];
  let bytes = 0;
  const skip = (path: string, why: Extract<ChangeLine, { type: 'skipped' }>['why']): void => {
    const shown = decodedPath(path) ?? Buffer.from(path, 'latin1').toString('utf8');
    skipped.push({ type: 'skipped', path: shown.slice(0, 4096), why });
  };
  const isLeftBySetup = pathMatcher(job.pathsLeftBySetup);
  const changed = (await changedPaths(job, git, folder)).filter((path) => !isLeftBySetup(path));
  const context = { git, environment, directory: job.directory };
  const lfsStates = job.lfs ? await lfsFileStates(context, changed) : new Map<string, never>();
  for (const [path, state] of lfsStates) if (state === 'changed') skip(path, 'lfs');
  const candidates = changed.filter((path) => !lfsStates.has(path));
  if (candidates.length > job.limits.maxChangedFiles) {
    throw new CollectError(
      'too-many-files',
      `${candidates.length} files changed; at most ${job.limits.maxChangedFiles} can be published ` +
        '(is a folder missing from .gitignore?)',
    );
  }
  for (const path of candidates) {
    const finding = await inspect(path);
    if (finding.kind === 'add') {
      added.push(path);
      bytes += finding.bytes;
    } else if (finding.kind === 'remove') removed.push(path);
    else if (finding.kind === 'folder') folders.push(path);
    else skip(path, finding.why);
  }
  // Checked before anything is written, because the scratch folder is limited too.
  if (bytes > job.limits.maxChangeBytes) {
    throw new CollectError(
      'too-large',
      `the changed files have ${bytes} bytes; at most ${job.limits.maxChangeBytes} can be published`,
    );
  }
  if (folders.length > 0) {
    const submodules = new Set(
      nulRecords(await git(['ls-files', '-z', '--stage']))
        .filter((record) => record.startsWith('160000 '))
        .map((record) => record.slice(record.indexOf('\t') + 1)),
    );
    for (const path of folders) {
      if (submodules.has(path)) skip(path, 'submodule');
      else removed.push(path);
    }
  }
  if (removed.length > 0) {
    const input = removed.map((path) => `0 ${'0'.repeat(40)}\t${path}\0`).join('');
    await git(['update-index', '-z', '--index-info'], { input });
  }
  if (added.length > 0) {
    await git(['update-index', '-z', '--add', '--replace', '--stdin'], {
      input: added.map((path) => `${path}\0`).join(''),
    });
  }
  return skipped;
}

type FileMode = Extract<ChangeLine, { type: 'file' }>['mode'];
const isFileMode = (mode: string): mode is FileMode =>
  mode === '100644' || mode === '100755' || mode === '120000';

async function print(line: ChangeLine): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(line)}\n`)) await once(process.stdout, 'drain');
}

async function collect(job: CollectJob, scratch: string): Promise<void> {
  if (!(await isPlainFolder(job.directory))) {
    throw new CollectError('working-tree-missing', 'the working tree was deleted');
  }
  const failWith = (code: Failure['code'], message: string) => new CollectError(code, message);
  const { git, environment } = await freshGit(job, scratch, failWith);
  const skipped = await indexWorkingTree(job, { git, environment }, scratch);
  const common = ['--cached', '--no-renames', '--no-ext-diff', '--no-textconv', job.base];
  const [summary, patch] = await Promise.all([
    git(['diff-index', '--raw', '--numstat', '-z', ...common], { failsAs: 'base-missing' }),
    runGit(['diff-index', '--patch', '--no-color', ...common], {
      environment,
      cwd: job.directory,
      maxBytes: job.limits.maxDiffCharacters,
    }),
  ]);
  const { changes, insertions, deletions } = parseDiffIndex(summary);
  const objects = changes.filter((change) => !change.deleted).map((change) => change.object);
  const bodies = readObjects(objects, { environment, cwd: job.directory });
  for (const line of skipped) await print(line);
  for (const { path: bytes, mode, modeBefore, deleted } of changes) {
    const path = decodedPath(bytes) ?? '';
    if (deleted) {
      await print({ type: 'deletion', path });
      continue;
    }
    const body = await bodies.next();
    if (body.done === true || !isFileMode(mode)) {
      throw new CollectError('git-failed', `${path} has the unexpected mode ${mode}`);
    }
    const before = isFileMode(modeBefore) ? modeBefore : null;
    await print({ type: 'file', path, mode, modeBefore: before, content: body.value.toString('base64') });
  }
  // Runs the generator to its end, where it checks the number of objects.
  await bodies.next();
  // A character cut in the middle decodes to a replacement character. A byte is at most one character, so the
  // limit holds.
  const diff =
    patch.stdout.toString('utf8') + (patch.cut ? '\n… the rest of the diff is omitted here\n' : '');
  await print({
    type: 'end',
    base: job.base,
    entries: changes.length + skipped.length,
    insertions,
    deletions,
    diff,
  });
}

async function main(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'airlock-collect-'));
  try {
    const job = parseJob(await readFile(process.argv[2] ?? '', 'utf8'));
    if (job.endOtherProcesses && !(await endOtherProcesses(5000))) {
      throw new CollectError('processes-remain', 'some processes in the sandbox could not be ended');
    }
    await collect(job, scratch);
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, 400);
    await print({ type: 'failed', code: error instanceof CollectError ? error.code : 'git-failed', message });
    process.exitCode = 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

await main();
