/**
 * Hashes the commit's lock files before anything untrusted runs: `node setup-inputs.ts <jobfile>`; prints one
 * JSON line. Does not read the working tree.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { SetupInputs } from '../src/core/setup.ts';
import { gitEnvironment, gitReason, runGit } from './git.ts';
import { nulRecords } from './index-changes.ts';
import { runMain } from './run-main.ts';

/** Files that name every dependency with its exact version; manifests name ranges. */
const lockFileNames = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
  'deno.lock',
  'poetry.lock',
  'uv.lock',
  'pdm.lock',
  'pylock.toml',
  'Pipfile.lock',
  'Cargo.lock',
  'go.sum',
  'Gemfile.lock',
  'composer.lock',
  'mix.lock',
  'pubspec.lock',
  'packages.lock.json',
  'gradle.lockfile',
  'Package.resolved',
]);
/** pip has no lock file; by convention these serve as one. */
const requirements = /(?:^|\/)(?:requirements[^/]*|requirements\/[^/]+)\.txt$/;

const isLockFile = (path: string): boolean => lockFileNames.has(basename(path)) || requirements.test(path);

/** Returns a record `100644 blob <sha>\t<path>` for each lock file. */
function lockFileRecords(lsTree: string): readonly string[] {
  return nulRecords(lsTree)
    .filter((record) => isLockFile(record.slice(record.indexOf('\t') + 1)))
    .toSorted();
}

async function main(): Promise<void> {
  const job: unknown = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
  const field = (name: string, shape: RegExp): string => {
    const found: unknown = typeof job === 'object' && job !== null ? Reflect.get(job, name) : undefined;
    if (typeof found !== 'string' || !shape.test(found))
      throw new Error(`the job's ${name} is missing or invalid`);
    return found;
  };
  const directory = field('directory', /^\//);
  const run = await runGit(['ls-tree', '-r', '-z', '--full-tree', field('base', /^[0-9a-f]{40}$/)], {
    environment: gitEnvironment('/nonexistent'),
    cwd: directory,
  });
  if (run.exitCode !== 0 || run.cut) throw new Error(gitReason(run.stderr));
  const records = lockFileRecords(run.stdout.toString('latin1'));
  const inputs: SetupInputs = {
    platform: `${process.platform}-${process.arch}-node${process.versions.node}`,
    lockFiles: records.length,
    digest: createHash('sha256').update(records.join('\0'), 'latin1').digest('hex'),
  };
  process.stdout.write(`${JSON.stringify(inputs)}\n`);
}

runMain(main);
