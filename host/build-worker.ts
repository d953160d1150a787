/** Builds the Worker with wrangler, as a deployment does, unless an unchanged build exists. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './project-root.ts';

const run = promisify(execFile);
const buildMs = 120_000;
const keepBuildMs = 60 * 60_000;
/** Limit for the compressed bundle, as uploaded: sandbox SDK 100 KiB, secretlint's rules 17, pages 11. */
export const maxBundleKiB = 422;

export interface WorkerBundle {
  readonly directory: string;
  /** Module files, the main one first; names relative to the directory. */
  readonly modules: readonly { readonly name: string; readonly type: 'ESModule' | 'Text' }[];
}

/** Returns the build of the current sources. Rejects with the bundler's message. */
export async function buildWorker(log: (line: string) => void): Promise<WorkerBundle> {
  const fingerprint = await fingerprintSources();
  const directory = join(projectRoot, 'dist', `worker-${fingerprint.slice(0, 16)}`);
  if (!(await isBuilt(directory))) {
    log('Building the Worker …');
    const draft = `${directory}.${process.pid}`;
    const wrangler = join(projectRoot, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
    const args = ['deploy', '--dry-run', '--containers-rollout', 'none', '--env', '', '--outdir', draft];
    const env = {
      ...process.env,
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_LOG: 'warn',
      CI: '1',
      NO_COLOR: '1',
    };
    try {
      await run(process.execPath, [wrangler, ...args], { cwd: projectRoot, env, timeout: buildMs });
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
      throw new Error(`the Worker does not build:\n${output}`, { cause: error });
    }
    await writeFile(join(draft, '.built'), '');
    await rm(directory, { recursive: true, force: true });
    // Two concurrent starts can both build; the second finds the folder in place and uses it.
    await rename(draft, directory).catch(() => rm(draft, { recursive: true, force: true }));
    await deleteOldBuilds();
  }
  const names = (await readdir(directory)).filter((name) => name.endsWith('.js') || name.endsWith('.jsonc'));
  const modules = names
    .map((name) => ({ name, type: name.endsWith('.js') ? ('ESModule' as const) : ('Text' as const) }))
    .sort((a, b) => Number(b.name === 'index.js') - Number(a.name === 'index.js'));
  return { directory, modules };
}

/** Older than an hour, because a start that is under way can use a younger one. */
async function deleteOldBuilds(): Promise<void> {
  const folder = join(projectRoot, 'dist');
  const builds = (await readdir(folder)).filter((name) => name.startsWith('worker-'));
  await Promise.all(
    builds.map(async (name) => {
      const path = join(folder, name);
      const built = await stat(path).catch(() => null); // another start can have deleted it
      if (built !== null && Date.now() - built.mtimeMs > keepBuildMs)
        await rm(path, { recursive: true, force: true });
    }),
  );
}

async function isBuilt(directory: string): Promise<boolean> {
  return await readFile(join(directory, '.built')).then(
    () => true,
    () => false,
  );
}

/** Hashes all inputs of the bundle. */
async function fingerprintSources(): Promise<string> {
  const hash = createHash('sha256');
  await mkdir(join(projectRoot, 'dist'), { recursive: true });
  const sources = (await readdir(join(projectRoot, 'src'), { recursive: true }))
    .filter((name) => /(?<!\.test)\.tsx?$/.test(name))
    .sort();
  const files = [
    ...sources.map((name) => join('src', name)),
    'wrangler.jsonc',
    'package-lock.json',
    'airlock.config.jsonc',
    'slack-manifest.json',
  ];
  for (const file of files) hash.update(file).update(await readFile(join(projectRoot, file)));
  return hash.digest('hex');
}
