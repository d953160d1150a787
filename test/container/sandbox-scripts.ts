/** Runs the programs of `container/`, as a sandbox has them, outside one, on temporary repositories. */
import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  lstatSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { CollectJob } from '../../src/core/change-set.ts';
import { collectJob } from '../../src/core/change-set.ts';
import { projectRoot } from '../../host/project-root.ts';
import { bundledScripts } from '../../host/sandbox/bundled-scripts.ts';

const { container } = bundledScripts(projectRoot);

/** The file of a program of `container/`, as a sandbox has it. */
export const programFile = (name: string): string => join(container, `${name}.js`);

/** Takes what has to happen after the test, or after all of them. */
export type OnEnd = (end: () => Promise<void> | void) => void;

export function temporaryFolder(onEnd: OnEnd = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-test-'));
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs git with an identity of its own and without the machine's configuration. */
export function git(cwd: string, ...argv: string[]): string {
  const identity = [
    '-c',
    'user.name=Somebody',
    '-c',
    'user.email=somebody@example.test',
    '-c',
    'init.defaultBranch=main',
  ];
  return execFileSync('git', [...identity, ...argv], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  }).trim();
}

export interface ScriptRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runScript(
  name: string,
  job: unknown,
  environment: Record<string, string> = {},
): Promise<ScriptRun> {
  const folder = mkdtempSync(join(tmpdir(), 'airlock-job-'));
  const jobFile = join(folder, 'job.json');
  writeFileSync(jobFile, typeof job === 'string' ? job : JSON.stringify(job));
  try {
    const run = promisify(execFile)(process.execPath, [programFile(name), jobFile], {
      maxBuffer: 128 * 1024 * 1024,
      env: { ...process.env, ...environment },
    });
    const { stdout, stderr } = await run;
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = Object.assign({ code: -1, stdout: '', stderr: '' }, error);
    return { exitCode: code, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface Workspace {
  readonly directory: string;
  readonly objectStore: string;
  readonly base: string;
  readonly branch: string;
}

/** Clones a commit with the real script, as in a sandbox, into a folder that is deleted after the test. */
export async function cloneWorkspace(repository: string, base: string, branch = 'main'): Promise<Workspace> {
  return await cloneInto(temporaryFolder(), repository, base, branch);
}

export async function cloneInto(
  folder: string,
  repository: string,
  base: string,
  branch = 'main',
): Promise<Workspace> {
  const workspace = { directory: join(folder, 'repo'), objectStore: join(folder, 'base'), base, branch };
  const run = await runScript('clone', { url: `file://${repository}`, sha: base, ...workspace });
  if (run.exitCode !== 0) throw new Error(`clone failed: ${run.stdout}${run.stderr}`);
  return workspace;
}

/** Copies a clone, which is faster than cloning. Its indexes know the copied files, as a clone's do. */
export function copyWorkspace({ directory, objectStore, ...rest }: Workspace): Workspace {
  const folder = temporaryFolder();
  const copy = { ...rest, directory: join(folder, 'repo'), objectStore: join(folder, 'base') };
  const reserve = join(objectStore, 'reserve');
  cpSync(directory, copy.directory, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  cpSync(objectStore, copy.objectStore, { recursive: true, filter: (path) => path !== reserve });
  linkSync(reserve, join(copy.objectStore, 'reserve'));
  git(copy.directory, 'update-index', '--refresh');
  copyFileSync(join(copy.directory, '.git/index'), join(copy.objectStore, 'index'));
  return copy;
}

export function jobFor(workspace: Workspace, limits: Partial<CollectJob['limits']> = {}): CollectJob {
  const job = collectJob(workspace.base);
  return {
    ...job,
    directory: workspace.directory,
    objectStore: workspace.objectStore,
    // Outside a sandbox this would kill the test run and the user's other programs.
    endOtherProcesses: false,
    limits: { ...job.limits, ...limits },
  };
}

/** Returns every file of a tree except `.git`, as `path → mode and content`, to compare two trees. */
export function snapshot(root: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, below))) {
    if (name === '.git') continue;
    const path = below === '' ? name : `${below}/${name}`;
    const full = join(root, path);
    const entry = lstatSync(full);
    if (entry.isDirectory()) Object.assign(found, snapshot(root, path));
    else if (entry.isSymbolicLink()) found[path] = `120000 ${readlinkSync(full)}`;
    else if (entry.isFile()) {
      const mode = (statSync(full).mode & 0o100) === 0 ? '100644' : '100755';
      found[path] = `${mode} ${readFileSync(full).toString('base64')}`;
    }
  }
  return found;
}
