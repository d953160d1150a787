import { describe, expect, it } from 'vitest';
import type { EgressEntry, Grant } from '../core/grant.ts';
import { handleEgress, type EgressDeps } from './handler.ts';

const grant: Grant = {
  taskId: 'gh-1-c2',
  phase: 'run',
  repositories: [{ owner: 'acme', name: 'app', installationId: 1, repositoryId: 2 }],
  models: ['m'],
  canaryNonce: 'nonce',
  budgets: { requests: 10, tokens: 10 },
  used: { requests: 0, tokens: 0 },
};
const apiKey = 'sk-the-real-key';
const readToken = 'ghs_theReadToken';
const body = JSON.stringify({ model: 'm', stream: true, store: false, input: [] });

interface Seen {
  readonly url: string;
  readonly init: RequestInit;
}

function world(upstream: (seen: Seen) => Response | Promise<Response>, changes: Partial<EgressDeps> = {}) {
  const calls: Seen[] = [];
  const entries: { entry: EgressEntry; tokens: number }[] = [];
  const pending: Promise<unknown>[] = [];
  const deps: EgressDeps = {
    admit: async (id) => (id === 'known' ? grant : null),
    record: async (_, entry, tokens) => void entries.push({ entry, tokens }),
    readToken: async () => readToken,
    openaiApiKey: apiKey,
    githubUrl: 'https://ghe.example',
    openaiBaseUrl: 'https://gateway.example/v1',
    fetch: async (input, init) => {
      const seen = { url: input instanceof Request ? input.url : input.toString(), init: init ?? {} };
      calls.push(seen);
      return await upstream(seen);
    },
    now: () => 0,
    waitUntil: (work) => void pending.push(work),
    ...changes,
  };
  return { deps, calls, entries, settle: async () => await Promise.all(pending) };
}
const model = (init: RequestInit = {}) =>
  new Request('https://api.openai.com/v1/responses', {
    method: 'POST',
    body,
    ...init,
    headers: { 'content-type': 'application/json', ...Object.fromEntries(new Headers(init.headers)) },
  });
const stream = (text: string, init: ResponseInit = {}) => new Response(text, init);
const completed =
  'event: response.completed\ndata: {"type":"response.completed","response":{"usage":{"total_tokens":77}}}\n\n';

describe('the egress handler', () => {
  it('adds our key to a model request and drops the sandbox’s own credentials', async () => {
    const { deps, calls } = world(() => stream(completed));
    await handleEgress(
      model({
        headers: {
          authorization: 'Bearer sk-attacker',
          cookie: 'a=b',
          'openai-organization': 'org-evil',
          'x-codex-turn': '1',
        },
      }),
      'known',
      deps,
    );
    const headers = new Headers(calls[0]?.init.headers);
    expect(calls[0]?.url).toBe('https://gateway.example/v1/responses');
    expect(headers.get('authorization')).toBe(`Bearer ${apiKey}`);
    expect(headers.get('cookie')).toBeNull();
    expect(headers.get('openai-organization')).toBeNull();
    expect(headers.get('x-codex-turn')).toBe('1');
    expect(calls[0]?.init.redirect).toBe('manual');
  });

  it('adds the narrowed token to a fetch and goes to the repository of the grant', async () => {
    const { deps, calls } = world(() => stream('refs'));
    await handleEgress(
      new Request('https://github.com/ACME/App/info/refs?service=git-upload-pack', {
        headers: { authorization: 'Basic evil' },
      }),
      'known',
      deps,
    );
    expect(calls[0]?.url).toBe('https://ghe.example/acme/app.git/info/refs?service=git-upload-pack');
    expect(new Headers(calls[0]?.init.headers).get('authorization')).toBe(
      `Basic ${btoa(`x-access-token:${readToken}`)}`,
    );
  });

  it('counts the tokens that the stream reports, and the bytes both ways', async () => {
    const { deps, entries, settle } = world(() => stream(completed));
    const response = await handleEgress(model(), 'known', deps);
    expect(await response.text()).toBe(completed);
    await settle();
    expect(entries).toMatchObject([
      {
        tokens: 77,
        entry: {
          verdict: 'allowed',
          host: 'api.openai.com',
          bytesUp: body.length,
          bytesDown: completed.length,
        },
      },
    ]);
  });

  it('charges an estimate when the sandbox hangs up before the usage came', async () => {
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(400)),
    });
    const { deps, entries, settle } = world(() => new Response(endless));
    const response = await handleEgress(model(), 'known', deps);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await settle();
    expect(entries[0]?.tokens).toBeGreaterThanOrEqual(100);
  });

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
  ])('refuses %s without calling anybody', async (_, id, request, status, code, recorded) => {
    const { deps, calls, entries } = world(() => stream('must not be asked'));
    const response = await handleEgress(request, id, deps);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type: 'airlock_egress', code } });
    expect(calls).toEqual([]);
    expect(entries.map(({ entry }) => entry.rule)).toEqual(recorded === 0 ? [] : [code]);
  });

  it.each([
    [
      'a redirect of GitHub',
      new Request('https://github.com/acme/app/info/refs?service=git-upload-pack'),
      () => new Response(null, { status: 301, headers: { location: 'https://evil.example' } }),
      403,
      'github.redirect',
    ],
    [
      'a redirect of OpenAI',
      model(),
      () => new Response(null, { status: 307, headers: { location: 'https://evil.example' } }),
      400,
      'openai.redirect',
    ],
    [
      'OpenAI’s word about our key',
      model(),
      () => Response.json({ error: { message: `Incorrect API key provided: ${apiKey}` } }, { status: 401 }),
      400,
      'openai.unauthorized',
    ],
  ])('passes on neither %s', async (_, request, upstream, status, code) => {
    const { deps } = world(upstream);
    const response = await handleEgress(request, 'known', deps);
    const text = await response.text();
    expect(response.status).toBe(status);
    expect(text).toContain(code);
    expect(text).not.toContain(apiKey);
    expect(response.headers.get('location')).toBeNull();
  });

  it.each([
    ['the upstream fails', { fetch: async () => Promise.reject(new Error(`connect failed with ${apiKey}`)) }],
    ['the token cannot be had', { readToken: async () => Promise.reject(new Error(readToken)) }],
    ['the record cannot be reached', { admit: async () => Promise.reject(new Error('secret internals')) }],
  ])('says nothing of its insides when %s', async (_, changes: Partial<EgressDeps>) => {
    const { deps } = world(() => stream(''), changes);
    const request =
      'readToken' in changes
        ? new Request('https://github.com/acme/app/info/refs?service=git-upload-pack')
        : model();
    const response = await handleEgress(request, 'known', deps);
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({
      error: {
        message: 'Airlock: the request could not be carried out',
        type: 'airlock_egress',
        code: 'internal',
        param: null,
      },
    });
  });

  it('strips response headers that set state', async () => {
    const { deps } = world(() =>
      stream(completed, {
        headers: { 'set-cookie': 'a=b', 'x-request-id': 'r', 'content-type': 'text/event-stream' },
      }),
    );
    const response = await handleEgress(model(), 'known', deps);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('x-request-id')).toBe('r');
  });
});
