/** Clones a branch of the simulated GitHub as a person would: with git over HTTP and a read-only token. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { World } from '../../cli/demo/world.ts';

const run = promisify(execFile);
const env = {
  PATH: process.env['PATH'],
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

export interface Clone extends AsyncDisposable {
  readonly directory: string;
  /** Standard output, trimmed. Rejects when git does. */
  readonly git: (...args: string[]) => Promise<string>;
}

/** Clones the world's own repository; the token is revoked at once. */
export async function cloneBranch(world: World, branch: string): Promise<Clone> {
  const token = await world.mintToken({ contents: 'read' });
  const directory = await mkdtemp(join(tmpdir(), 'airlock-flow-clone-'));
  const git = async (...args: string[]) =>
    (await run('git', ['-C', directory, ...args], { timeout: 120_000, env })).stdout.trim();
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  const header = `http.extraHeader=Authorization: Basic ${basic}`;
  await git('-c', header, 'clone', '--quiet', '--branch', branch, world.repository.cloneUrl, '.');
  const url = `${world.github.apiUrl}/installation/token`;
  await fetch(url, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(60_000),
  });
  return {
    directory,
    git,
    [Symbol.asyncDispose]: async () => await rm(directory, { recursive: true, force: true }),
  };
}

/** Asks git about a repository where the simulator keeps it. */
export async function gitIn(repository: { readonly gitDir: string }, ...args: string[]): Promise<string> {
  return (
    await run('git', ['--git-dir', repository.gitDir, ...args], { timeout: 120_000, env })
  ).stdout.trim();
}
