/** Tests Git LFS in clone, setup and collector, with a server that checks the protocol. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseLfsPointer } from '../../container/lfs-files.ts';
import { startGithubSimulator } from '../../simulators/github/simulator.ts';
import type { GithubSimulator } from '../../simulators/github/contract.ts';
import { changeLineSchema, collectJob } from '../../src/core/change-set.ts';
import { cloneResultSchema } from '../../src/core/checkout.ts';
import { setupJob, setupResultSchema } from '../../src/core/setup.ts';
import { git, runScript, temporaryFolder } from './sandbox-scripts.ts';

const objects = {
  logo: Buffer.alloc(300_000, 'logo'),
  table: Buffer.from('a;b\r\n'),
  empty: Buffer.alloc(0),
};
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const pointer = (content: Buffer) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\nsize ${content.length}\n`;
const files = {
  '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
  'img/logo.bin': pointer(objects.logo),
  'img/again.bin': pointer(objects.logo),
  'ünï/table.bin': pointer(objects.table),
  'README.md': 'no pointer\n',
};

/** Objects on the server; tests remove and change some. */
let held: Map<string, Buffer>;
let github: GithubSimulator;
let stateDir: string;
let asked: string[] = [];
const batchSchema = z.strictObject({
  operation: z.literal('download'),
  transfers: z.tuple([z.literal('basic')]),
  objects: z.array(z.strictObject({ oid: z.string(), size: z.number() })).max(100),
});

/** An LFS server in front of the simulated GitHub, which has no LFS. */
const front = createServer((request, response) => {
  void (async () => {
    const body = await buffer(request);
    const path = request.url ?? '/';
    if (path.includes('/info/lfs/')) {
      asked.push(`${request.method} ${path.replace(/[0-9a-f]{64}/, '<oid>')}`);
      if (request.method === 'POST') {
        const batch = batchSchema.parse(JSON.parse(body.toString('utf8')));
        const base = `http://${request.headers.host}/acme/art.git/info/lfs/objects`;
        const answered = batch.objects.map(({ oid, size }) =>
          held.has(oid)
            ? { oid, size, actions: { download: { href: `${base}/${oid}/${size}` } } }
            : { oid, size, error: { code: 404, message: 'Object does not exist' } },
        );
        response.end(JSON.stringify({ transfer: 'basic', objects: answered }));
        return;
      }
      response.end(held.get(path.split('/').at(-2) ?? ''));
      return;
    }
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers))
      if (typeof value === 'string' && !['host', 'connection', 'content-length'].includes(name))
        headers.set(name, value);
    const answer = await fetch(`${github.url}${path}`, {
      method: request.method ?? 'GET',
      headers,
      ...(body.length === 0 ? {} : { body }),
    });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  })().catch(() => response.destroy());
});
let origin: string;
let sha: string;

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'airlock-lfs-'));
  const { publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  github = await startGithubSimulator({
    stateDir,
    app: { id: 1, slug: 'airlock', publicKeyPem: publicKey },
    webhook: { url: null, secret: 'a-secret-of-the-tests' },
  });
  const made = await github.createRepository({ owner: 'acme', name: 'art', files, private: false });
  sha = made.headSha;
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const address = front.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  origin = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  front.closeAllConnections();
  front.close();
  await github.close();
  rmSync(stateDir, { recursive: true, force: true });
});

async function clone(lfs: boolean, has: readonly Buffer[] = Object.values(objects)) {
  held = new Map(has.map((content) => [sha256(content), content]));
  asked = [];
  const folder = temporaryFolder();
  const directory = join(folder, 'repo');
  const objectStore = join(folder, 'base');
  const job = { url: `${origin}/acme/art.git`, sha, branch: 'main', directory, objectStore, lfs };
  const { stdout } = await runScript('clone', job);
  return { result: cloneResultSchema.parse(JSON.parse(stdout)), directory, objectStore };
}

const shownPointer = (base64: string): string => {
  const text = Buffer.from(base64, 'base64').toString();
  return text.startsWith('version') ? ` ${text}` : '';
};

async function collect({ directory, objectStore }: { directory: string; objectStore: string }, lfs = true) {
  const job = { ...collectJob(sha, { lfs }), directory, objectStore, endOtherProcesses: false };
  const { stdout } = await runScript('collect', job);
  return stdout
    .trim()
    .split('\n')
    .map((line) => changeLineSchema.parse(JSON.parse(line)))
    .flatMap((line) =>
      line.type === 'end'
        ? []
        : [
            line.type === 'skipped'
              ? `${line.path}: ${line.why}`
              : `${line.type} ${'path' in line ? line.path : ''}${line.type === 'file' ? shownPointer(line.content) : ''}`,
          ],
    )
    .toSorted();
}

describe('a clone without LFS', () => {
  it('keeps the pointers, and collects a changed pointer but no object in its place', async () => {
    const cloned = await clone(false);
    expect(cloned.result).toMatchObject({ ok: true });
    expect(readFileSync(join(cloned.directory, 'img/logo.bin'), 'utf8')).toBe(files['img/logo.bin']);
    expect(asked).toEqual([]);
    expect(await collect(cloned, false)).toEqual([]);
    writeFileSync(join(cloned.directory, 'img/logo.bin'), pointer(objects.table));
    expect(await collect(cloned, false)).toEqual([`file img/logo.bin ${pointer(objects.table)}`]);
    writeFileSync(join(cloned.directory, 'img/logo.bin'), 'an image');
    // As in a repository whose attributes no longer name LFS.
    rmSync(join(cloned.directory, '.gitattributes'));
    expect(await collect(cloned, false)).toEqual(['deletion .gitattributes', 'img/logo.bin: lfs']);
  });
});

describe('a clone with LFS', () => {
  it('contains the objects, fetches each once, and is clean for git', async () => {
    const { result, directory } = await clone(true);
    expect(result).toMatchObject({ ok: true, sha });
    const read = (path: string) => readFileSync(join(directory, path));
    expect(read('img/logo.bin').equals(objects.logo)).toBe(true);
    expect(read('img/again.bin').equals(objects.logo)).toBe(true);
    expect(read('ünï/table.bin').equals(objects.table)).toBe(true);
    expect(read('README.md').toString()).toBe(files['README.md']);
    expect(statSync(join(directory, 'img/logo.bin')).mode & 0o777).toBe(0o644);
    expect(asked.toSorted()).toEqual([
      'GET /acme/art.git/info/lfs/objects/<oid>/300000',
      'GET /acme/art.git/info/lfs/objects/<oid>/5',
      'POST /acme/art.git/info/lfs/objects/batch',
    ]);
    expect(git(directory, 'status', '--porcelain')).toBe('');
  });

  it.each<[string, readonly Buffer[], RegExp]>([
    ['an object is missing', [objects.logo], /the LFS server has no object [0-9a-f]{12}… of 5 bytes/],
  ])('fails with a reason when %s', async (_, has, message) => {
    const { result } = await clone(true, has);
    expect(result).toMatchObject({ ok: false, code: 'lfs-failed', error: expect.stringMatching(message) });
  });

  it.each([
    ['other bytes', Buffer.from('x;y\r\n')],
    ['more bytes', Buffer.from('a;b\r\nand more')],
    ['fewer bytes', Buffer.from('a')],
  ])('fails when an object has %s', async (_, content) => {
    const folder = temporaryFolder();
    held = new Map([
      [sha256(objects.logo), objects.logo],
      [sha256(objects.table), content],
    ]);
    const directory = join(folder, 'repo');
    const job = {
      url: `${origin}/acme/art.git`,
      sha,
      branch: 'main',
      directory,
      objectStore: join(folder, 'base'),
    };
    const { stdout } = await runScript('clone', { ...job, lfs: true });
    expect(cloneResultSchema.parse(JSON.parse(stdout))).toMatchObject({
      ok: false,
      code: 'lfs-failed',
      error: expect.stringContaining('does not match its pointer'),
    });
  });

  it('publishes no object: names a changed or new one, and collects a moved one as its pointer', async () => {
    const cloned = await clone(true);
    expect(await collect(cloned)).toEqual([]);
    writeFileSync(join(cloned.directory, 'img/logo.bin'), 'smaller');
    rmSync(join(cloned.directory, 'img/again.bin'));
    writeFileSync(join(cloned.directory, 'README.md'), 'edited\n');
    mkdirSync(join(cloned.directory, 'new'));
    writeFileSync(join(cloned.directory, 'new/x.bin'), 'new');
    writeFileSync(join(cloned.directory, 'new/empty.bin'), '');
    renameSync(join(cloned.directory, 'ünï/table.bin'), join(cloned.directory, 'new/moved.bin'));
    expect(await collect(cloned)).toEqual([
      'deletion img/again.bin',
      'deletion ünï/table.bin',
      'file README.md',
      'file new/empty.bin',
      `file new/moved.bin ${pointer(objects.table)}`,
      'img/logo.bin: lfs',
      'new/x.bin: lfs',
    ]);
  });

  it('keeps its objects through setup', async () => {
    const cloned = await clone(true);
    const { directory, objectStore } = cloned;
    const job = setupJob(
      {
        setup: { run: 'echo x > README.md; rm img/again.bin', services: false },
        limits: { minutes: 1, tokens: 1 },
        baseSha: sha,
        lfs: true,
      },
      { pack: false, maxPackedBytes: 0 },
    );
    const { stdout } = await runScript('setup', {
      ...job,
      directory,
      objectStore,
      endOtherProcesses: false,
    });
    const result = setupResultSchema.parse(JSON.parse(stdout));
    expect(result).toMatchObject({ problem: null, restored: { paths: ['README.md', 'img/again.bin'] } });
    expect(readFileSync(join(directory, 'img/logo.bin')).equals(objects.logo)).toBe(true);
  });
});

describe('parseLfsPointer', () => {
  const oid = 'a'.repeat(64);
  const head = 'version https://git-lfs.github.com/spec/v1\n';
  it.each<[string, string, { oid: string; size: number } | null]>([
    ['a pointer as git-lfs writes it', `${head}oid sha256:${oid}\nsize 12\n`, { oid, size: 12 }],
    [
      'a pointer with an extension',
      `${head}ext-0-x sha256:${oid}\noid sha256:${oid}\nsize 1\n`,
      { oid, size: 1 },
    ],
    ['a pointer of another version', `version https://example.com/v2\noid sha256:${oid}\nsize 12\n`, null],
    ['a pointer without an id', `${head}size 12\n`, null],
    ['a pointer without a size', `${head}oid sha256:${oid}\n`, null],
    ['a pointer with a negative size', `${head}oid sha256:${oid}\nsize -1\n`, null],
    ['a pointer with another hash', `${head}oid sha1:${oid}\nsize 12\n`, null],
    ['a pointer that is too long', `${head}oid sha256:${oid}\nsize 12\n${'x'.repeat(1024)}`, null],
    ['a text about pointers', `See ${head}oid sha256:${oid}\nsize 12\n`, null],
  ])('parses %s', (_, text, expected) => {
    expect(parseLfsPointer(Buffer.from(text))).toEqual(expected);
  });
});
