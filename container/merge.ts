/**
 * Merges the base branch into the checked-out head without a commit, and keeps what the collector compares
 * with: `node merge.ts <jobfile>`; prints one JSON line (`mergeResultSchema`). Offline: `clone.ts` has
 * fetched the commits. Runs after setup, so it trusts nothing in `.git`; a second run prints what the first
 * printed.
 */
import { copyFile, cp, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MergeJob, MergeResult } from '../src/core/merge.ts';
import { freshGit, type Git } from './fresh-git.ts';
import { gitReason, runGit } from './git.ts';
import { nulRecords } from './index-changes.ts';
import { runMain } from './run-main.ts';
import { decodedPath } from './working-tree.ts';

const maxConflicts = 200;
const maxConflictCharacters = 20_000;

function parseJob(text: string): MergeJob {
  const value: unknown = JSON.parse(text);
  const field = (name: keyof MergeJob, shape: RegExp): string => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof found !== 'string' || !shape.test(found)) throw new Error(`the job's ${name} is invalid`);
    return found;
  };
  const sha = /^[0-9a-f]{40}$/;
  return {
    directory: field('directory', /^\/./),
    objectStore: field('objectStore', /^\/./),
    ours: field('ours', sha),
    theirs: field('theirs', sha),
    ancestor: field('ancestor', sha),
    oursName: field('oursName', /./),
    theirsName: field('theirsName', /./),
  };
}

interface Unmerged {
  readonly path: string;
  /** The head's version; null if it has none. */
  readonly ours: string | null;
}

/** Paths, as byte strings, that an index holds in more than one version. */
async function unmerged(git: Git, indexFile?: string): Promise<readonly Unmerged[]> {
  const listed = await git(['ls-files', '-u', '-z'], indexFile === undefined ? {} : { indexFile });
  const found = new Map<string, string | null>();
  for (const record of nulRecords(listed)) {
    const tab = record.indexOf('\t');
    const [mode = '', object = '', stage] = record.slice(0, tab).split(' ');
    const path = record.slice(tab + 1);
    found.set(path, stage === '2' ? `${mode} ${object}` : (found.get(path) ?? null));
  }
  return [...found].map(([path, ours]) => ({ path, ours }));
}

/** Returns the tree that is merged file by file: where both sides changed a file, the head's stays. */
async function mergedByFile(git: Git, job: MergeJob, indexFile: string): Promise<string> {
  await git(['read-tree', '-m', '--aggressive', job.ancestor, job.ours, job.theirs], { indexFile });
  const both = await unmerged(git, indexFile);
  const records = both.flatMap(({ path, ours }) => [
    `0 ${'0'.repeat(40)}\t${path}\0`,
    ...(ours === null ? [] : [`${ours}\t${path}\0`]),
  ]);
  if (records.length > 0)
    await git(['update-index', '-z', '--index-info'], { indexFile, input: records.join('') });
  return (await git(['write-tree'], { indexFile })).trim();
}

async function merge(job: MergeJob, scratch: string): Promise<MergeResult> {
  const { git, environment } = await freshGit(job, scratch, (_, message) => new Error(message));
  const byFile = join(scratch, 'by-file.index');
  const tree = await mergedByFile(git, job, byFile);
  // The index was copied: without this git takes files for changed whose times differ.
  await git(['update-index', '-q', '--refresh']).catch(() => undefined);
  const run = await runGit(['merge-recursive', job.ancestor, '--', job.ours, job.theirs], {
    environment: {
      ...environment,
      [`GITHEAD_${job.ours}`]: job.oursName,
      [`GITHEAD_${job.theirs}`]: job.theirsName,
    },
    cwd: job.directory,
  });
  if (run.exitCode !== 0 && run.exitCode !== 1) throw new Error(gitReason(run.stderr));
  const conflicts = await unmerged(git);
  // 1 without a conflict: it has not begun, because a file that setup made is in the way.
  if (run.exitCode === 1 && conflicts.length === 0) throw new Error(gitReason(run.stderr));
  await showToCodex(job, scratch);
  await keepObjects(scratch, join(job.objectStore, 'objects'));
  await copyFile(byFile, join(job.objectStore, 'index'));
  const names = listed(conflicts.map(({ path }) => path));
  return { ok: true, tree, conflicts: { paths: names, more: conflicts.length - names.length } };
}

function listed(paths: readonly string[]): string[] {
  const names: string[] = [];
  let characters = 0;
  for (const path of paths) {
    const name = decodedPath(path) ?? '';
    characters += name.length;
    if (name === '' || name.length > 4096) continue;
    if (names.length >= maxConflicts || characters > maxConflictCharacters) break;
    names.push(name);
  }
  return names;
}

/** Makes the clone a repository in the middle of a merge. Best effort: Codex reads the files themselves. */
async function showToCodex(job: MergeJob, scratch: string): Promise<void> {
  const own = join(job.directory, '.git');
  try {
    await keepObjects(scratch, join(own, 'objects'));
    await copyFile(join(scratch, 'index'), join(own, 'index'));
    await writeFile(join(own, 'MERGE_HEAD'), `${job.theirs}\n`);
    await writeFile(join(own, 'MERGE_MSG'), `Merge ${job.theirsName} into ${job.oursName}\n`);
    await writeFile(join(own, 'MERGE_MODE'), '');
  } catch {
    // Setup can have replaced anything in it.
  }
}

/** Copies the objects that the merge made, not the file that points to the others. */
async function keepObjects(scratch: string, to: string): Promise<void> {
  const objects = join(scratch, 'objects');
  const folders = (await readdir(objects)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  for (const name of folders) await cp(join(objects, name), join(to, name), { recursive: true });
}

async function main(): Promise<void> {
  const job = parseJob(await readFile(process.argv[2] ?? '', 'utf8'));
  const done = join(job.objectStore, 'merge.json');
  const known = await readFile(done, 'utf8').catch(() => null);
  if (known !== null) return void process.stdout.write(known);
  let result: MergeResult;
  const scratch = await mkdtemp(join(tmpdir(), 'airlock-merge-'));
  try {
    // Fails for an overlapping attempt, which the caller repeats, and after one that was interrupted.
    const lock = await open(join(job.objectStore, 'merge.begun'), 'wx').catch(() => null);
    await lock?.close();
    result =
      lock === null ? { ok: false, busy: true, error: 'a merge has begun' } : await merge(job, scratch);
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, 400);
    result = { ok: false, busy: false, error: message };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const line = `${JSON.stringify(result)}\n`;
  if (result.ok) {
    await writeFile(`${done}.new`, line);
    await rename(`${done}.new`, done);
  }
  process.stdout.write(line);
  process.exitCode = result.ok ? 0 : 1;
}

runMain(main);
