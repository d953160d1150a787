/** Tests the clone script with real git, also on repositories that ask git to convert their files. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cloneResultSchema, type CloneResult } from '../../src/core/checkout.ts';
import { git, runScript, snapshot, temporaryFolder } from './sandbox-scripts.ts';

function repository(fill: (directory: string) => void, commits = 1): { origin: string; sha: string } {
  const origin = temporaryFolder();
  git(origin, 'init', '--quiet');
  fill(origin);
  for (let made = 0; made < commits; made += 1) {
    git(origin, '-c', 'core.autocrlf=false', 'add', '--all');
    git(origin, 'commit', '--quiet', '--allow-empty', '-m', `commit ${made}`);
  }
  return { origin, sha: git(origin, 'rev-parse', 'HEAD') };
}

function jobIn(folder: string, origin: string, sha: string): Record<string, string> {
  return {
    url: `file://${origin}`,
    sha,
    branch: 'main',
    directory: join(folder, 'w/repo'),
    objectStore: join(folder, 'w/base'),
  };
}

async function clone(job: unknown): Promise<{ result: CloneResult; exitCode: number }> {
  const { stdout, exitCode } = await runScript('clone', job);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  const result = cloneResultSchema.parse(JSON.parse(stdout));
  expect(exitCode).toBe(result.ok ? 0 : 1);
  return { result, exitCode };
}

describe('clone', () => {
  it('creates a clean branch at the commit, with the files byte for byte', async () => {
    const { origin, sha } = repository((directory) => {
      writeFileSync(join(directory, 'plain.txt'), 'one\n');
      writeFileSync(join(directory, 'run.sh'), '#!/bin/sh\n');
      chmodSync(join(directory, 'run.sh'), 0o755);
      symlinkSync('plain.txt', join(directory, 'link'));
      writeFileSync(join(directory, 'binary'), new Uint8Array([0, 13, 10, 255]));
    });
    const folder = temporaryFolder();
    const { result } = await clone(jobIn(folder, origin, sha));
    expect(result).toMatchObject({ ok: true, sha, found: false });
    const directory = join(folder, 'w/repo');
    expect(snapshot(directory)).toEqual(snapshot(origin));
    expect(git(directory, 'rev-parse', 'HEAD')).toBe(sha);
    expect(git(directory, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(git(directory, 'status', '--porcelain')).toBe('');
    expect(git(directory, 'rev-parse', 'origin/main')).toBe(sha);
    expect(readdirSync(join(folder, 'w')).toSorted()).toEqual(['base', 'repo']);
  });

  it('converts files as an ordinary clone does, but runs no filter', async () => {
    const { origin, sha } = repository((directory) => {
      writeFileSync(
        join(directory, '.gitattributes'),
        '*.crlf text eol=crlf\n*.id ident\n*.lfs filter=lfs diff=lfs -text\n*.u16 working-tree-encoding=UTF-16\n',
      );
      writeFileSync(join(directory, 'pointer.lfs'), 'version https://git-lfs.github.com/spec/v1\n');
      writeFileSync(join(directory, 'a.id'), '$Id$\n');
    });
    // Writes blobs directly, without the conversions of the attributes.
    git(origin, '-c', 'core.attributesFile=/dev/null', 'hash-object', '-w', '--no-filters', '.gitattributes');
    writeFileSync(join(origin, 'raw'), 'one\ntwo\n');
    const blob = git(origin, 'hash-object', '-w', '--no-filters', 'raw');
    for (const name of ['lines.crlf', 'text.u16'])
      git(origin, 'update-index', '--add', '--cacheinfo', `100644,${blob},${name}`);
    git(origin, 'commit', '--quiet', '-m', 'raw');
    const head = git(origin, 'rev-parse', 'HEAD');
    expect(head).not.toBe(sha);
    const folder = temporaryFolder();
    expect((await clone(jobIn(folder, origin, head))).result).toMatchObject({ ok: true });
    const read = (name: string, encoding: BufferEncoding = 'utf8'): string =>
      readFileSync(join(folder, 'w/repo', name), encoding);
    expect(read('lines.crlf')).toBe('one\r\ntwo\r\n');
    expect(read('text.u16', 'utf16le')).toBe('\ufeffone\ntwo\n');
    expect(read('a.id')).toMatch(/^\$Id: [0-9a-f]{40} \$\n$/);
    expect(read('pointer.lfs')).toBe('version https://git-lfs.github.com/spec/v1\n');
    expect(git(join(folder, 'w/repo'), 'status', '--porcelain')).toBe('');
  });

  it('fetches fifty commits of history and no tags', async () => {
    const { origin, sha } = repository((directory) => writeFileSync(join(directory, 'a'), 'a'), 60);
    git(origin, 'tag', 'v1');
    const folder = temporaryFolder();
    await clone(jobIn(folder, origin, sha));
    expect(git(join(folder, 'w/repo'), 'rev-list', '--count', 'HEAD')).toBe('50');
    expect(git(join(folder, 'w/repo'), 'tag')).toBe('');
  });

  it('clones a commit that no branch points to any more', async () => {
    const { origin, sha } = repository((directory) => writeFileSync(join(directory, 'a'), 'a'), 2);
    git(origin, 'commit', '--quiet', '--allow-empty', '-m', 'newer');
    const folder = temporaryFolder();
    expect((await clone(jobIn(folder, origin, sha))).result).toMatchObject({ ok: true, sha });
  });

  it('leaves a finished clone alone on a second attempt', async () => {
    const { origin, sha } = repository((directory) => writeFileSync(join(directory, 'a'), 'a'));
    const job = jobIn(temporaryFolder(), origin, sha);
    await clone(job);
    writeFileSync(join(`${job['directory']}`, 'work'), 'in progress');
    expect((await clone(job)).result).toMatchObject({ ok: true, found: true });
    expect(existsSync(join(`${job['directory']}`, 'work'))).toBe(true);
  });

  it('ends in one clone when four attempts overlap with the leftover of a killed one', async () => {
    const { origin, sha } = repository((directory) => writeFileSync(join(directory, 'a'), 'a'), 5);
    const folder = temporaryFolder();
    const job = jobIn(folder, origin, sha);
    mkdirSync(join(folder, 'w/.repo.attempt-killed/tree/.git'), { recursive: true });
    const results = await Promise.all(Array.from({ length: 4 }, async () => (await clone(job)).result));
    expect(results.every((result) => result.ok)).toBe(true);
    // At most once: every attempt can find the clone of another before it renames its own.
    expect(results.filter((result) => result.ok && !result.found).length).toBeLessThanOrEqual(1);
    expect(git(join(folder, 'w/repo'), 'status', '--porcelain')).toBe('');
    expect(readdirSync(join(folder, 'w')).toSorted()).toEqual(['base', 'repo']);
  });

  it('reports a server that limits fetches as one to ask again', async () => {
    const server = createServer((_, response) => response.writeHead(429).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { origin, sha } = repository((directory) => writeFileSync(join(directory, 'a'), 'a'));
    const job = { ...jobIn(temporaryFolder(), origin, sha), url: `http://127.0.0.1:${port}/o/n.git` };
    expect((await clone(job)).result).toMatchObject({ ok: false, code: 'unreachable' });
    server.close();
  });

  it('keeps the base objects outside the clone without using disk space twice', async () => {
    const { origin, sha } = repository((directory) => writeFileSync(join(directory, 'a'), 'a'));
    const folder = temporaryFolder();
    await clone(jobIn(folder, origin, sha));
    const packs = readdirSync(join(folder, 'w/base/objects/pack')).filter((name) => name.endsWith('.pack'));
    expect(packs).toHaveLength(1);
    expect(statSync(join(folder, 'w/base/objects/pack', packs[0] ?? '')).nlink).toBe(2);
  });

  it('uses no hook and no template of the machine', async () => {
    const { origin, sha } = repository((directory) => writeFileSync(join(directory, 'a'), 'a'));
    const folder = temporaryFolder();
    const template = join(folder, 'template/hooks');
    mkdirSync(template, { recursive: true });
    writeFileSync(join(template, 'post-checkout'), `#!/bin/sh\ntouch ${folder}/ran\n`, { mode: 0o755 });
    const run = await runScript('clone', jobIn(folder, origin, sha), {
      GIT_TEMPLATE_DIR: join(folder, 'template'),
    });
    expect(run.exitCode).toBe(0);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    expect(existsSync(join(folder, 'w/repo/.git/hooks'))).toBe(false);
  });

  it.each<[string, (job: Record<string, string>) => unknown, string]>([
    ['a missing repository', (job) => ({ ...job, url: 'file:///nowhere/at/all' }), 'not-found'],
    ['a missing commit', (job) => ({ ...job, sha: 'f'.repeat(40) }), 'commit-not-found'],
    ['a silent server', (job) => ({ ...job, url: 'http://127.0.0.1:9/o/n.git' }), 'unreachable'],
    ['a job without a commit', (job) => ({ ...job, sha: '' }), 'bad-job'],
    [
      'a job with a credential in its URL',
      (job) => ({ ...job, url: 'https://x:y@github.com/o/n.git' }),
      'bad-job',
    ],
    ['a job with an option for a branch', (job) => ({ ...job, branch: '--upload-pack=evil' }), 'bad-job'],
    ['a job that is not JSON', () => '{', 'bad-job'],
  ])('reports %s in one line', async (_, change, code) => {
    const { origin, sha } = repository((directory) => writeFileSync(join(directory, 'a'), 'a'));
    const folder = temporaryFolder();
    const { result } = await clone(change(jobIn(folder, origin, sha)));
    expect(result).toMatchObject({ ok: false, code });
    expect(existsSync(join(folder, 'w/repo'))).toBe(false);
    expect(existsSync(join(folder, 'w')) ? readdirSync(join(folder, 'w')) : []).toEqual([]);
  });
});
