/** Tests the setup scripts with real git and shell, also with commands that damage the tree. */
import { execFileSync } from 'node:child_process';
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
  unpackedSchema,
  type SetupJob,
  type SetupResult,
  type Unpacked,
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
    { setup: { run, services: false }, limits: { minutes: 1, tokens: 1000 }, baseSha: base, lfs: false },
    { pack: false, maxPackedBytes: 1024 * 1024 },
  );
  const packedFolder = join(directory, '..', 'packed');
  // Outside a sandbox this would kill the test run.
  const outside = { directory, objectStore, packedFolder, packageFolders: [], endOtherProcesses: false };
  return { ...job, ...outside, ...more };
}

async function setUp(job: SetupJob): Promise<SetupResult> {
  const { stdout } = await runScript('setup', job);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return setupResultSchema.parse(JSON.parse(stdout));
}

describe('the setup command', () => {
  it('runs in the clone, and reports its output and exit code', async () => {
    const workspace = await workspaceWith();
    const result = await setUp(jobIn(workspace, 'pwd; echo to stderr >&2; cat src/a.js; exit 3'));
    expect(result).toMatchObject({ exitCode: 3, problem: null, packed: null });
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

  it('ends without waiting for services, which keep their output', async () => {
    const workspace = await workspaceWith();
    const late = join(workspace.directory, '../late');
    const run = `(until [ -e ${late} ]; do sleep 0.02; done; echo more && touch ${late}-written) & seq 1 30000; echo done`;
    const result = await setUp(jobIn(workspace, run, { keepProcesses: true }));
    expect(result.outputTail).toHaveLength(16_000);
    expect(result.outputTail.endsWith('30000\ndone\n')).toBe(true);
    writeFileSync(late, '');
    await expect.poll(() => existsSync(`${late}-written`)).toBe(true);
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
    const lines = (await runScript('collect', job)).stdout.trim().split('\n');
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

  /** The home folder of a sandbox with one package folder. */
  function homeWith(files: Readonly<Record<string, string>>) {
    const home = join(temporaryFolder(), 'home');
    const packages = join(home, 'cache');
    mkdirSync(packages, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(packages, name), content);
    return { home, packages, packageFolders: [packages, join(home, 'missing')] };
  }

  async function unpack(job: SetupJob, home: string): Promise<Unpacked> {
    const { directory, objectStore, packedFolder: parts } = job;
    const cloneStaging = join(directory, '..', 'staged');
    const homeStaging = join(home, 'staged');
    mkdirSync(home, { recursive: true });
    const unpacked = await runScript('unpack-setup', {
      directory,
      objectStore,
      home,
      cloneStaging,
      homeStaging,
      packedFolder: parts,
    });
    // Whatever happened, only the files in their places are left.
    expect([cloneStaging, homeStaging, parts].filter((path) => existsSync(path))).toEqual([]);
    return unpackedSchema.parse(JSON.parse(unpacked.stdout));
  }

  it('are packed and unpacked byte for byte with modes and links, but no new or tracked files', async () => {
    const workspace = await workspaceWith();
    const { home, packages, packageFolders } = homeWith({ blob: 'bytes' });
    const job = jobIn(workspace, install, { pack: true, packageFolders });
    expect((await setUp(job)).packed).toMatchObject({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      parts: 1,
    });
    const { 'new.txt': _, ...installed } = snapshot(workspace.directory);
    rmSync(join(workspace.directory, 'node_modules'), { recursive: true });
    rmSync(join(workspace.directory, 'new.txt'));
    rmSync(packages, { recursive: true });
    expect(await unpack(job, home)).toEqual({ ok: true });
    expect(snapshot(workspace.directory)).toEqual(installed);
    expect(readFileSync(join(packages, 'blob'), 'utf8')).toBe('bytes');
    expect(await setUp(jobIn(workspace, 'cat node_modules/x'))).toMatchObject({ outputTail: 'run\n' });
  });

  it('are packed without what the check outside refuses', async () => {
    const workspace = await workspaceWith({ '.gitignore': 'node_modules/\nAGENTS.override.md\n.codex/\n' });
    const { home, packages, packageFolders } = homeWith({ a: 'a' });
    const run = [
      'mkdir -p node_modules/x/.git .codex && cd node_modules/x',
      'touch .git/config ok set ../../AGENTS.override.md ../../.codex/config.toml',
      'chmod 4755 set && mkfifo fifo && ln -s /usr/bin/python3 python && ln -s ../../.git hooks',
      `ln -s ../../../../etc out && ln -s a/../../../../x bent && mkdir locked && touch locked/y && chmod 555 locked`,
      `ln ${packages}/a hard || cp ${packages}/a hard`,
    ].join(' && ');
    const job = jobIn(workspace, run, { pack: true, packageFolders });
    const { packed, exitCode } = await setUp(job);
    expect({ packed, exitCode }).toMatchObject({ packed: { parts: 1 }, exitCode: 0 });
    const other = { ...job, ...(await workspaceWith()) };
    expect(other.directory).not.toBe(job.directory);
    const listed = execFileSync('tar', ['-tzvf', join(job.packedFolder, 'part-00000')], { encoding: 'utf8' });
    const below = `${job.directory.slice(1)}/node_modules/`;
    const names = listed
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, 10), line.split(' ').at(-1)?.replace(below, '')]);
    expect(names).toEqual([
      ['drwxr-xr-x', ''],
      ['drwxr-xr-x', 'x/'],
      ['-rw-r--r--', 'x/hard'],
      ['drwxr-xr-x', 'x/locked/'],
      ['-rw-r--r--', 'x/locked/y'],
      ['-rw-r--r--', 'x/ok'],
      ['-rwxr-xr-x', 'x/set'],
      ['drwxr-xr-x', `${packages.slice(1)}/`],
      ['-rw-r--r--', `${packages.slice(1)}/a`],
    ]);
    expect(existsSync(home)).toBe(true);
    execFileSync('chmod', ['-R', 'u+w', job.directory]);
  });

  it('are packed in parts of 8 MiB', async () => {
    const workspace = await workspaceWith();
    const run = 'mkdir node_modules && head -c 20000000 /dev/urandom > node_modules/random';
    const job = jobIn(workspace, run, { pack: true, maxPackedBytes: 64 * 1024 * 1024 });
    expect((await setUp(job)).packed).toMatchObject({ parts: 3 });
    expect(readdirSync(job.packedFolder)).toEqual(['part-00000', 'part-00001', 'part-00002']);
    const before = snapshot(workspace.directory);
    rmSync(join(workspace.directory, 'node_modules'), { recursive: true });
    expect(await unpack(job, homeWith({}).home)).toEqual({ ok: true });
    expect(snapshot(workspace.directory)).toEqual(before);
  });

  it.each([
    ['setup failed', `${install}; exit 1`, {}, null],
    ['nothing was installed', 'touch new.txt', {}, null],
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
    ['is not an archive', (path: string) => writeFileSync(path, 'not gzip')],
    ['is empty', (path: string) => writeFileSync(path, '')],
    ['is a link to somewhere else', (path: string) => symlinkSync('/etc/hostname', path)],
  ])('are refused and leave nothing when the first part %s', async (_, put) => {
    const job = jobIn(await workspaceWith(), 'true');
    const before = snapshot(job.directory);
    mkdirSync(job.packedFolder);
    put(join(job.packedFolder, 'part-00000'));
    expect(await unpack(job, homeWith({}).home)).toMatchObject({ ok: false });
    expect(snapshot(job.directory)).toEqual(before);
  });

  it('are refused and leave nothing when the archive is cut off', async () => {
    const workspace = await workspaceWith();
    const { home, packages, packageFolders } = homeWith({ blob: 'bytes' });
    const job = jobIn(workspace, install, { pack: true, packageFolders });
    await setUp(job);
    rmSync(join(workspace.directory, 'node_modules'), { recursive: true });
    rmSync(packages, { recursive: true });
    const part = join(job.packedFolder, 'part-00000');
    writeFileSync(part, readFileSync(part).subarray(0, -20));
    expect(await unpack(job, home)).toMatchObject({ ok: false });
    expect(existsSync(join(workspace.directory, 'node_modules'))).toBe(false);
    expect(existsSync(packages)).toBe(false);
  });

  it.each([
    ['a tracked file', 'src/a.js'],
    ['a tracked file that a .gitignore matches', 'kept.log'],
    ['a new file that no .gitignore matches', 'src/new.js'],
    ['a new file in a new folder', 'new/deep/file'],
  ])('are refused and leave nothing when the archive has %s', async (_, path) => {
    const workspace = await workspaceWith({ 'kept.log': 'kept' });
    const job = jobIn(workspace, 'true');
    const before = snapshot(workspace.directory);
    // Simulates a poisoned entry that also has files that are allowed.
    for (const name of ['node_modules/good', path]) {
      mkdirSync(join(workspace.directory, name, '..'), { recursive: true });
      writeFileSync(join(workspace.directory, name), 'poisoned');
    }
    const paths = ['node_modules/good', path].map((name) => join(workspace.directory, name));
    await packFiles(paths, job.packedFolder, 1024 * 1024);
    for (const name of ['node_modules', 'new', 'src/new.js'])
      rmSync(join(workspace.directory, name), { recursive: true, force: true });
    for (const name of ['src/a.js', 'kept.log'])
      writeFileSync(join(workspace.directory, name), { ...files, 'kept.log': 'kept' }[name] ?? '');
    expect(await unpack(job, homeWith({}).home)).toEqual({
      ok: false,
      problem: 'it has files in the clone that are tracked or not ignored',
    });
    expect(snapshot(workspace.directory)).toEqual(before);
  });

  it('are refused and leave nothing when something else is in their place', async () => {
    const workspace = await workspaceWith();
    const { home, packages, packageFolders } = homeWith({ blob: 'bytes' });
    const job = jobIn(workspace, install, { pack: true, packageFolders });
    await setUp(job);
    rmSync(join(workspace.directory, 'node_modules'), { recursive: true });
    writeFileSync(join(packages, 'blob'), 'mine');
    expect(await unpack(job, home)).toEqual({
      ok: false,
      problem: 'it would replace something that is there',
    });
    expect(existsSync(join(workspace.directory, 'node_modules'))).toBe(false);
    expect(readFileSync(join(packages, 'blob'), 'utf8')).toBe('mine');
  });
});

describe('setup-inputs.ts', () => {
  async function inputs(more: Readonly<Record<string, string>>) {
    const { directory, base } = await workspaceWith(more);
    return setupInputsSchema.parse(JSON.parse((await runScript('setup-inputs', { directory, base })).stdout));
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
