/** Tests the collector with real git: every kind of change, and a manipulated `.git` without effect. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChangeSet } from '../../src/core/change-set.ts';
import { parseChangeLines } from '../../src/publish/change-lines.ts';
import {
  cloneInto,
  cloneWorkspace,
  copyWorkspace,
  git,
  jobFor,
  programFile,
  runScript,
  temporaryFolder,
  type Workspace,
} from './sandbox-scripts.ts';

/** Creates a repository with one commit, and a clone of it as in a sandbox. */
async function workspace(fill?: (directory: string) => void): Promise<Workspace> {
  if (fill === undefined) return copyWorkspace(plain);
  const origin = temporaryFolder();
  return await cloneWorkspace(origin, commitBase(origin, fill));
}

function commitBase(origin: string, fill: (directory: string) => void): string {
  git(origin, 'init', '--quiet');
  writeFileSync(join(origin, 'a.txt'), 'one\ntwo\n');
  writeFileSync(join(origin, 'b.txt'), 'b\n');
  mkdirSync(join(origin, 'dir'));
  writeFileSync(join(origin, 'dir/c.txt'), 'c\n');
  fill(origin);
  git(origin, 'add', '--all', '--force');
  git(origin, 'commit', '--quiet', '-m', 'base');
  return git(origin, 'rev-parse', 'HEAD');
}

/** The clone that most tests copy. */
let plain: Workspace;
const plainFolder = mkdtempSync(join(tmpdir(), 'airlock-test-'));
beforeAll(async () => {
  const origin = join(plainFolder, 'origin');
  mkdirSync(origin);
  plain = await cloneInto(
    plainFolder,
    origin,
    commitBase(origin, () => undefined),
  );
});
afterAll(() => rmSync(plainFolder, { recursive: true, force: true }));

async function collect(of: Workspace, job: unknown = jobFor(of)): Promise<ChangeSet> {
  const run = await runScript('collect', job);
  const parsed = parseChangeLines(run.stdout, of.base);
  if (!parsed.ok) throw new Error(`${parsed.reason.code}: ${parsed.reason.message}`);
  expect(run.exitCode).toBe(0);
  return parsed.change;
}

/** A line per change: `path mode content`, `path -` for a deletion, `path ?why files` if skipped. */
function shown(change: ChangeSet): string[] {
  const files = change.files.map((file) =>
    file.type === 'file'
      ? `${file.path} ${file.mode} ${Buffer.from(file.content, 'base64').toString('latin1')}`
      : `${file.path} -`,
  );
  const skipped = change.skipped.map(({ path, why, files = '' }) => `${path} ?${why} ${files}`.trim());
  return [...files, ...skipped].toSorted();
}

const write = (of: Workspace, path: string, content: string | Uint8Array): void =>
  writeFileSync(join(of.directory, path), content);

describe('collect', () => {
  it('reports no change for an unchanged tree', async () => {
    const of = await workspace();
    const change = await collect(of);
    expect(change).toMatchObject({ files: [], skipped: [] });
  });

  it.each<[string, (of: Workspace) => void, string[]]>([
    ['one of the same size and time', (of) => write(of, 'a.txt', 'ONE\nTWO\n'), ['a.txt 100644 ONE\nTWO\n']],
    [
      'what a commit of Codex holds',
      (of) => {
        write(of, 'a.txt', 'committed\n');
        git(of.directory, 'commit', '--quiet', '-am', 'mine');
      },
      ['a.txt 100644 committed\n'],
    ],
    [
      'nothing when a commit was taken back in the files',
      (of) => {
        write(of, 'a.txt', 'x');
        git(of.directory, 'commit', '--quiet', '-am', 'mine');
        write(of, 'a.txt', 'one\ntwo\n');
      },
      [],
    ],
    [
      'the files when another branch is checked out',
      (of) => {
        git(of.directory, 'checkout', '--quiet', '--orphan', 'other');
        write(of, 'n', 'n');
      },
      ['n 100644 n'],
    ],
  ])('collects %s', async (_, edit, expected) => {
    const of = await workspace();
    edit(of);
    expect(shown(await collect(of))).toEqual(expected);
  });

  it.each<[string, (of: Workspace) => void, string[]]>([
    [
      'a repository of its own with commits',
      (of) => {
        git(of.directory, 'init', '--quiet', 'nested');
        write(of, 'nested/f', 'x');
        git(join(of.directory, 'nested'), 'add', '.');
        git(join(of.directory, 'nested'), 'commit', '--quiet', '-m', 'x');
      },
      ['nested/ ?nested-repository'],
    ],
    [
      'what is outside a sparse checkout',
      (of) => {
        unlinkSync(join(of.directory, 'a.txt'));
        git(of.directory, 'sparse-checkout', 'set', '--no-cone', '/a.txt');
      },
      ['a.txt -', 'b.txt ?not-checked-out', 'dir/c.txt ?not-checked-out'],
    ],
    [
      'what an interrupted checkout did not write',
      (of) => {
        unlinkSync(join(of.directory, 'a.txt'));
        write(of, '.git/index.lock', '');
      },
      ['a.txt ?not-checked-out'],
    ],
    [
      'the largest of too many new files',
      (of) => {
        for (const folder of ['new/bulk', 'dir/few'])
          mkdirSync(join(of.directory, folder), { recursive: true });
        for (let count = 0; count < 40; count += 1) write(of, `new/bulk/${count}`, '');
        write(of, 'new/one', '1');
        write(of, 'dir/few/two', '2');
        write(of, 'dir/c.txt', 'edited');
      },
      ['dir/c.txt 100644 edited', 'dir/few/two 100644 2', 'new/bulk/ ?too-many 40', 'new/one 100644 1'],
    ],
    [
      'the largest of too many new bytes',
      (of) => {
        mkdirSync(join(of.directory, 'new'));
        for (let count = 0; count < 4; count += 1) write(of, `new/${count}`, 'x'.repeat(1500));
        write(of, 'dir/n', 'n');
      },
      ['dir/n 100644 n', 'new/ ?too-many 4'],
    ],
    [
      'a name that is not UTF-8',
      (of) => writeFileSync(Buffer.concat([Buffer.from(`${of.directory}/`), Buffer.from([0x66, 0xfc])]), 'x'),
      ['f\uFFFD ?not-utf8'],
    ],
  ])('skips and reports %s, and collects the rest', async (_, edit, expected) => {
    const of = await workspace();
    edit(of);
    write(of, 'rest', 'x');
    const change = await collect(
      of,
      jobFor(of, { maxFileBytes: 2000, maxChangeBytes: 5000, maxChangedFiles: 30 }),
    );
    expect(shown(change)).toEqual([...expected, 'rest 100644 x'].toSorted());
  });

  it('does not open a new socket or FIFO', async () => {
    const of = await workspace();
    execFileSync('mkfifo', [join(of.directory, 'pipe')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(of.directory, 'sock'), resolve));
    const change = await collect(of);
    server.close();
    expect(shown(change)).toEqual([]);
  });

  it.runIf(process.getuid?.() !== 0)('skips files that it cannot read', async () => {
    const of = await workspace();
    write(of, 'secret', 'x');
    chmodSync(join(of.directory, 'secret'), 0);
    expect(shown(await collect(of))).toEqual(['secret ?unreadable']);
  });

  it('changes no submodule pointer, and names the files that changed in its folder', async () => {
    let source = '';
    const of = await workspace((origin) => {
      source = join(origin, 'sub');
      git(origin, 'init', '--quiet', 'sub');
      for (const name of ['same', 'edited']) writeFileSync(join(source, name), name);
      git(source, 'add', '.');
      git(source, 'commit', '--quiet', '-m', 'sub');
    });
    expect(shown(await collect(of))).toEqual([]);
    mkdirSync(join(of.directory, 'sub/in'));
    write(of, 'sub/in/file', 'x');
    expect(shown(await collect(of))).toEqual(['sub/in/file ?submodule']);
    rmSync(join(of.directory, 'sub'), { recursive: true });
    git(of.directory, 'clone', '--quiet', source, 'sub');
    expect(shown(await collect(of))).toEqual([]);
    write(of, 'sub/edited', 'x');
    expect(shown(await collect(of))).toEqual(['sub/edited ?submodule']);
    git(join(of.directory, 'sub'), 'commit', '--quiet', '-am', 'other');
    expect(shown(await collect(of))).toEqual(['sub ?submodule', 'sub/edited ?submodule']);
  });

  it('skips ignored files, except tracked ones, and names those that look meant', async () => {
    const of = await workspace((origin) => {
      writeFileSync(join(origin, '.gitignore'), '*.log\nnode_modules/\nbuild/\n.env*\n*.bin\n/notes/\n');
      writeFileSync(join(origin, 'kept.log'), 'tracked\n');
    });
    write(of, 'kept.log', 'changed\n');
    write(of, 'new.log', 'x');
    mkdirSync(join(of.directory, 'node_modules'));
    write(of, 'node_modules/x', 'x');
    for (const name of ['.env', '.env.example']) write(of, name, 'x');
    for (const folder of ['build', 'notes']) mkdirSync(join(of.directory, folder));
    for (const name of ['build/x', 'notes/x', 'dir/a.bin']) write(of, name, '\0');
    expect(shown(await collect(of))).toEqual([
      '.env.example ?ignored',
      'kept.log 100644 changed\n',
      'notes/ ?ignored',
    ]);
    // What is older than the end of setup is not Codex's.
    writeFileSync(join(of.objectStore, 'setup-done'), '');
    expect(shown(await collect(of))).toEqual(['kept.log 100644 changed\n']);
  });

  it('collects new files in a folder with tracked ones, whatever its name', async () => {
    const of = await workspace((origin) => {
      mkdirSync(join(origin, 'node_modules'));
      writeFileSync(join(origin, 'node_modules/a.js'), 'a');
    });
    write(of, 'node_modules/b.js', 'b');
    expect(shown(await collect(of))).toEqual(['node_modules/b.js 100644 b']);
  });
});

describe('the collector after a hostile run', () => {
  const gitDir = (of: Workspace): string => join(of.directory, '.git');
  const configure = (of: Workspace, text: string): void => appendFileSync(join(gitDir(of), 'config'), text);
  const marker = (of: Workspace): string => join(of.directory, '..', 'ran');
  const script = (of: Workspace): string => {
    const path = join(of.directory, '..', 'evil.sh');
    writeFileSync(path, `#!/bin/sh\ntouch ${marker(of)}\nprintf evil\n`, { mode: 0o755 });
    return path;
  };

  it.each<[string, (of: Workspace) => void]>([
    ['no .git at all', (of) => rmSync(gitDir(of), { recursive: true })],
    [
      'a file for .git',
      (of) => {
        rmSync(gitDir(of), { recursive: true });
        writeFileSync(gitDir(of), 'gitdir: /nowhere\n');
      },
    ],
    [
      'a symlink for .git',
      (of) => {
        renameSync(gitDir(of), join(of.directory, '../elsewhere'));
        symlinkSync('../elsewhere', gitDir(of));
      },
    ],
    [
      'a symlink loop for .git',
      (of) => {
        rmSync(gitDir(of), { recursive: true });
        symlinkSync('.git', gitDir(of));
      },
    ],
    ['a corrupted index', (of) => writeFileSync(join(gitDir(of), 'index'), 'DIRC nonsense')],
    [
      'an index that hides changes',
      (of) => {
        git(of.directory, 'update-index', '--assume-unchanged', 'a.txt');
        git(of.directory, 'update-index', '--skip-worktree', 'b.txt');
      },
    ],
    ['an invalid HEAD', (of) => writeFileSync(join(gitDir(of), 'HEAD'), 'nothing')],
    ['an unreadable config', (of) => configure(of, '[broken')],
    ['core.fsmonitor', (of) => configure(of, `[core]\n\tfsmonitor = ${script(of)}\n`)],
    ['core.worktree', (of) => configure(of, '[core]\n\tworktree = /etc\n')],
    ['core.hooksPath', (of) => configure(of, `[core]\n\thooksPath = ${join(script(of), '..')}\n`)],
    [
      'a filter',
      (of) => {
        configure(of, `[filter "x"]\n\tclean = ${script(of)}\n\tsmudge = ${script(of)}\n\trequired = true\n`);
        writeFileSync(join(gitDir(of), 'info/attributes'), '* filter=x\n');
      },
    ],
    [
      'a text conversion',
      (of) => {
        configure(of, `[diff "x"]\n\ttextconv = ${script(of)}\n\tcommand = ${script(of)}\n`);
        writeFileSync(join(gitDir(of), 'info/attributes'), '* diff=x\n');
      },
    ],
    ['core.autocrlf', (of) => configure(of, '[core]\n\tautocrlf = true\n\tsafecrlf = true\n')],
    [
      'core.fileMode and core.symlinks off',
      (of) => configure(of, '[core]\n\tfileMode = false\n\tsymlinks = false\n'),
    ],
    ['info/exclude', (of) => writeFileSync(join(gitDir(of), 'info/exclude'), '*\n')],
    [
      'core.excludesFile',
      (of) => {
        writeFileSync(join(of.directory, '../all'), '*\n');
        configure(of, `[core]\n\texcludesFile = ${join(of.directory, '../all')}\n`);
      },
    ],
    [
      'an include',
      (of) => {
        writeFileSync(join(of.directory, '../inc'), `[core]\n\tfsmonitor = ${script(of)}\n`);
        configure(of, `[include]\n\tpath = ${join(of.directory, '../inc')}\n`);
      },
    ],
    [
      'alternates to nowhere',
      (of) => {
        mkdirSync(join(gitDir(of), 'objects/info'), { recursive: true });
        writeFileSync(join(gitDir(of), 'objects/info/alternates'), '/nowhere\n');
      },
    ],
    [
      'a replaced base commit',
      (of) => {
        git(of.directory, 'commit', '--quiet', '--allow-empty', '-m', 'x');
        mkdirSync(join(gitDir(of), 'refs/replace'), { recursive: true });
        writeFileSync(join(gitDir(of), 'refs/replace', of.base), git(of.directory, 'rev-parse', 'HEAD'));
      },
    ],
    ['no objects', (of) => rmSync(join(gitDir(of), 'objects'), { recursive: true })],
    ['a lock of a killed git', (of) => writeFileSync(join(gitDir(of), 'index.lock'), '')],
    ['a broken copy of the index', (of) => writeFileSync(join(of.objectStore, 'index'), 'DIRC nonsense')],
    ['no copy of the index', (of) => unlinkSync(join(of.objectStore, 'index'))],
  ])('collects the same change despite %s', async (_, spoil) => {
    const of = await workspace();
    write(of, 'a.txt', 'one\r\ntwo\r\n');
    write(of, 'new.txt', 'new\n');
    chmodSync(join(of.directory, 'b.txt'), 0o755);
    spoil(of);
    const change = await collect(of);
    expect(shown(change)).toEqual([
      'a.txt 100644 one\r\ntwo\r\n',
      'b.txt 100755 b\n',
      'new.txt 100644 new\n',
    ]);
    expect(existsSync(marker(of))).toBe(false);
  });

  const converted = 'one\n$Id$\n';
  const asWritten = 'one\r\n$Id: x$\r\n';
  it.each([
    ['* text eol=crlf ident', converted],
    ['* filter=x diff=x', asWritten],
    ['* filter=x -text -ident', asWritten],
    ['* -diff', asWritten],
    ['* binary', asWritten],
  ])('runs no program for .gitattributes with %j', async (attributes, content) => {
    const of = await workspace();
    configure(of, `[filter "x"]\n\tclean = ${script(of)}\n[diff "x"]\n\ttextconv = ${script(of)}\n`);
    write(of, '.gitattributes', `${attributes}\n`);
    write(of, 'a.txt', asWritten);
    const change = await collect(of);
    expect(shown(change)).toEqual([`.gitattributes 100644 ${attributes}\n`, `a.txt 100644 ${content}`]);
    expect(existsSync(marker(of))).toBe(false);
  });

  it('collects the same change despite environment variables of git', async () => {
    const of = await workspace();
    write(of, 'a.txt', 'changed\n');
    const run = await runScript('collect', jobFor(of), {
      GIT_DIR: '/nowhere',
      GIT_INDEX_FILE: '/nowhere',
      GIT_OBJECT_DIRECTORY: '/nowhere',
      GIT_EXTERNAL_DIFF: script(of),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.fsmonitor',
      GIT_CONFIG_VALUE_0: script(of),
    });
    const parsed = parseChangeLines(run.stdout, of.base);
    expect(parsed.ok && shown(parsed.change)).toEqual(['a.txt 100644 changed\n']);
    expect(existsSync(marker(of))).toBe(false);
  });

  it.each<[string, (of: Workspace) => unknown, string]>([
    [
      'edits over the size limit',
      (of) => {
        write(of, 'a.txt', 'x'.repeat(600));
        write(of, 'b.txt', 'y'.repeat(600));
        return jobFor(of, { maxChangeBytes: 1000 });
      },
      'collect-too-large',
    ],
    [
      'too many edits',
      (of) => {
        for (const name of ['a.txt', 'b.txt', 'dir/c.txt']) write(of, name, 'x');
        return jobFor(of, { maxChangedFiles: 2 });
      },
      'collect-too-many-files',
    ],
    [
      'an empty folder in place of the clone',
      (of) => {
        rmSync(of.directory, { recursive: true });
        mkdirSync(of.directory);
        return jobFor(of);
      },
      'collect-working-tree-missing',
    ],
    [
      'a deleted working tree',
      (of) => {
        rmSync(of.directory, { recursive: true });
        return jobFor(of);
      },
      'collect-working-tree-missing',
    ],
    [
      'a symlink in place of the working tree',
      (of) => {
        rmSync(of.directory, { recursive: true });
        symlinkSync('/etc', of.directory);
        return jobFor(of);
      },
      'collect-working-tree-missing',
    ],
    [
      'a deleted base',
      (of) => {
        rmSync(join(of.objectStore, 'objects'), { recursive: true });
        return jobFor(of);
      },
      'collect-base-missing',
    ],
    ['a job without a base', (of) => ({ ...jobFor(of), base: '' }), 'collect-bad-job'],
  ])('fails with a reason for %s', async (_, spoil, code) => {
    const of = await workspace();
    const run = await runScript('collect', spoil(of));
    expect(run.exitCode).toBe(1);
    expect(parseChangeLines(run.stdout, of.base)).toMatchObject({ ok: false, reason: { code } });
  });
});

/** Bubblewrap from the Codex package: in a PID namespace of its own this test cannot kill other processes. */
const bwrap = join(
  import.meta.dirname,
  '../../node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/codex-resources/bwrap',
);
const ownNamespace = [
  '--unshare-user',
  '--unshare-pid',
  '--bind',
  '/',
  '/',
  '--proc',
  '/proc',
  '--dev',
  '/dev',
];
const namespacesWork = existsSync(bwrap) && spawnSync(bwrap, [...ownNamespace, '--', 'true']).status === 0;

it.runIf(namespacesWork)(
  'makes room on a full disk, collects the change and says that the disk was full',
  async () => {
    const of = await workspace();
    write(of, 'noise', randomBytes(60_000));
    const job = join(of.directory, '../job.json');
    writeFileSync(job, JSON.stringify({ ...jobFor(of), disposable: ['/mnt/caches'] }));
    const script = `mkdir /mnt/caches; head -c 1000000 /dev/zero > /mnt/caches/x; df /mnt >&2
    ${process.execPath} ${programFile('collect')} ${job}`;
    const options = [...ownNamespace, '--size', '262144', '--tmpfs', '/mnt', '--setenv', 'TMPDIR', '/mnt'];
    const run = spawnSync(bwrap, [...options, '--', 'bash', '-c', script], { encoding: 'utf8' });
    const parsed = parseChangeLines(run.stdout, of.base);
    expect(parsed.ok && parsed.change).toMatchObject({ diskFull: true, files: [{ path: 'noise' }] });
  },
);

describe('processes that still run when the collector starts', () => {
  it.runIf(namespacesWork)(
    'are killed before the tree is read, even if they ignore signals, changed their session or keep forking',
    async () => {
      const of = await workspace();
      const job = join(of.directory, '../job.json');
      writeFileSync(job, JSON.stringify({ ...jobFor(of), endOtherProcesses: true }));
      const counter = join(of.directory, 'counter');
      const busy = `trap '' TERM HUP INT; while :; do echo x >> ${counter}; done`;
      const forking = `f() { echo y >> ${counter}; f & }; f`;
      const script = `setsid bash -c "${busy}" & setsid bash -c '${forking.replaceAll("'", "'\\''")}' & sleep 0.3
      ${process.execPath} ${programFile('collect')} ${job} > ${of.directory}/../out
      cp ${counter} ${of.directory}/../at-end; sleep 0.2; cmp ${counter} ${of.directory}/../at-end && echo quiet; ls /proc | grep -c '^[0-9]'`;
      const child = spawn(bwrap, [...ownNamespace, '--die-with-parent', '--', 'bash', '-c', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await new Promise((resolve) => child.on('close', resolve));
      expect(output).toContain('quiet');
      const parsed = parseChangeLines(readFileSync(join(of.directory, '../out'), 'utf8'), of.base);
      expect(parsed.ok && parsed.change.files.map(({ path }) => path)).toEqual(['counter']);
      const [file] = parsed.ok ? parsed.change.files : [];
      expect(file?.type === 'file' && file.content).toBe(readFileSync(counter).toString('base64'));
    },
    20_000,
  );
});
