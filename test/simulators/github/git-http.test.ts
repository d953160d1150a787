import { connect } from 'node:net';
import { readFile, writeFile, lstat, readlink, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { git, TestSite, textAt } from './harness.ts';

describe('git over HTTP', () => {
  let site: TestSite;
  let installationId: number | null;
  let headSha: string;
  let write: string;
  let read: string;
  const repo = '/repos/acme/widgets';
  const remote = (token: string | null, path = 'acme/widgets.git') => {
    const { host } = new URL(site.simulator.url);
    return `http://${token === null ? '' : `x-access-token:${token}@`}${host}/${path}`;
  };
  let folders = 0;
  const clone = async (url: string, ...argv: string[]) => {
    folders += 1;
    const folder = join(site.folder, `clone-${folders}`);
    return { folder, result: await git(site.folder, ['clone', '--quiet', ...argv, url, folder]) };
  };

  beforeAll(async () => {
    site = await TestSite.start();
    ({ installationId, headSha } = await site.repository());
    await site.repository({ name: 'open-source', private: false });
    write = await site.token(installationId, { permissions: { contents: 'write' } });
    read = await site.token(installationId, { repositories: ['widgets'], permissions: { contents: 'read' } });
  });
  afterAll(() => site.stop());

  it('clones file modes, symlinks and binary content', async () => {
    const { folder, result } = await clone(remote(read));
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect((await git(folder, ['rev-parse', 'HEAD'])).stdout).toBe(headSha);
    expect(await readlink(join(folder, 'latest'))).toBe('src/a.txt');
    expect((await lstat(join(folder, 'bin/run'))).mode & 0o111).toBe(0o111);
    expect([...(await readFile(join(folder, 'logo.bin')))]).toEqual([0, 1, 2, 255, 254, 0]);
    expect((await git(folder, ['fsck', '--strict'])).code).toBe(0);
  });

  it.each(['ACME/Widgets', 'acme/widgets', 'acme/WIDGETS.git'])(
    'finds the repository as %s',
    async (path) => {
      expect((await git(site.folder, ['ls-remote', remote(read, path), 'HEAD'])).stdout).toBe(
        `${headSha}\tHEAD`,
      );
    },
  );

  it('fetches a single commit by its id, without blobs', async () => {
    const folder = join(site.folder, 'partial');
    await git(site.folder, ['init', '--quiet', folder]);
    await git(folder, ['remote', 'add', 'origin', remote(read)]);
    const fetched = await git(folder, [
      'fetch',
      '--quiet',
      '--depth=1',
      '--filter=blob:none',
      'origin',
      headSha,
    ]);
    expect(fetched).toMatchObject({ code: 0 });
    expect((await git(folder, ['rev-list', '--objects', '--missing=print', 'FETCH_HEAD'])).stdout).toContain(
      '?',
    );
  });

  it('shows a push to REST at once, and a REST commit to git at once', async () => {
    const { folder } = await clone(remote(write));
    await writeFile(join(folder, 'pushed.txt'), 'pushed\n');
    await git(folder, ['checkout', '--quiet', '-b', 'pushed']);
    await git(folder, ['add', '.']);
    await git(folder, ['commit', '--quiet', '-m', 'Push']);
    expect(await git(folder, ['push', '--quiet', 'origin', 'pushed'])).toMatchObject({ code: 0 });
    const local = (await git(folder, ['rev-parse', 'HEAD'])).stdout;
    expect((await site.call('GET', `${repo}/git/ref/heads/pushed`, write)).body).toMatchObject({
      object: { sha: local },
    });

    const tree = textAt((await site.call('GET', `${repo}/git/commits/${local}`, write)).body, 'tree.sha');
    const made = await site.call('POST', `${repo}/git/commits`, write, {
      message: 'By REST',
      tree,
      parents: [local],
    });
    const sha = textAt(made.body, 'sha');
    await site.call('PATCH', `${repo}/git/refs/heads/pushed`, write, { sha });
    await git(folder, ['pull', '--quiet', 'origin', 'pushed']);
    expect((await git(folder, ['rev-parse', 'HEAD'])).stdout).toBe(sha);
  });

  it('creates the same objects as git', async () => {
    const folder = join(site.folder, 'plain');
    await git(site.folder, ['clone', '--quiet', remote(read), folder]);
    const content = 'zwölf Boxkämpfer\n';
    const blob = await site.call('POST', `${repo}/git/blobs`, write, { content });
    expect(textAt(blob.body, 'sha')).toBe((await git(folder, ['hash-object', '--stdin'], content)).stdout);

    await mkdir(join(folder, 'x', 'y'), { recursive: true });
    await writeFile(join(folder, 'x/y/z.txt'), content);
    await writeFile(join(folder, 'src.txt'), content);
    await writeFile(join(folder, 'src-b'), content);
    await git(folder, ['mv', 'src/a.txt', 'src/moved.txt']);
    await git(folder, ['rm', '--quiet', 'latest']);
    await git(folder, ['update-index', '--chmod=-x', 'bin/run']);
    await git(folder, ['add', 'x', 'src.txt', 'src-b']);
    const expected = (await git(folder, ['write-tree'])).stdout;
    const runBlob = (await git(folder, ['rev-parse', 'HEAD:bin/run'])).stdout;
    const tree = await site.call('POST', `${repo}/git/trees`, write, {
      base_tree: headSha,
      tree: [
        { path: 'x/y/z.txt', mode: '100644', type: 'blob', content },
        { path: 'src.txt', mode: '100644', type: 'blob', sha: textAt(blob.body, 'sha') },
        { path: 'src-b', mode: '100644', type: 'blob', sha: textAt(blob.body, 'sha') },
        { path: 'bin/run', mode: '100644', type: 'blob', sha: runBlob },
        { path: 'src/a.txt', mode: '100644', type: 'blob', sha: null },
        { path: 'src/moved.txt', mode: '100644', type: 'blob', content: 'one\ntwo\nthree\n' },
        { path: 'latest', mode: '120000', type: 'blob', sha: null },
      ],
    });
    expect(textAt(tree.body, 'sha')).toBe(expected);

    const person = { name: 'Ada', email: 'ada@example.com', date: '2026-01-02T03:04:05+02:00' };
    const commit = await site.call('POST', `${repo}/git/commits`, write, {
      message: 'Subject\n\nBody\n',
      tree: expected,
      parents: [headSha],
      author: person,
    });
    const raw = `tree ${expected}\nparent ${headSha}\nauthor Ada <ada@example.com> 1767315845 +0200\ncommitter Ada <ada@example.com> 1767315845 +0200\n\nSubject\n\nBody\n`;
    expect(textAt(commit.body, 'sha')).toBe(
      (await git(folder, ['hash-object', '-t', 'commit', '--stdin'], raw)).stdout,
    );
  });

  it.each([
    ['an anonymous fetch of a private repository', null, 'acme/widgets', 'git-upload-pack', 401],
    ['an anonymous fetch of an unknown repository', null, 'acme/none', 'git-upload-pack', 401],
    ['an anonymous fetch of a public repository', null, 'acme/open-source', 'git-upload-pack', 200],
    ['an anonymous push to a public repository', null, 'acme/open-source', 'git-receive-pack', 401],
    ['a fetch with an invalid token', 'ghs_wrong', 'acme/widgets', 'git-upload-pack', 401],
    ['a public fetch with an invalid token', 'ghs_wrong', 'acme/open-source', 'git-upload-pack', 401],
    ['a fetch with a read token', 'read', 'acme/widgets', 'git-upload-pack', 200],
    ['a push with a read token', 'read', 'acme/widgets', 'git-receive-pack', 403],
    ['a fetch of an unknown repository with a read token', 'read', 'acme/none', 'git-upload-pack', 404],
    ['a push with a write token', 'write', 'acme/widgets', 'git-receive-pack', 200],
    ['a fetch with a token without contents permission', 'issues', 'acme/widgets', 'git-upload-pack', 403],
    ['a fetch with a revoked token', 'revoked', 'acme/widgets', 'git-upload-pack', 401],
  ])('answers %s as GitHub does', async (_, who, path, service, status) => {
    const issues = await site.token(installationId, { permissions: { issues: 'write' } });
    const revoked = await site.token(installationId);
    await site.call('DELETE', '/installation/token', revoked);
    const credentials: Record<string, string> = { read, write, issues, revoked };
    const token = who === null ? null : (credentials[who] ?? who);
    const response = await fetch(`${site.simulator.url}/${path}.git/info/refs?service=${service}`, {
      headers: token === null ? {} : { authorization: `Basic ${btoa(`x-access-token:${token}`)}` },
    });
    await response.arrayBuffer();
    expect(response.status).toBe(status);
    expect(response.headers.has('www-authenticate')).toBe(status === 401);
  });

  it.each(['', '?service=git-upload-archive', '?service=../../x'])(
    'refuses the dumb protocol and unknown services: info/refs%s',
    async (query) => {
      const response = await fetch(`${site.simulator.url}/acme/widgets.git/info/refs${query}`, {
        headers: { authorization: `Basic ${btoa(`x-access-token:${write}`)}` },
      });
      expect(response.status).toBe(404);
    },
  );

  it('accepts a push with workflow files only from a token with the workflows permission', async () => {
    const { folder } = await clone(remote(write));
    await mkdir(join(folder, '.github/workflows'), { recursive: true });
    await writeFile(join(folder, '.github/workflows/ci.yml'), 'on: push\n');
    await git(folder, ['add', '.']);
    await git(folder, ['commit', '--quiet', '-m', 'Workflow']);
    const refused = await git(folder, ['push', 'origin', 'HEAD:refs/heads/flow']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(
      'refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission',
    );
    expect(
      (await site.simulator.branches({ owner: 'acme', name: 'widgets' })).map((one) => one.name),
    ).not.toContain('flow');

    const other = await TestSite.start({ permissions: { contents: 'write', workflows: 'write' } });
    try {
      const made = await other.repository();
      const { host } = new URL(made.cloneUrl);
      const token = await other.token(made.installationId);
      const pushed = await git(folder, [
        'push',
        `http://x-access-token:${token}@${host}/acme/widgets`,
        'HEAD:refs/heads/flow',
      ]);
      expect(pushed).toMatchObject({ code: 0 });
    } finally {
      await other.stop();
    }
  });

  it('transfers several megabytes in a push and a clone', async () => {
    const { folder } = await clone(remote(write));
    const bytes = new Uint8Array(6_000_000);
    for (let at = 0; at < bytes.length; at += 65_536)
      crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, bytes.length)));
    await writeFile(join(folder, 'big.bin'), bytes);
    await git(folder, ['add', '.']);
    await git(folder, ['commit', '--quiet', '-m', 'Big']);
    expect(await git(folder, ['push', '--quiet', 'origin', 'HEAD:refs/heads/big'])).toMatchObject({
      code: 0,
    });
    const back = await clone(remote(read), '--branch', 'big');
    expect(Buffer.compare(await readFile(join(back.folder, 'big.bin')), bytes)).toBe(0);
  });

  it('ends its processes when clients disconnect in the middle', async () => {
    const { hostname, port } = new URL(site.simulator.url);
    const head = `POST /acme/widgets.git/git-upload-pack HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Basic ${btoa(`x:${read}`)}\r\nContent-Type: application/x-git-upload-pack-request\r\nContent-Length: 1000000\r\n\r\n0014command=fetch`;
    for (let n = 0; n < 5; n += 1) {
      await new Promise<void>((done) => {
        const socket = connect(Number(port), hostname, () => {
          socket.write(head, () => setTimeout(() => socket.destroy(), 30));
        });
        socket.on('close', () => done());
      });
    }
    await expect.poll(() => site.simulator.requests().filter((one) => one.status === null).length).toBe(5);
    await expect.poll(() => backendsBelow(process.pid)).toBe(0);
    expect((await git(site.folder, ['ls-remote', remote(read), 'HEAD'])).code).toBe(0);
  });
});

/** Counts the `git http-backend` processes that this test started. */
async function backendsBelow(parent: number): Promise<number> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
  const names = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')),
  );
  return names.filter((name) => name.startsWith('git-http-backen')).length;
}
