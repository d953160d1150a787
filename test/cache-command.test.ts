/** Runs `cli/cache.ts` on a cache with entries of two repositories. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openSetupCache } from '../host/sandbox/setup-cache.ts';
import { gzipped, tarOf } from './fixtures/tar.ts';

let state: string;
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'airlock-cache-command-'));
  onTestFinished(() => rmSync(state, { recursive: true, force: true }));
  const cache = openSetupCache(join(state, 'sandboxes/setup-cache'), { now: () => 1_764_000_000_000 });
  const content = await gzipped(tarOf([{ name: 'workspace/repo/node_modules/x', content: 'x' }]));
  const sha256 = createHash('sha256').update(content).digest('hex');
  for (const [repositoryId, key, repository, taskId] of [
    [7, 'a', 'acme/shop', 'task-1'],
    [7, 'b', 'acme/shop', 'task-2'],
    [8, 'c', 'acme/site', 'task-3'],
  ] as const) {
    const expected = { sha256, bytes: content.length, storedBy: { taskId, repository } };
    const entry = { repositoryId, key: key.repeat(64) };
    await cache.write(entry, expected, async (number) => (number === 0 ? content : null));
  }
});

function run(...argv: readonly string[]) {
  const program = join(import.meta.dirname, '..', 'cli', 'cache.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
    encoding: 'utf8',
    env: { ...process.env, AIRLOCK_STATE: state },
  });
  return { status, stdout, stderr };
}

async function left(): Promise<readonly string[]> {
  const entries = await openSetupCache(join(state, 'sandboxes/setup-cache')).list();
  return entries.map(({ storedBy }) => storedBy?.taskId ?? '').toSorted();
}

describe('npm run cache', () => {
  it('lists each entry with the task that stored it', () => {
    const { status, stdout } = run('list', '--repository', 'acme/Shop');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^acme\/shop  a{12}  0\.0 MiB  stored by task task-1 at 2025-11-24T16:00:00Z, last used /m,
    );
    expect(stdout).toMatch(/^2 entries, 0\.0 MiB\.$/m);
    expect(stdout).not.toContain('acme/site');
  });

  it.each([
    [
      ['--task', 'task-2'],
      ['task-1', 'task-3'],
    ],
    [['--repository', 'acme/shop'], ['task-3']],
    [
      ['--repository', 'acme/site', '--task', 'task-1'],
      ['task-1', 'task-2', 'task-3'],
    ],
    [['--all'], []],
  ])('purges with %j, and leaves %j', async (argv, expected) => {
    expect(run('purge', ...argv)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Deleted \d entr/m),
    });
    expect(await left()).toEqual(expected);
  });

  it.each<[readonly string[], RegExp]>([
    [[], /Say what to do/],
    [['delete'], /Say what to do/],
    [['purge'], /Say what to purge/],
    [['purge', '--all', '--task', 'task-1'], /Say what to purge/],
    [['list', '--repository', 'shop'], /"shop" is not OWNER\/NAME/],
    [['list', '--wrong'], /Unknown option --wrong[^]*--help/],
  ])('refuses %j without deleting anything', async (argv, message) => {
    const { status, stderr } = run(...argv);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
    expect(await left()).toHaveLength(3);
  });

  it('ends quietly when its reader has ended', async () => {
    const program = join(import.meta.dirname, '..', 'cli', 'cache.ts');
    const pipe = `"$0" "${program}" list | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', pipe, process.execPath], {
      encoding: 'utf8',
      env: { ...process.env, AIRLOCK_STATE: state },
    });
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
  });

  it('prints its help', () => {
    expect(run('--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('npm run cache -- list|purge'),
    });
  });
});
