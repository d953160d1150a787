/** Private registries through the handler: which credential goes where, and what comes back without it. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Registry } from '../../src/core/registry.ts';
import { packageToken, redirect, registrySecret, world } from '../fixtures/egress-world.ts';
import { exampleGrant } from '../fixtures/example-grant.ts';
import { handleEgress } from '../../src/egress/handler.ts';

type Upstream = Parameters<typeof world>[0];

const example: Registry = {
  host: 'npm.example.com',
  pathPrefix: '/private',
  scheme: 'bearer',
  secret: 'NPM_TOKEN',
  blobHosts: ['blobs.example.com'],
};

function installing(
  upstream: Upstream,
  change: Partial<Registry> = {},
  more: Parameters<typeof world>[1] = {},
) {
  const budgets = { ...exampleGrant.budgets, bytesDown: 10_000_000 };
  const grant = { phase: 'setup' as const, budgets, registries: [{ ...example, ...change }] };
  return world(upstream, { ...more, grant });
}
const from = (path = '/private/cents', headers: Record<string, string> = {}, host = 'npm.example.com') =>
  new Request(`https://${host}${path}`, { headers });

describe('a request to a private registry', () => {
  it.each<[string, Partial<Registry>, Record<string, string>, string]>([
    ['bearer', {}, { authorization: `Bearer ${registrySecret}` }, registrySecret],
    [
      'basic',
      { scheme: 'basic' },
      { authorization: `Basic ${btoa('maria:a long password')}` },
      'maria:a long password',
    ],
    [
      'a header of its own',
      { scheme: { header: 'PRIVATE-TOKEN' } },
      { 'private-token': registrySecret },
      registrySecret,
    ],
    [
      'the App’s token',
      {
        scheme: 'github-app',
        secret: null,
        host: 'npm.pkg.github.com',
        blobHosts: ['pkg-npm.githubusercontent.com'],
      },
      { authorization: `Bearer ${packageToken}` },
      '',
    ],
  ])('carries our credential as %s, and nothing of the sandbox’s', async (_, change, sent, value) => {
    const { ask, calls, recorded } = installing(() => new Response('package'), change, {
      registrySecret: (name) => (name === 'NPM_TOKEN' ? value : null),
    });
    const own = {
      authorization: 'Bearer stolen',
      'private-token': 'stolen',
      cookie: 'a=b',
      'npm-auth-type': 'web',
      // Two answers could each have a half of what the registry echoes.
      range: 'bytes=0-9',
      'if-range': '"x"',
      accept: '*/*',
    };
    const { text } = await ask(from('/private/@acme%2fcents?a=b', own, change.host));
    expect(text).toBe('package');
    expect(calls[0]?.url).toBe(`https://${change.host ?? 'npm.example.com'}/private/@acme%2fcents?a=b`);
    expect(Object.fromEntries(calls[0]?.headers ?? [])).toEqual({
      accept: '*/*',
      'accept-encoding': 'identity',
      ...sent,
    });
    expect(recorded()).toEqual(['allowed registry.fetch 200']);
  });

  it('takes the credential of the longest path', async () => {
    const nested = { ...example, pathPrefix: '/private/team', secret: 'TEAM_TOKEN' };
    const { deps, ask, calls } = installing(
      () => new Response('package'),
      {},
      {
        registrySecret: (name) => `the secret named ${name}`.replaceAll(' ', '-'),
      },
    );
    deps.admit = async () => ({ ...exampleGrant, phase: 'setup', registries: [example, nested] });
    for (const path of ['/private/team/x', '/private/teams']) await ask(from(path));
    expect(calls.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer the-secret-named-TEAM_TOKEN',
      'Bearer the-secret-named-NPM_TOKEN',
    ]);
  });

  it.each<[string, string | null, Partial<Registry>]>([
    ['that is missing', null, {}],
    ['that is too short to be searched for', 'short', {}],
    ['with a line break', 'a-long-secret\nx: y', {}],
    ['that is no pair, for basic', 'a-long-secret', { scheme: 'basic' }],
    ['whose password is too short', 'a-long-user:short', { scheme: 'basic' }],
  ])('is not sent with a secret %s', async (_, value, change) => {
    const { ask, calls, recorded } = installing(() => new Response('never'), change, {
      registrySecret: () => value,
    });
    const { text } = await ask(from());
    expect(text).toContain('the secret NPM_TOKEN of a private registry is missing or malformed');
    expect([calls, recorded()]).toEqual([[], ['failed registry.no-secret 403']]);
  });

  it('is not sent when the App may not read packages', async () => {
    const change = { scheme: 'github-app', secret: null, host: 'npm.pkg.github.com' } as const;
    const { ask, calls, recorded } = installing(() => new Response('never'), change, {
      packageToken: async () => await Promise.reject(new Error('refused')),
    });
    await ask(from(undefined, {}, change.host));
    expect([calls, recorded()]).toEqual([[], ['failed registry.no-token 403']]);
  });
});

describe('a redirect of a private registry', () => {
  const blob = 'https://blobs.example.com/a?signature=%2B1';
  /** Answers the listed locations in order, then a package. */
  const leadsTo =
    (...locations: readonly string[]): Upstream =>
    ({ url }) => {
      const next = locations[chain.push(url) - 1];
      return next === undefined ? new Response('package') : redirect(next, 302)();
    };
  let chain: string[] = [];

  it.each<[string, readonly string[], readonly (string | null)[]]>([
    ['its storage, without it', [blob], [blob, null]],
    ['itself, with it', ['/private/moved'], ['https://npm.example.com/private/moved', registrySecret]],
    ['itself and then its storage', ['/private/moved', blob], [blob, null]],
    [
      'its storage over http, which is asked over https',
      ['http://blobs.example.com/a'],
      ['https://blobs.example.com/a', null],
    ],
  ])('is followed to %s', async (_, locations, [url, secret]) => {
    chain = [];
    const { ask, calls } = installing(leadsTo(...locations));
    const { status, text, headers } = await ask(from());
    expect([status, text, headers.has('location')]).toEqual([200, 'package', false]);
    const last = calls.at(-1);
    expect(last?.url).toBe(url);
    expect(last?.headers.get('authorization') ?? null).toBe(secret === null ? null : `Bearer ${secret}`);
    expect(calls.every(({ redirect: mode }) => mode === 'manual')).toBe(true);
  });

  it.each<[string, readonly string[]]>([
    ['another host', ['https://evil.example/']],
    ['a name below its storage', ['https://x.blobs.example.com/']],
    ['a host of setup', ['https://registry.example.com/']],
    ['another port', ['https://blobs.example.com:8443/']],
    ['a URL with a user name', ['https://blobs.example.com@evil.example/']],
    ['outside its path', ['/-/npm/v1/tokens']],
    ['outside its path by an encoded slash', ['/private/..%2fadmin']],
    ['nowhere', ['']],
    ['another scheme', ['ftp://blobs.example.com/']],
    ['back to itself from its storage', [blob, 'https://npm.example.com/private/x']],
    ['elsewhere from its storage', [blob, 'https://evil.example/']],
    ['itself without end', ['/private/1', '/private/2', '/private/3', '/private/4', '/private/5']],
  ])('is refused to %s', async (_, locations) => {
    chain = [];
    const { ask, recorded } = installing(leadsTo(...locations));
    const { status, text, headers } = await ask(from());
    expect([status, headers.has('location')]).toEqual([403, false]);
    expect(text).toContain('registry.redirect');
    expect(recorded()).toEqual(['denied registry.redirect 403']);
    expect(chain.filter((url) => /evil|registry\.example|:8443|tokens|admin/.test(url))).toEqual([]);
  });

  it('is not followed to storage that gets our own credentials', async () => {
    chain = [];
    const blobHosts = ['api.github.com', 'x.ghe.example'];
    for (const host of blobHosts) {
      const { ask, calls } = installing(leadsTo(`https://${host}/`), { blobHosts });
      expect((await ask(from())).text).toContain('registry.redirect');
      expect(calls).toHaveLength(1);
      chain = [];
    }
  });

  it('is not followed with the credential in its address', async () => {
    const { ask, calls, recorded } = installing(
      redirect(`https://blobs.example.com/?t=${encodeURIComponent(registrySecret)}`),
    );
    await ask(from());
    expect([calls.length, recorded()]).toEqual([1, ['failed registry.echo 502']]);
  });
});

describe('an answer of a private registry', () => {
  const pieces = (bytes: Uint8Array, size: number) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const padding = 'x'.repeat(200_000);
  const echo = `you sent Bearer ${registrySecret}`;

  it('comes whole, in order and to the byte, whatever its pieces', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 7919) % 256);
    for (const size of [1_000, 4_096, 70_000]) {
      const { deps } = installing(() => new Response(pieces(bytes, size)));
      const answer = await handleEgress(from(), 'known', deps);
      expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0);
    }
  });

  it('comes whole when it is a package, also a short one', async () => {
    for (const bytes of [gzipSync('a package'), gzipSync(crypto.getRandomValues(new Uint8Array(60_000)))]) {
      const { deps } = installing(() => new Response(pieces(bytes, 10_000)));
      const answer = await handleEgress(from(), 'known', deps);
      expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0);
    }
  });

  it.each<[string, Uint8Array, number]>([
    ['in one piece', bytesOf(echo), 1_000_000],
    ['byte by byte', bytesOf(echo), 1],
    ['over two pieces of a long answer', bytesOf(padding + echo + padding), 200_020],
    ['at its very end', bytesOf(padding + echo), 4_096],
    ['in base64', bytesOf(`${padding}${btoa(echo)}${padding}`), 4_096],
    ['escaped', bytesOf(`${padding}${encodeURIComponent(echo)}${padding}`), 1_000],
    ['in a gzip file', gzipSync(echo), 10],
    ['in a gzip file of many kilobytes', gzipSync(padding + JSON.stringify({ echo })), 100],
    ['in a gzip file that is cut', gzipSync(padding + echo).subarray(0, -4), 100],
  ])('that holds the credential %s is cut off before it', async (_, bytes, size) => {
    const { deps, entries } = installing(() => new Response(pieces(bytes, size)));
    const answer = await handleEgress(from(), 'known', deps);
    let got = '';
    const read = async () => {
      for await (const chunk of answer.body ?? []) got += Buffer.from(chunk).toString('latin1');
    };
    await expect(read()).rejects.toThrow('the credential came back');
    for (const part of [registrySecret, btoa(echo), encodeURIComponent(echo)])
      expect(got).not.toContain(part.slice(0, 12));
    expect(entries.map(({ entry }) => `${entry.verdict} ${entry.rule}`)).toEqual(['failed registry.echo']);
  });

  it('that unpacks to more than anybody looks at is cut off', async () => {
    const { ask, recorded } = installing(() => new Response(gzipSync(Buffer.alloc(40 * 1024 * 1024))));
    expect((await ask(from())).text).toBe('cut off');
    expect(recorded()).toEqual(['failed registry.echo 200']);
  });

  it.each<[string, HeadersInit]>([
    ['etag', { etag: `"${registrySecret}"` }],
    ['x-request-id', { 'x-request-id': btoa(`Bearer ${registrySecret}`) }],
    ['x-ratelimit-token', { 'x-ratelimit-token': encodeURIComponent(registrySecret) }],
  ])('that has the credential in the header %s is withheld', async (_, headers) => {
    const { ask, recorded } = installing(() => new Response('package', { headers }));
    const { status, text } = await ask(from());
    expect([status, text]).toEqual([502, expect.stringContaining('sent the credential of the request back')]);
    expect(recorded()).toEqual(['failed registry.echo 502']);
  });

  it('has no cookie and no header of a login', async () => {
    const { ask } = installing(
      () =>
        new Response('package', {
          headers: { 'set-cookie': `t=${registrySecret}`, 'www-authenticate': registrySecret },
        }),
    );
    const { status, headers } = await ask(from());
    expect([status, headers.has('set-cookie'), headers.has('www-authenticate')]).toEqual([200, false, false]);
  });

  it.each([401, 403])('of %i is withheld, and names the secret that was refused', async (status) => {
    const { ask, recorded } = installing(
      () => new Response(`no: ${registrySecret.slice(0, 9)}…`, { status }),
    );
    const { text } = await ask(from());
    expect(text).not.toContain(registrySecret.slice(0, 9));
    expect(text).toContain('npm.example.com refused the credential NPM_TOKEN');
    expect(recorded()).toEqual([`failed registry.unauthorized ${status}`]);
  });

  it.each(['zstd', 'gzip, gzip', 'deflate', 'compress'])(
    'in the encoding %s is withheld',
    async (encoding) => {
      const { ask, recorded } = installing(
        () => new Response('?', { headers: { 'content-encoding': encoding } }),
      );
      expect((await ask(from())).status).toBe(502);
      expect(recorded()).toEqual(['failed registry.encoded 502']);
    },
  );

  it.each<[number, string]>([
    [404, 'allowed registry.fetch 404'],
    [503, 'failed upstream.status 503'],
  ])('of %i comes as it is', async (status, line) => {
    const { ask, recorded } = installing(() => new Response('no such package', { status }));
    expect(await ask(from())).toMatchObject({ status, text: 'no such package' });
    expect(recorded()).toEqual([line]);
  });
});
