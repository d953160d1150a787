/**
 * Gives the checkout of a pull request's head the guidance for agents of its base branch: `node guidance.ts
 * <jobfile>`; prints one JSON line (`guidanceResultSchema`). Offline, and after setup, so it trusts nothing
 * in `.git`. `collect.ts` takes it away again.
 */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GuidanceJob, GuidanceResult } from '../src/core/ask/guidance.ts';
import { freshGit, type Git } from './fresh-git.ts';
import { gitEnvironment, runGit } from './git.ts';
import { keepGuidance, keptGuidance, layGuidance, type Kept, type ReadBlobs } from './guidance-files.ts';
import { guidanceIn, replacementOf, type Tree } from './guidance-tree.ts';
import { nulRecords, readObjects, type IndexEntry } from './index-changes.ts';
import { runMain } from './run-main.ts';
import { decodedPath } from './working-tree.ts';

/** As in `src/core/ask/guidance.ts`, which is not in the sandbox. */
const maxNames = 50;
const maxNameCharacters = 300;

function parseJob(text: string): GuidanceJob {
  const value: unknown = JSON.parse(text);
  const field = (name: keyof GuidanceJob, shape: RegExp): string => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof found !== 'string' || !shape.test(found)) throw new Error(`the job's ${name} is invalid`);
    return found;
  };
  return {
    directory: field('directory', /^\/./),
    objectStore: field('objectStore', /^\/./),
    head: field('head', /^[0-9a-f]{40}$/),
    base: field('base', /^[0-9a-f]{40}$/),
    headVersions: field('headVersions', /^\/./),
  };
}

async function treeOf(git: Git, commit: string): Promise<Tree> {
  const listed = await git(['ls-tree', '-r', '-z', '--full-tree', commit], { maxBytes: 256 * 1024 * 1024 });
  return new Map(
    nulRecords(listed).map((line): [string, IndexEntry] => {
      const [mode = '', , object = ''] = line.slice(0, line.indexOf('\t')).split(' ');
      return [line.slice(line.indexOf('\t') + 1), { mode, object }];
    }),
  );
}

async function symlinksIn(trees: readonly Tree[], read: ReadBlobs): Promise<ReadonlyMap<string, string>> {
  const links = trees.flatMap((tree) => [...tree.values()].filter(({ mode }) => mode === '120000'));
  const objects = [...new Set(links.map(({ object }) => object))];
  const targets = new Map<string, string>();
  for await (const target of read(objects))
    targets.set(objects[targets.size] ?? '', target.toString('latin1', 0, 4096));
  return targets;
}

/**
 * So that git shows Codex no difference outside its own change. Best effort. Not by
 * `--skip-worktree`: the collector takes such files for a sparse checkout's, which are never deletions.
 */
async function hideFromGit({ directory }: GuidanceJob, { away, laid }: Kept): Promise<void> {
  const limits = { environment: gitEnvironment('/nonexistent'), cwd: directory };
  const ignored = laid.map(([path]) => `/${path.replaceAll(/[*?[\\#! ]/g, '\\$&')}\n`).join('');
  await appendFile(join(directory, '.git', 'info', 'exclude'), ignored, 'latin1').catch(() => undefined);
  const input = Buffer.from([...away].map(([path]) => `${path}\0`).join(''), 'latin1');
  await runGit(['update-index', '--assume-unchanged', '-z', '--stdin'], { ...limits, input }).catch(
    () => undefined,
  );
}

async function replace(job: GuidanceJob, scratch: string): Promise<Kept> {
  const { git, environment } = await freshGit(job, scratch, (_, message) => new Error(message));
  const read: ReadBlobs = (objects) => readObjects(objects, { environment, cwd: job.directory });
  const known = await keptGuidance(job);
  const kept = known ?? (await decide(job, git, read));
  await layGuidance(job, kept, read);
  await hideFromGit(job, kept);
  return kept;
}

async function decide(job: GuidanceJob, git: Git, read: ReadBlobs): Promise<Kept> {
  const [head, base] = await Promise.all([treeOf(git, job.head), treeOf(git, job.base)]);
  const targets = await symlinksIn([head, base], read);
  const targetOf = ({ object }: IndexEntry): string => targets.get(object) ?? '/';
  const replacement = replacementOf(
    { tree: head, guidance: guidanceIn(head, targetOf) },
    guidanceIn(base, targetOf),
  );
  return await keepGuidance(job, replacement, job.headVersions);
}

async function main(): Promise<void> {
  let result: GuidanceResult;
  const scratch = await mkdtemp(join(tmpdir(), 'airlock-guidance-'));
  try {
    const { away, laid } = await replace(parseJob(await readFile(process.argv[2] ?? '', 'utf8')), scratch);
    const paths = [...new Set([...away, ...laid].map(([path]) => path))].toSorted();
    const names = paths.slice(0, maxNames).map((path) => {
      const name = decodedPath(path) ?? Buffer.from(path, 'latin1').toString('utf8');
      return name.slice(0, maxNameCharacters);
    });
    result = { ok: true, replaced: names, more: paths.length - names.length };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    result = { ok: false, error: message.slice(0, 400) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.ok ? 0 : 1;
}

runMain(main);
