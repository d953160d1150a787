/** The attack table on production's path: raw bytes through workerd, both classes, our handler. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sandboxKinds, type SandboxKind } from '../../host/build-worker.ts';
import type { Attack, Pieces } from '../../probes/attacks/attack.ts';
import { attacksFor } from '../../probes/attacks/drivers.ts';
import { byteSteps, handshakeOf, hangsUp, requestBytes } from '../../probes/attacks/spelled.ts';
import { sends } from '../../probes/attacks/openai-request.ts';
import { attackTable } from '../../probes/attacks/table.ts';
import type { Grant } from '../../src/core/grant.ts';
import { recordedBodies } from '../egress/fixtures.ts';
import { ordinaryGrant } from '../egress/ordinary-grant.ts';
import { exampleGrant } from '../fixtures/example-grant.ts';
import { sendRaw, type RawConnection } from '../fake-engine/raw-egress.ts';
import { smallSpec } from '../sandbox/contract-spec.ts';
import { startCloudflareHost, type CloudflareHost } from './cloudflare-host.ts';
import { startUpstream } from './upstream.ts';

const entriesSchema = z.array(z.object({ verdict: z.string(), rule: z.string() }));

const tables = Object.entries(attackTable)
  .map(([name, attacks]) => [name, attacksFor('workerd', attacks)] as const)
  .filter(([, attacks]) => attacks.length > 0);

function expectedOf(kind: SandboxKind, { expect: { decisions, workerd, sdk } }: Attack) {
  const seen = { statuses: decisions.map(({ status }) => status), decisions, ...workerd };
  return kind === 'sdk' ? { ...seen, ...sdk } : seen;
}

function title(kind: SandboxKind, attack: Attack): string {
  const { statuses, decisions } = expectedOf(kind, attack);
  const rules = decisions.map(({ rule }) => rule).join(', ') || 'no decision';
  return `answers ${attack.name} with ${statuses.join(', ') || 'nothing'} (${rules})`;
}

let host: CloudflareHost;
let upstream: Awaited<ReturnType<typeof startUpstream>>;
let sandboxId: string;

async function send(connection: RawConnection, from = sandboxId) {
  const port = host.engine.egressPort(from);
  if (port === null) throw new Error('workerd has not reported its egress port');
  return await sendRaw(port, connection);
}

async function recorded(id = sandboxId): Promise<string[]> {
  const { text } = await host.call('GET', `/entries/${id}`);
  return entriesSchema.parse(JSON.parse(text)).map(({ verdict, rule }) => `${verdict} ${rule}`);
}

/** Our credentials, in every form that an answer could leak. */
const credentials = [
  'ghs_read_token',
  btoa('x-access-token:ghs_read_token'),
  'sk-real-key',
  'the-secret-of-a',
];
/** Headers that workerd and Node's client add, and those on the allowlists of `src/egress/headers.ts`. */
const passed =
  /^(host|connection|content-length|transfer-encoding|accept|accept-encoding|content-type|content-encoding|user-agent|authorization|cf-worker)$/;

/** Method and path at the stand-in for the upstreams. */
const upstreamPath = (reaches: string): string =>
  reaches
    .replace(' github.com/', ' /github/')
    .replace(' api.openai.com/v1/', ' /openai/v1/')
    .replace(' npm.', ' /npm.');

/** Under a fresh grant: the answers, the entries, the upstream's requests. Fails on a leaked credential. */
async function outcome(connection: RawConnection, grant: Partial<Grant> = {}) {
  upstream.reached.length = 0;
  await host.call('PUT', `/grants/${sandboxId}`, { ...ordinaryGrant, ...grant });
  const { answers } = await send(connection);
  for (const secret of credentials) expect(JSON.stringify(answers)).not.toContain(secret);
  for (const { url, headers } of upstream.reached) {
    const own = url.startsWith('/npm.example.com/') ? 'the-secret-of-a-registry' : 'sk-real-key';
    const ours = url.startsWith('/github/')
      ? `Basic ${btoa('x-access-token:ghs_read_token')}`
      : `Bearer ${own}`;
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

function connectionOf(pieces: Pieces, answers: number): RawConnection {
  if (pieces.kind === 'url') throw new Error('no request line can carry it');
  const isRequest = pieces.kind === 'request';
  const tls = isRequest ? handshakeOf(pieces) : pieces.tls;
  return {
    destination: (isRequest ? undefined : pieces.destination) ?? `203.0.113.7:${tls === null ? 80 : 443}`,
    sni: tls?.servername ?? null,
    pieces: isRequest ? requestBytes(pieces) : byteSteps(pieces),
    hangUp: !isRequest && hangsUp(pieces),
    bodiless: isRequest && pieces.method === 'HEAD',
    answers,
  };
}

const refs = '/acme/split-bill.git/info/refs?service=git-upload-pack';
const fetchBegins = {
  sni: 'github.com',
  pieces: [`GET ${refs} HTTP/1.1\r\nHost: github.com\r\n\r\n`],
  answers: 1,
};

describe.each(sandboxKinds)('a %s sandbox on Cloudflare', (kind) => {
  beforeAll(async () => {
    upstream = await startUpstream();
    host = await startCloudflareHost(kind, `http://127.0.0.1:${upstream.port}`);
    sandboxId = host.idOf('SANDBOX', 'raw');
    await host.sandboxes.get(sandboxId).start(smallSpec);
  });
  afterAll(async () => {
    await host.close();
    upstream.close();
  });

  describe.each(tables)('%s', (_, attacks) => {
    it.each(attacks.map((attack) => [title(kind, attack), attack] as const))('%s', async (_title, attack) => {
      const { statuses, decisions, body } = expectedOf(kind, attack);
      expect(await outcome(connectionOf(attack.pieces, statuses.length), attack.grant)).toMatchObject({
        statuses,
        rules: decisions.map(({ verdict, rule }) => `${verdict} ${rule}`),
        upstream: decisions.flatMap(({ reaches = '' }) => (reaches === '' ? [] : [upstreamPath(reaches)])),
        ...(body === undefined ? {} : { body }),
      });
    });
  });

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
      await outcome({ sni: 'github.com', pieces: [`${head}\r\n\r\n`, compressed], answers: 1 });
      expect(upstream.reached).toMatchObject([{ body: compressed, headers: { 'content-encoding': 'gzip' } }]);
    });
  });

  describe('a recorded request of Codex', () => {
    const [recorded = ''] = recordedBodies('tools-at-top-level');
    const upstreams = ['POST /openai/v1/responses'];

    it.each([
      ['whole', sends({ text: recorded })],
      ['in chunks', sends({ text: recorded }, 'Transfer-Encoding: chunked')],
      ['with a key of the attacker’s', sends({ text: recorded }, 'Authorization: Bearer sk-own')],
    ])('reaches OpenAI %s', async (_, pieces) => {
      expect(await outcome(connectionOf(pieces, 1))).toMatchObject({ statuses: [200], upstream: upstreams });
    });

    it.each([
      ['is stored by a second key', `${recorded.slice(0, -1)},"store":true}`, 'openai.duplicate-key'],
      ['is stored', JSON.stringify({ ...JSON.parse(recorded), store: true }), 'openai.field'],
      [
        'brings a remote server',
        JSON.stringify({
          ...JSON.parse(recorded),
          tools: [{ type: 'mcp', server_url: 'https://attacker.example' }],
        }),
        'openai.tool',
      ],
    ])('is refused when it %s', async (_, text, rule) => {
      expect(await outcome(connectionOf(sends({ text }), 1))).toMatchObject({
        statuses: [400],
        rules: [`denied ${rule}`],
        upstream: [],
      });
    });

    it('is refused when it is compressed, and when it ends early', async () => {
      const compressed = sends({ gzip: { text: recorded } }, 'Content-Encoding: gzip');
      expect(await outcome(connectionOf(compressed, 1))).toMatchObject({ rules: ['denied openai.encoding'] });
      const [head = '', body = ''] = connectionOf(sends({ text: recorded }), 1).pieces;
      const broken = {
        sni: 'api.openai.com',
        pieces: [head, body.slice(0, 1_000)],
        hangUp: true,
        answers: 1,
      };
      expect(await outcome(broken)).toMatchObject({ statuses: [400], rules: ['denied openai.size'] });
    });
  });

  describe('the grant of a request', () => {
    it('is that of its container, whatever the request claims', async () => {
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

    it('ends an upload under way, and an answer under way, when its phase ends', async () => {
      await host.call('PUT', `/grants/${sandboxId}`, ordinaryGrant);
      upstream.reached.length = 0;
      upstream.keepsAnswering = true;
      const upload = [
        'POST /acme/split-bill/git-upload-pack HTTP/1.1',
        'Host: github.com',
        'Content-Type: application/x-git-upload-pack-request',
        'Transfer-Encoding: chunked',
      ].join('\r\n');
      const open = [
        send({ sni: 'github.com', pieces: [`${upload}\r\n\r\n`, '4\r\n0032\r\n'], answers: 1 }),
        send({ ...fetchBegins, answers: 1 }),
      ];
      await expect.poll(() => upstream.open()).toBe(2);
      await host.call('PUT', `/grants/${sandboxId}`, { ...ordinaryGrant, phase: 'sealed' });
      await expect.poll(() => upstream.open(), { timeout: 30_000 }).toBe(0);
      await expect
        .poll(() => recorded(), { timeout: 30_000 })
        .toEqual(['allowed phase.ended', 'allowed phase.ended']);
      upstream.keepsAnswering = false;
      await Promise.all(open);
    });

    it('is missing for a sandbox without a task, which reaches nothing', async () => {
      const id = host.idOf('SANDBOX', 'without a grant');
      await host.sandboxes.get(id).start(smallSpec);
      upstream.reached.length = 0;
      const { answers } = await send(fetchBegins, id);
      expect(answers).toMatchObject([{ status: 403, body: expect.stringContaining('grant.none') }]);
      expect(upstream.reached).toEqual([]);
    });

    it('opens no route to an address of this machine, not even by its port', async () => {
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
      ['while it looks for the grant', 'admit', 'the grant of this sandbox could not be read'],
      ['before it has its dependencies', 'deps', 'the request could not be carried out'],
    ])('answers with a fixed body %s', async (_, where, words) => {
      upstream.reached.length = 0;
      await host.call('PUT', `/failure/${where}`);
      try {
        const [answer] = (await send(fetchBegins)).answers;
        expect(answer).toMatchObject({
          status: 502,
          body: expect.stringContaining(words),
        });
        expect(JSON.stringify(answer)).not.toMatch(/secret|ghs_|stack|worker\.js/);
      } finally {
        await host.call('PUT', '/failure/none');
      }
      expect(upstream.reached).toEqual([]);
    });
  });

  describe.runIf(kind === 'sdk')('handlers as static fields of the class', () => {
    const toUpstream = () => [`GET /open HTTP/1.1\r\nHost: localhost:${upstream.port}\r\n\r\n`];
    const attempt = async (binding: 'TRAP' | 'ASSIGNED') => {
      const id = host.idOf(binding, 'trap');
      await host.call('POST', `/start/${binding}/${id}`);
      upstream.reached.length = 0;
      return await send({ destination: '203.0.113.7:80', sni: null, pieces: toUpstream(), answers: 1 }, id);
    };

    it('register no handler and leave the listed host open to the internet', async () => {
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

    it('do not exist in our class, which has one handler for every host and keeps its name', async () => {
      const { text } = await host.call('GET', '/statics');
      expect(JSON.parse(text)).toEqual({
        ownOfTaskSandbox: ['length', 'name', 'prototype'],
        taskSandboxCatchesAll: true,
        ownOfTrap: true,
        className: 'TaskSandbox',
      });
    });
  });

  // Last: the grants of this host are gone after it.
  describe('a restart of the platform', () => {
    it('opens nothing until the next call, which registers the sandbox again', async () => {
      const id = host.idOf('SANDBOX', 'restarted');
      const sandbox = host.sandboxes.get(id);
      await sandbox.start(smallSpec);
      await host.call('PUT', `/grants/${id}`, ordinaryGrant);
      expect((await send(fetchBegins, id)).answers).toMatchObject([{ status: 200 }]);
      upstream.reached.length = 0;
      await host.restart();
      // Wakes the object, which asks nothing of its container.
      await sandbox.start(smallSpec);
      const toUpstream = [`GET / HTTP/1.1\r\nHost: 127.0.0.1:${upstream.port}\r\n\r\n`];
      for (const connection of [fetchBegins, { sni: null, pieces: toUpstream, answers: 1 }]) {
        const { answers } = await send(connection, id);
        // The SDK registers as soon as its object wakes; its sandbox has no grant then.
        expect(answers.map(({ status }) => status)).toEqual(kind === 'native' ? [] : answers.map(() => 403));
      }
      expect(upstream.reached).toEqual([]);
      await host.call('PUT', `/grants/${id}`, ordinaryGrant);
      await sandbox.exec({ argv: ['true'] }, { timeoutMs: 60_000, maxOutputBytes: 10 });
      expect((await send(fetchBegins, id)).answers).toMatchObject([{ status: 200 }]);
    });
  });
});
