/**
 * Brings the new index to the working tree's state, as `git add --all` would, and lists what stays although
 * it changed: what needs an outside program, is not meant, or cannot be published.
 */
import type { SkippedPath } from '../src/core/change-set.ts';
import { withoutFiltered } from './filtered-files.ts';
import { bulkOf, foldersOf, generatedPart, isLocalSettings, markedFolders } from './generated-files.ts';
import type { IndexEntry } from './index-changes.ts';
import type { Addable, Skip, TreeContext } from './tree-context.ts';
import { nameIgnored, nameSubmoduleFiles, notCheckedOut, renormalized } from './unseen-files.ts';
import { decodedPath, isUntouched, treeInspector, type FileMode } from './working-tree.ts';

type Why = SkippedPath['why'];

/** Entries of the report. More of a kind are one entry for each folder. */
const maxSkipped = 200;

/** Returns an entry for each path that stays as in the base. */
export async function indexWorkingTree(context: TreeContext): Promise<readonly SkippedPath[]> {
  const { job, base } = context;
  const skipped: { path: string; why: Why; bytes?: number; files?: number }[] = [];
  const skip: Skip = (path, why, more = {}) => void skipped.push({ path, why, ...more });
  const isLeftBySetup = pathMatcher(job.pathsLeftBySetup);
  const tracked = foldersOf(base.keys());

  const fresh = withoutUnmeant(
    context.fresh.filter((path) => !isLeftBySetup(path)),
    tracked,
    skip,
  );
  await nameSubmoduleFiles(context, skip);
  await nameIgnored(context, skip);
  const missing = await notCheckedOut(context);
  for (const path of missing) skip(path, 'not-checked-out');
  const restaged = await renormalized(context);
  const modified = [...new Set([...context.modified, ...restaged])].filter((path) => !missing.has(path));

  const tooMany = fresh.length + modified.length - job.limits.maxChangedFiles;
  const few = withoutBulk(
    new Map(fresh.map((path) => [path, 1])),
    { tracked, over: tooMany, together: true },
    skip,
  );
  const files = modified.length + few.length;
  if (files > job.limits.maxChangedFiles)
    throw context.failWith(
      'too-many-files',
      `${files} files changed; at most ${job.limits.maxChangedFiles} can be published`,
    );
  const { added, removed } = await inspected(context, [...modified, ...few], skip);
  const total = [...added.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const sizes = new Map(few.flatMap((path) => [[path, added.get(path)?.bytes ?? 0] as const]));
  const kept = new Set(
    withoutBulk(sizes, { tracked, over: total - job.limits.maxChangeBytes, together: false }, skip),
  );
  const bytes = total - [...sizes].reduce((sum, [path, size]) => sum + (kept.has(path) ? 0 : size), 0);
  if (bytes > job.limits.maxChangeBytes)
    throw context.failWith(
      'too-large',
      `the changed files have ${bytes} bytes; at most ${job.limits.maxChangeBytes} can be published`,
    );
  const addable = new Map([...added].filter(([path]) => base.has(path) || kept.has(path)));
  const touched = await withoutUntouched(context, addable, restaged);
  const ordinary = await withoutFiltered(context, touched, skip);
  // Git takes an entry whose file is older for up to date, unless it is removed first.
  const gone = [...removed, ...ordinary.added.filter((path) => restaged.has(path))];
  await updateIndex(context, { removed: gone, added: ordinary.added, pointers: ordinary.pointers }, skip);
  return report(skipped);
}

/** Returns a test for paths that equal an entry, or are below an entry that ends with a slash. */
function pathMatcher(paths: readonly string[]): (path: string) => boolean {
  const all = paths.map((path) => Buffer.from(path, 'utf8').toString('latin1'));
  const files = new Set(all);
  const folders = all.filter((path) => path.endsWith('/'));
  return (path) => files.has(path) || folders.some((folder) => path.startsWith(folder));
}

/** Leaves out what tools generate and settings of one machine, except in folders with tracked files. */
function withoutUnmeant(
  paths: readonly string[],
  tracked: ReadonlySet<string>,
  skip: Skip,
): readonly string[] {
  const marked = markedFolders(paths);
  const generated = new Map<string, number>();
  const kept = paths.filter((path) => {
    const part = generatedPart(path) ?? marked.find((folder) => path.startsWith(folder)) ?? null;
    if (part !== null && !tracked.has(part)) {
      generated.set(part, (generated.get(part) ?? 0) + 1);
      return false;
    }
    if (!isLocalSettings(path)) return true;
    skip(path, 'local-settings');
    return false;
  });
  for (const [path, files] of generated) skip(path, 'generated', files > 1 ? { files } : {});
  return kept;
}

function withoutBulk(
  weights: ReadonlyMap<string, number>,
  { tracked, over, together }: { tracked: ReadonlySet<string>; over: number; together: boolean },
  skip: Skip,
): readonly string[] {
  const bulks = bulkOf(weights, tracked, over, together);
  for (const { path, members } of bulks) {
    const weight = [...members].reduce((sum, member) => sum + (weights.get(member) ?? 0), 0);
    skip(path, 'too-many', { files: members.size, ...(together ? {} : { bytes: weight }) });
  }
  return [...weights.keys()].filter((path) => !bulks.some(({ members }) => members.has(path)));
}

async function inspected(
  { job, base }: TreeContext,
  paths: readonly string[],
  skip: Skip,
): Promise<{ added: Addable; removed: readonly string[] }> {
  const inspect = treeInspector(job.directory, job.limits.maxFileBytes);
  const added = new Map<string, { bytes: number; mode: FileMode }>();
  const removed: string[] = [];
  for (const path of paths) {
    const finding = await inspect(path);
    if (finding.kind === 'add') added.set(path, finding);
    else if (finding.kind === 'skip')
      skip(path, finding.why, finding.bytes === undefined ? {} : { bytes: finding.bytes });
    else if (finding.kind === 'folder' && base.get(path)?.mode === '160000') skip(path, 'submodule');
    else removed.push(path);
  }
  return { added, removed };
}

/** Leaves out files that nobody touched but git's attributes would convert. */
async function withoutUntouched(
  { job, base }: TreeContext,
  added: Addable,
  restaged: ReadonlySet<string>,
): Promise<Addable> {
  const kept = new Map(added);
  for (const path of added.keys()) {
    const entry = restaged.has(path) ? undefined : base.get(path);
    if (entry !== undefined && (await isUntouched(job.directory, path, entry))) kept.delete(path);
  }
  return kept;
}

async function updateIndex(
  { git }: TreeContext,
  change: {
    readonly removed: readonly string[];
    readonly added: readonly string[];
    readonly pointers: ReadonlyMap<string, IndexEntry>;
  },
  skip: Skip,
): Promise<void> {
  const gone = `0 ${'0'.repeat(40)}`;
  const records = [
    ...change.removed.map((path) => `${gone}\t${path}\0`),
    ...[...change.pointers].map(([path, { mode, object }]) => `${mode} ${object}\t${path}\0`),
  ];
  if (records.length > 0) await git(['update-index', '-z', '--index-info'], { input: records.join('') });
  await add(change.added);

  /** Halves the list until the file is alone that git cannot convert. */
  async function add(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    try {
      const input = paths.map((path) => `${path}\0`).join('');
      await git(['update-index', '-z', '--add', '--replace', '--stdin'], { input });
    } catch (error) {
      const message = error instanceof Error ? error.message : '';
      if (!/encode|BOM/.test(message)) throw error;
      const [only] = paths;
      if (paths.length === 1 && only !== undefined) {
        skip(only, 'encoding');
        return;
      }
      const half = Math.ceil(paths.length / 2);
      await add(paths.slice(0, half));
      await add(paths.slice(half));
    }
  }
}

/** Makes the report short enough for the Worker: many paths of one kind become one for each folder. */
function report(
  skipped: readonly { path: string; why: Why; bytes?: number; files?: number }[],
): readonly SkippedPath[] {
  const lines = skipped.length <= maxSkipped ? skipped : [...byFolder(skipped)];
  return lines.slice(0, maxSkipped).map(({ path, ...rest }) => ({
    type: 'skipped',
    path: (decodedPath(path) ?? Buffer.from(path, 'latin1').toString('utf8')).slice(0, 4096),
    ...rest,
  }));
}

function byFolder(
  skipped: readonly { path: string; why: Why; files?: number }[],
): Iterable<{ path: string; why: Why; files: number }> {
  const groups = new Map<string, { path: string; why: Why; files: number }>();
  for (const { path, why, files = 1 } of skipped) {
    const folder = path.includes('/') ? path.slice(0, path.indexOf('/') + 1) : './';
    const group = groups.get(`${why} ${folder}`) ?? { path: folder, why, files: 0 };
    group.files += files;
    groups.set(`${why} ${folder}`, group);
  }
  return groups.values();
}
