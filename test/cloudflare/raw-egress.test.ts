/** The egress decision where it stands in production: raw bytes of a container through workerd, the SDK's `ContainerProxy` and our handler. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exampleGrant } from '../fixtures/example-grant.ts';
import { sendRaw, type RawConnection } from '../fake-engine/raw-egress.ts';
import { smallSpec } from '../sandbox/contract-spec.ts';
import { startCloudflareHost, type CloudflareHost } from './cloudflare-host.ts';
import { groups, type Row } from './raw-rows.ts';
import { startUpstream } from './upstream.ts';

const entriesSchema = z.array(z.object({ verdict: z.string(), rule: z.string() }));

let host: CloudflareHost;
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let sandboxId: string;

beforeAll(async () => {
  upstream = await startUpstream();
  host = await startCloudflareHost(`http://127.0.0.1:${upstream.port}`);
  sandboxId = host.idOf('SANDBOX', 'raw');
  await host.sandboxes.get(sandboxId).start(smallSpec);
});
afterAll(async () => {
  await host.close();
  upstream.close();
});

async function send(connection: RawConnection, from = sandboxId) {
  const port = host.engine.egressPort(from);
  if (port === null) throw new Error('workerd has not said where it listens');
  return await sendRaw(port, connection);
}

async function recorded(id = sandboxId): Promise<string[]> {
  const { text } = await host.call('GET', `/entries/${id}`);
  return entriesSchema.parse(JSON.parse(text)).map(({ verdict, rule }) => `${verdict} ${rule}`);
}

/** What a container could see of our credentials, if anything went wrong. */
const credentials = ['ghs_read_token', btoa('x-access-token:ghs_read_token'), 'sk-real-key'];
/** What workerd and Node's client add by themselves, and what the allowlists of `src/egress/headers.ts` let through. */
const passed =
  /^(host|connection|content-length|transfer-encoding|accept|accept-encoding|content-type|content-encoding|user-agent|authorization|cf-worker)$/;

async function outcome({ statuses, sni = 'github.com', ...row }: Row) {
  upstream.reached.length = 0;
  await host.call('PUT', `/grants/${sandboxId}`, exampleGrant);
  const { answers } = await send({ ...row, sni, answers: statuses.length });
  for (const secret of credentials) expect(JSON.stringify(answers)).not.toContain(secret);
  for (const { url, headers } of upstream.reached) {
    const ours = url.startsWith('/github/')
      ? `Basic ${btoa('x-access-token:ghs_read_token')}`
      : 'Bearer sk-real-key';
    expect(headers.authorization).toBe(ours);
    expect(Object.keys(headers).filter((name) => !passed.test(name))).toEqual([]);
  }
  return {
    statuses: answers.map(({ status }) => status),
    rules: await recorded(),
    upstream: upstream.reached.map(({ method, url }) => `${method} ${url}`),
    body: upstream.reached.at(-1)?.body.length,
  };
}

describe.each(Object.entries(groups))('%s', (_, rows) => {
  it.each(rows.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    const { statuses, rules, upstream: reached, body } = row;
    const expected = { statuses, rules, upstream: reached, ...(body === undefined ? {} : { body }) };
    expect(await outcome(row)).toMatchObject(expected);
  });
});

const refs = '/acme/split-bill.git/info/refs?service=git-upload-pack';
const fetchBegins = {
  sni: 'github.com',
  pieces: [`GET ${refs} HTTP/1.1\r\nHost: github.com\r\n\r\n`],
  answers: 1,
};

describe('a body that is allowed', () => {
  it('reaches the upstream as it was sent, compressed or not', async () => {
    const compressed = gzipSync('0000');
    const head = [
      'POST /acme/split-bill/git-upload-pack HTTP/1.1',
      'Host: github.com',
      'Content-Type: application/x-git-upload-pack-request',
      'Content-Encoding: gzip',
      `Content-Length: ${compressed.length}`,
    ].join('\r\n');
    await outcome({
      name: '',
      pieces: [`${head}\r\n\r\n`, compressed],
      statuses: [200],
      rules: [],
      upstream: [],
    });
    expect(upstream.reached).toMatchObject([{ body: compressed, headers: { 'content-encoding': 'gzip' } }]);
  });
});

describe('whose request it is', () => {
  it('is known by the container, and each has its own grant', async () => {
    const otherId = host.idOf('SANDBOX', 'other');
    await host.sandboxes.get(otherId).start(smallSpec);
    await host.call('PUT', `/grants/${sandboxId}`, exampleGrant);
    await host.call('PUT', `/grants/${otherId}`, { ...exampleGrant, phase: 'sealed' });
    expect((await send(fetchBegins)).answers).toMatchObject([{ status: 200 }]);
    const forged = `GET ${refs} HTTP/1.1\r\nHost: github.com\r\nX-Airlock-Sandbox: ${sandboxId}\r\n\r\n`;
    expect((await send({ ...fetchBegins, pieces: [forged] }, otherId)).answers).toMatchObject([
      { status: 403 },
    ]);
    expect(await recorded(otherId)).toEqual(['denied phase.closed']);
    expect(await recorded()).toEqual(['allowed github.info-refs']);
  });

  it('reaches nothing while there is no grant', async () => {
    const id = host.idOf('SANDBOX', 'without a grant');
    await host.sandboxes.get(id).start(smallSpec);
    upstream.reached.length = 0;
    const { answers } = await send(fetchBegins, id);
    expect(answers).toMatchObject([{ status: 403, body: expect.stringContaining('grant.none') }]);
    expect(upstream.reached).toEqual([]);
  });

  it('has no route to an address of this machine, not even by its port', async () => {
    upstream.reached.length = 0;
    const address = `127.0.0.1:${upstream.port}`;
    const pieces = [`GET / HTTP/1.1\r\nHost: ${address}\r\n\r\n`];
    const direct = await send({ destination: address, sni: null, pieces, answers: 1 });
    expect(direct).toEqual({ answers: [], closed: true });
    const intercepted = await send({ destination: '127.0.0.1:80', sni: null, pieces, answers: 1 });
    expect(intercepted.answers).toMatchObject([{ status: 403, body: expect.stringContaining('url.port') }]);
    expect(upstream.reached).toEqual([]);
  });
});

describe('a handler that fails', () => {
  it.each([
    ['while it looks for the grant', 'admit'],
    ['before it has what it needs', 'deps'],
  ])('answers with a fixed body %s', async (_, where) => {
    upstream.reached.length = 0;
    await host.call('PUT', `/failure/${where}`);
    try {
      const [answer] = (await send(fetchBegins)).answers;
      expect(answer).toMatchObject({
        status: 502,
        body: expect.stringContaining('could not be carried out'),
      });
      expect(JSON.stringify(answer)).not.toMatch(/secret|ghs_|stack|worker\.js/);
    } finally {
      await host.call('PUT', '/failure/none');
    }
    expect(upstream.reached).toEqual([]);
  });
});

describe('handlers as static fields of the class', () => {
  const toUpstream = () => [`GET /open HTTP/1.1\r\nHost: localhost:${upstream.port}\r\n\r\n`];
  const attempt = async (binding: 'TRAP' | 'ASSIGNED') => {
    const id = host.idOf(binding, 'trap');
    await host.call('POST', `/start/${binding}/${id}`);
    upstream.reached.length = 0;
    return await send({ destination: '203.0.113.7:80', sni: null, pieces: toUpstream(), answers: 1 }, id);
  };

  it('register nothing, and leave the listed host open to the internet', async () => {
    expect((await attempt('TRAP')).answers).toMatchObject([
      { status: 200, body: expect.stringContaining('from upstream') },
    ]);
    expect(upstream.reached).toMatchObject([{ url: '/open' }]);
  });

  it('decide when they are assigned after the class', async () => {
    expect((await attempt('ASSIGNED')).answers).toMatchObject([
      { status: 200, body: expect.stringContaining('decided by the handler') },
    ]);
    expect(upstream.reached).toEqual([]);
  });

  it('are not to be found in our class, which has one handler for everything and keeps its name', async () => {
    const { text } = await host.call('GET', '/statics');
    expect(JSON.parse(text)).toEqual({
      ownOfTaskSandbox: ['length', 'name', 'prototype'],
      taskSandboxCatchesAll: true,
      ownOfTrap: true,
      className: 'TaskSandbox',
    });
  });
});
