/**
 * Builds the Worker, for a deployment and for one machine, unless an unchanged build exists.
 *
 * Not with wrangler, which makes a single module: all code is then compiled at each start, and code behind
 * an `import()` even twice (measured: 20 ms more). Split into modules, what few requests need is compiled
 * when it is needed, and the Worker starts a fifth faster.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { parse } from 'jsonc-parser';
import { z } from 'zod';
import { projectRoot } from './project-root.ts';

/** What runs the containers on Cloudflare: the platform's own interface, or the sandbox SDK's class. */
export const sandboxKinds = ['native', 'sdk'] as const;
export type SandboxKind = (typeof sandboxKinds)[number];

/** Of the top level of `wrangler.jsonc`, and on one machine, where no container runs. */
export const defaultSandboxKind: SandboxKind = 'native';

/** One entry for each, so that a bundle holds the code of one. `wrangler.jsonc` names it as `main`. */
export const workerEntries: Readonly<Record<SandboxKind, string>> = {
  native: 'src/index.ts',
  sdk: 'src/index-sdk.ts',
};
/**
 * Limits for the compressed bundle, as uploaded: sandbox SDK 78 KiB, secretlint's rules 17, pages 26,
 * private registries 7.
 */
export const maxBundleKiB: Readonly<Record<SandboxKind, number>> = { native: 382, sdk: 457 };

const keepBuildMs = 60 * 60_000;

const mainModule = 'index.js';
const wranglerSchema = z.object({ alias: z.record(z.string(), z.string()) });

export interface WorkerBundle {
  readonly directory: string;
  /** As Miniflare takes them, the main one first; paths are relative to the directory. */
  readonly modules: readonly WorkerModule[];
}

export interface WorkerModule {
  readonly type: 'ESModule';
  readonly path: string;
  readonly contents: string;
}

/** Returns the build of the current sources. Rejects with the bundler's message. */
export async function buildWorker(
  log: (line: string) => void,
  kind: SandboxKind = defaultSandboxKind,
): Promise<WorkerBundle> {
  const fingerprint = await fingerprintSources();
  const directory = join(projectRoot, 'dist', `worker-${kind}-${fingerprint.slice(0, 16)}`);
  if (!(await isBuilt(directory))) {
    log('Building the Worker …');
    const draft = `${directory}.${process.pid}`;
    try {
      await bundleWorker(draft, workerEntries[kind]);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw new Error(`the Worker does not build:\n${String(error)}`, { cause: error });
    }
    await writeFile(join(draft, '.built'), '');
    await rm(directory, { recursive: true, force: true });
    // Two concurrent starts can both build; the second finds the folder in place and uses it.
    await rename(draft, directory).catch(() => rm(draft, { recursive: true, force: true }));
    await deleteOldBuilds();
  }
  return { directory, modules: await readModules(directory) };
}

async function readModules(directory: string): Promise<readonly WorkerModule[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.js'));
  files.sort((a, b) => Number(b === mainModule) - Number(a === mainModule));
  const modules = files.map(async (path): Promise<WorkerModule> => {
    return { type: 'ESModule', path, contents: await readFile(join(directory, path), 'utf8') };
  });
  return await Promise.all(modules);
}

/** Tells wrangler to upload a build as it is. */
export function uploadArguments({ directory }: WorkerBundle): readonly string[] {
  return [join(directory, mainModule), '--no-bundle', '--minify=false'];
}

/** Bundles a Worker as it is uploaded. Returns its modules. */
export async function bundleWorker(directory: string, entry: string): Promise<readonly WorkerModule[]> {
  const { alias } = wranglerSchema.parse(parse(await readFile(join(projectRoot, 'wrangler.jsonc'), 'utf8')));
  await build({
    absWorkingDir: projectRoot,
    entryPoints: [{ in: entry, out: mainModule.replace(/\.js$/, '') }],
    outdir: directory,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2024',
    minify: true,
    sourcemap: 'linked',
    // As wrangler resolves packages for a Worker.
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.jsonc': 'text' },
    // CommonJS packages require Node's modules, which the runtime has.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire('/');` },
    plugins: [replaceModules(alias)],
    logLevel: 'silent',
  });
  return await readModules(directory);
}

/** Replaces modules, also by relative paths, and leaves the runtime's own alone. */
function replaceModules(alias: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'replace-modules',
    setup(bundler) {
      bundler.onResolve({ filter: /.*/ }, ({ path }) => {
        const stub = alias[path];
        if (stub !== undefined) return { path: join(projectRoot, stub) };
        const isBuiltIn = path.startsWith('cloudflare:') || isBuiltin(path);
        return isBuiltIn ? { path: path.includes(':') ? path : `node:${path}`, external: true } : null;
      });
    },
  };
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
    .filter((name) => /(?<!\.test)\.(?:tsx?|cjs)$/.test(name))
    .sort();
  const files = [
    ...sources.map((name) => join('src', name)),
    'host/build-worker.ts',
    'wrangler.jsonc',
    'package-lock.json',
    'airlock.config.jsonc',
    'slack-manifest.json',
  ];
  for (const file of files) hash.update(file).update(await readFile(join(projectRoot, file)));
  return hash.digest('hex');
}
