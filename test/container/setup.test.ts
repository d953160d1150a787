/**
 * Tests the setup scripts with real git and a real shell, also with commands that damage the working tree.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packFiles } from '../../container/packed-files.ts';
import { changeLineSchema } from '../../src/core/change-set.ts';
import {
  setupInputsSchema,
  setupJob,
  setupResultSchema,
  type SetupJob,
  type SetupResult,
} from '../../src/core/setup.ts';
import {
  cloneWorkspace,
  git,
  jobFor,
  runScript,
  snapshot,
  temporaryFolder,
  type Workspace,
} from './sandbox-scripts.ts';

const files: Readonly<Record<string, string>> = {
  'package.json': '{}\n',
  'package-lock.json': '{ "lockfileVersion": 3 }\n',
  'src/a.js': 'export const a = 1;\n',
  '.gitignore': 'node_modules/\n*.log\n',
};

async function workspaceWith(more: Readonly<Record<string, string>> = {}): Promise<Workspace> {
  const origin = temporaryFolder();
  git(origin, 'init', '--quiet');
  for (const [path, content] of Object.entries({ ...files, ...more })) {
    mkdirSync(join(origin, path, '..'), { recursive: true });
    writeFileSync(join(origin, path), content);
  }
  git(origin, 'add', '--all', '--force');
  git(origin, 'commit', '--quiet', '-m', 'first');
  return await cloneWorkspace(origin, git(origin, 'rev-parse', 'HEAD'));
}

function jobIn(
  { directory, objectStore, base }: Workspace,
  run: string,
  more: Partial<SetupJob> = {},
): SetupJob {
  const job = setupJob(
    { run, limits: { minutes: 1, tokens: 1000 }, baseSha: base, lfs: false },
    { restore: false, pack: false, maxPackedBytes: 1024 * 1024 },
  );
  const packedFolder = join(directory, '..', 'packed');
  // Outside a sandbox this would kill the test run.
  const outside = { directory, objectStore, packedFolder, packageFolders: [], endOtherProcesses: false };
  return { ...job, ...outside, ...more };
}

async function setUp(job: SetupJob): Promise<SetupResult> {
  const { stdout } = await runScript('setup.ts', job);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return setupResultSchema.parse(JSON.parse(stdout));
}

describe('the setup command', () => {
  it('runs in the clone, and reports its output and exit code', async () => {
    const workspace = await workspaceWith();
    const result = await setUp(jobIn(workspace, 'pwd; echo to stderr >&2; cat src/a.js; exit 3'));
    expect(result).toMatchObject({ exitCode: 3, problem: null, packed: null, cacheRestored: false });
    expect(result.outputTail).toContain(workspace.directory);
    expect(result.outputTail).toContain('to stderr');
    expect(result.outputTail).toContain('export const a');
  });

  it.each([
    ['a missing command', 'no-such-program', 127],
    ['a syntax error', 'if', 2],
    ['a command that kills itself', 'kill -9 $$', 137],
    ['a command that succeeds', 'true', 0],
  ])('reports the exit code of %s', async (_, run, exitCode) => {
    expect((await setUp(jobIn(await workspaceWith(), run))).exitCode).toBe(exitCode);
  });

  it('is killed at its time limit with its whole process group', async () => {
    const job = jobIn(await workspaceWith(), 'echo begun; sleep 3600 & sleep 3600', { timeoutMs: 300 });
    const result = await setUp(job);
    expect(result).toMatchObject({ exitCode: null, outputTail: 'begun\n' });
  });

  it('ends without waiting for background processes that keep its output open', async () => {
    const result = await setUp(jobIn(await workspaceWith(), 'sleep 3600 & echo done'));
    expect(result).toMatchObject({ exitCode: 0, outputTail: 'done\n' });
  });

  it('reports only the end of a long output', async () => {
    const result = await setUp(jobIn(await workspaceWith(), 'seq 1 200000; echo the end'));
    expect(result.outputTail).toHaveLength(16_000);
    expect(result.outputTail.endsWith('200000\nthe end\n')).toBe(true);
  });
});

describe('the working tree after setup', () => {
  it('has all tracked files restored: changed, deleted, and replaced by folders or links', async () => {
    const workspace = await workspaceWith({ 'src/b.js': 'b\n', 'src/deep/c.js': 'c\n' });
    const before = snapshot(workspace.directory);
    const result = await setUp(
      jobIn(
        workspace,
        [
          'echo changed > package-lock.json',
          'rm src/a.js && mkdir src/a.js && echo x > src/a.js/x',
          'rm -r src/deep && ln -s /etc src/deep',
          'chmod 755 src/b.js',
          'rm .gitignore',
        ].join(' && '),
      ),
    );
    expect(result).toMatchObject({ exitCode: 0, problem: null });
    expect(result.restored.paths.toSorted()).toEqual([
      '.gitignore',
      'package-lock.json',
      'src/a.js',
      'src/b.js',
      'src/deep/c.js',
    ]);
    expect(snapshot(workspace.directory)).toEqual(before);
  });

  it('is compared with the base commit whatever setup did to .git', async () => {
    const workspace = await workspaceWith();
    const result = await setUp(
      jobIn(
        workspace,
        'echo 1 > src/a.js && git -c user.name=x -c user.email=x commit -qam x && rm -rf .git',
      ),
    );
    expect(result.restored.paths).toEqual(['src/a.js']);
    expect(readFileSync(join(workspace.directory, 'src/a.js'), 'utf8')).toBe(files['src/a.js']);
  });

  it('keeps new files, which never become part of the change, even if Codex edits them', async () => {
    const workspace = await workspaceWith();
    const { directory } = workspace;
    const run =
      'mkdir -p .venv/lib node_modules/x build && touch .venv/lib/a build/b build.txt node_modules/x/y';
    const result = await setUp(jobIn(workspace, run));
    expect(result.pathsLeftBySetup).toEqual({ paths: ['.venv/', 'build.txt', 'build/'], total: 3 });
    writeFileSync(join(directory, 'build/by-codex'), '');
    writeFileSync(join(directory, 'build.txt'), 'edited');
    writeFileSync(join(directory, 'builder.js'), 'new');
    writeFileSync(join(directory, 'src/a.js'), 'edited');
    const job = { ...jobFor(workspace), pathsLeftBySetup: result.pathsLeftBySetup.paths };
    const lines = (await runScript('collect.ts', job)).stdout.trim().split('\n');
    const changed = lines
      .map((line) => changeLineSchema.parse(JSON.parse(line)))
      .flatMap((line) => (line.type === 'file' ? [line.path] : []));
    expect(changed).toEqual(['builder.js', 'src/a.js']);
  });

  it('lists new paths up to the limit and counts all of them', async () => {
    const workspace = await workspaceWith();
    const result = await setUp(
      jobIn(workspace, 'for i in 1 2 3 4 5; do touch new-$i; done', { maxLeftPaths: 2 }),
    );
    expect(result.pathsLeftBySetup).toEqual({ paths: ['new-1', 'new-2'], total: 5 });
  });
});

describe('the installed files', () => {
  const install =
    'mkdir -p node_modules/pkg/bin && echo "module" > node_modules/pkg/index.js && echo run > node_modules/pkg/bin/x && chmod 755 node_modules/pkg/bin/x && ln -s pkg/bin/x node_modules/x && touch new.txt';

  it('are packed and unpacked byte for byte with modes and links, without the tracked sources', async () => {
    const workspace = await workspaceWith();
    const packages = join(temporaryFolder(), 'cache');
    mkdirSync(packages);
    writeFileSync(join(packages, 'blob'), 'bytes');
    const packageFolders = [packages, join(packages, 'missing')];
    const result = await setUp(jobIn(workspace, install, { pack: true, packageFolders }));
    expect(result.packed).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), parts: 1 });
    const installed = snapshot(workspace.directory);
    rmSync(join(workspace.directory, 'node_modules'), { recursive: true });
    rmSync(join(workspace.directory, 'new.txt'));
    rmSync(packages, { recursive: true });
    const again = await setUp(jobIn(workspace, 'cat node_modules/x', { restore: true, packageFolders }));
    expect(again).toMatchObject({ cacheRestored: true, exitCode: 0, outputTail: 'run\n' });
    expect(snapshot(workspace.directory)).toEqual(installed);
    expect(readFileSync(join(packages, 'blob'), 'utf8')).toBe('bytes');
    expect(existsSync(join(workspace.directory, '../packed'))).toBe(false);
  });

  it('are packed in parts of 8 MiB', async () => {
    const workspace = await workspaceWith();
    const run = 'mkdir node_modules && head -c 20000000 /dev/urandom > node_modules/random';
    const job = jobIn(workspace, run, { pack: true, maxPackedBytes: 64 * 1024 * 1024 });
    expect((await setUp(job)).packed).toMatchObject({ parts: 3 });
    expect(readdirSync(job.packedFolder)).toEqual(['part-00000', 'part-00001', 'part-00002']);
    const before = snapshot(workspace.directory);
    rmSync(join(workspace.directory, 'node_modules'), { recursive: true });
    expect(await setUp({ ...job, run: 'true', restore: true, pack: false })).toMatchObject({
      cacheRestored: true,
    });
    expect(snapshot(workspace.directory)).toEqual(before);
  });

  it.each([
    ['setup failed', `${install}; exit 1`, {}, null],
    ['nothing was installed', 'true', {}, null],
    ['the job does not ask for it', install, { pack: false }, null],
    [
      'it is too large',
      'mkdir node_modules && head -c 3000000 /dev/urandom > node_modules/random',
      {},
      { problem: 'it has more than 1 MiB packed' },
    ],
  ])('are not packed when %s', async (_, run, more, packed) => {
    const job = jobIn(await workspaceWith(), run, { pack: true, ...more });
    expect((await setUp(job)).packed).toEqual(packed);
    expect(existsSync(job.packedFolder)).toBe(false);
  });

  it.each([
    ['is not an archive', (path: string) => writeFileSync(path, 'not zstd')],
    ['is empty', (path: string) => writeFileSync(path, '')],
    ['is a link to somewhere else', (path: string) => symlinkSync('/etc/hostname', path)],
  ])('count as not restored when the first part %s, and setup runs all the same', async (_, put) => {
    const job = jobIn(await workspaceWith(), 'echo ran', { restore: true });
    mkdirSync(job.packedFolder);
    put(join(job.packedFolder, 'part-00000'));
    expect(await setUp(job)).toMatchObject({ cacheRestored: false, exitCode: 0, outputTail: 'ran\n' });
  });

  it('cannot change a source when restored: tracked files are restored after setup', async () => {
    const workspace = await workspaceWith();
    const source = join(workspace.directory, 'src/a.js');
    const job = jobIn(workspace, 'cat src/a.js', { restore: true });
    // Simulates a poisoned cache entry.
    writeFileSync(source, 'poisoned');
    await packFiles([source], job.packedFolder, 1024 * 1024);
    writeFileSync(source, files['src/a.js'] ?? '');
    expect(await setUp(job)).toMatchObject({
      cacheRestored: true,
      outputTail: 'poisoned',
      restored: { paths: ['src/a.js'], total: 1 },
    });
    expect(readFileSync(source, 'utf8')).toBe(files['src/a.js']);
  });
});

describe('setup-inputs.ts', () => {
  async function inputs(more: Readonly<Record<string, string>>) {
    const { directory, base } = await workspaceWith(more);
    return setupInputsSchema.parse(
      JSON.parse((await runScript('setup-inputs.ts', { directory, base })).stdout),
    );
  }

  it('finds the lock files of the commit in every folder', async () => {
    const found = await inputs({
      'api/uv.lock': '',
      'api/requirements-dev.txt': '',
      'api/requirements/base.txt': '',
      'Cargo.lock': '',
      'notes.txt': '',
      'src/not-a-package-lock.json': '',
    });
    expect(found).toMatchObject({ lockFiles: 5, platform: expect.stringContaining(process.arch) });
  });

  it('returns another digest for a changed, moved or additional lock file only', async () => {
    const same = await inputs({});
    expect((await inputs({ 'src/a.js': 'changed' })).digest).toBe(same.digest);
    const others = await Promise.all([
      inputs({ 'package-lock.json': '{ "lockfileVersion": 2 }\n' }),
      inputs({ 'yarn.lock': '' }),
      inputs({ 'web/package-lock.json': files['package-lock.json'] ?? '' }),
    ]);
    const digests = [same, ...others].map(({ digest }) => digest);
    expect(new Set(digests).size).toBe(digests.length);
  });
});
