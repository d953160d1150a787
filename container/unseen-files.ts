/** Finds what the index does not show: submodules' files, ignored files, missing files not deleted. */
import { copyFile, lstat, mkdtemp, open, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freshGit } from './fresh-git.ts';
import { isIgnoredOutput, isLocalSettings } from './generated-files.ts';
import { nulRecords } from './index-changes.ts';
import type { Skip, TreeContext } from './tree-context.ts';
import { pointersAmong } from './lfs-files.ts';
import { isUntouched, pathIn, setupDone } from './working-tree.ts';

const maxIgnoredNamed = 20;
const maxSubmoduleFilesNamed = 20;

/** Names changed files in submodules: if one has a checkout, git compares its commit, this its files. */
export async function nameSubmoduleFiles(context: TreeContext, skip: Skip): Promise<void> {
  const { job, base } = context;
  for (const [path, { mode, object }] of base) {
    if (mode !== '160000') continue;
    const own = await lstat(pathIn(job.directory, `${path}/.git`)).catch(() => null);
    const files =
      own === null ? await filesBelow(job.directory, path) : await changedIn(context, path, object);
    for (const file of files.slice(0, maxSubmoduleFilesNamed)) skip(file, 'submodule');
  }
}

async function filesBelow(directory: string, path: string): Promise<readonly string[]> {
  const found: string[] = [];
  if ((await lstat(pathIn(directory, path)).catch(() => null))?.isDirectory() !== true) return found;
  const left = [path];
  for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
    const at = pathIn(directory, folder);
    const entries = await readdir(at, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
    for (const entry of entries)
      (entry.isDirectory() ? left : found).push(`${folder}/${entry.name.toString('latin1')}`);
    if (found.length > maxSubmoduleFilesNamed) return found;
  }
  return found;
}

/** Compares a submodule's checkout with the commit of the base, with the objects of its own git folder. */
async function changedIn({ job, scratch, failWith }: TreeContext, path: string, commit: string) {
  const directory = pathIn(job.directory, path).toString();
  try {
    const pointer = await readFile(join(directory, '.git'), 'utf8').catch(() => 'gitdir: .git');
    const objectStore = resolve(directory, /^gitdir: (.*)$/m.exec(pointer)?.[1] ?? '.git');
    const { git } = await freshGit(
      { directory, objectStore },
      await mkdtemp(join(scratch, 'submodule-')),
      () => failWith('too-many-files', 'too many files in a submodule'),
    );
    await git(['read-tree', '--reset', commit]);
    const argv = ['ls-files', '-z', '--modified', '--deleted', '--others', '--exclude-standard'];
    return [...new Set(nulRecords(await git(argv)))].map((file) => `${path}/${file}`);
  } catch {
    // Its commit is not there. Then git finds another commit, and names the submodule.
    return [];
  }
}

/** Names new ignored files that look as if they were meant. Setup's files and outputs of builds are not. */
export async function nameIgnored({ job, git }: TreeContext, skip: Skip): Promise<void> {
  const since = await Promise.all(
    [setupDone, 'index'].map(async (name) => await lstat(join(job.objectStore, name)).catch(() => null)),
  ).then((found) => found.find((one) => one !== null)?.ctimeMs);
  if (since === undefined) return;
  const argv = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'];
  const ignored = nulRecords(await git([...argv, '--no-empty-directory'], { maxBytes: 64 * 1024 * 1024 }));
  let named = 0;
  for (const path of ignored) {
    if (named === maxIgnoredNamed) return;
    if (isIgnoredOutput(path) || isLocalSettings(path)) continue;
    const found = await lstat(pathIn(job.directory, path)).catch(() => null);
    if (found === null || found.ctimeMs < since) continue;
    if (!path.endsWith('/') && !(found.isFile() && (await isText(pathIn(job.directory, path))))) continue;
    skip(path, 'ignored');
    named += 1;
  }
}

async function isText(path: Buffer): Promise<boolean> {
  const file = await open(path).catch(() => null);
  if (file === null) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8000), 0, 8000, 0);
    return !buffer.subarray(0, bytesRead).includes(0);
  } finally {
    await file.close();
  }
}

/** Missing files outside a sparse checkout, or all if git was interrupted. False answers only keep files. */
export async function notCheckedOut(context: TreeContext): Promise<ReadonlySet<string>> {
  const { job, deleted, base } = context;
  if (deleted.size === 0) return new Set();
  if ((await lstat(join(job.directory, '.git/index.lock')).catch(() => null)) !== null) return deleted;
  try {
    const listed = await listOwnIndex(context, '-t');
    const absent = new Set(listed.flatMap((record) => (record.startsWith('S ') ? record.slice(2) : [])));
    // `clone.ts` marks the files of LFS in the same way.
    const ofLfs = await pointersAmong(
      { ...context, directory: job.directory },
      job.lfs ? [...base].filter(([path]) => absent.has(path)) : [],
    );
    return absent.size === ofLfs.size ? new Set() : new Set([...deleted].filter((path) => absent.has(path)));
  } catch {
    // Damaged, or in a form that needs other files: then nothing is known.
    return new Set();
  }
}

/**
 * Files that nobody touched, but that Codex staged: `git add --renormalize` changes what git stores, and not
 * the files. Only their names are taken from its index.
 */
export async function renormalized(context: TreeContext): Promise<ReadonlySet<string>> {
  const { job, base, git } = context;
  try {
    const untouched: string[] = [];
    for (const record of await listOwnIndex(context, '--stage')) {
      const path = record.slice(record.indexOf('\t') + 1);
      const entry = base.get(path);
      const isStaged = entry !== undefined && !record.includes(entry.object) && !path.includes('\n');
      if (isStaged && (await isUntouched(job.directory, path, entry))) untouched.push(path);
    }
    if (untouched.length === 0) return new Set();
    const hashed = await git(['hash-object', '--stdin-paths'], { input: untouched.join('\n') });
    const objects = hashed.split('\n');
    return new Set(untouched.filter((path, at) => base.get(path)?.object !== objects[at]));
  } catch {
    // As above. Then they stay as they are.
    return new Set();
  }
}

/** Lists the index of the clone, which nothing else trusts. */
async function listOwnIndex({ job, git, scratch }: TreeContext, how: string): Promise<readonly string[]> {
  const index = join(job.directory, '.git/index');
  if ((await lstat(index).catch(() => null))?.isFile() !== true) return [];
  const copy = join(scratch, 'index-of-clone');
  await copyFile(index, copy);
  const listed = await git(['ls-files', '-z', how], { indexFile: copy, maxBytes: 64 * 1024 * 1024 });
  return nulRecords(listed);
}
