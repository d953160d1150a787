/** The specification of verdicts: what becomes of a request, whose fault it is, what people read. */
import { describe, expect, it, vi } from 'vitest';
import {
  apiKey,
  completed,
  fetchRefs,
  model,
  readToken,
  redirect,
  uploadPack,
  world,
} from '../../test/fixtures/egress-world.ts';
import { exampleGrant } from '../../test/fixtures/example-grant.ts';
import type { EgressDeps } from './handler.ts';
import { egressLimits } from './limits.ts';

type Upstream = Parameters<typeof world>[0];
interface Cause {
  readonly request?: () => Request;
  readonly upstream?: Upstream;
  readonly changes?: Parameters<typeof world>[1];
}

const status =
  (code: number, text = '') =>
  () =>
    new Response(text, { status: code });
const limited = () => new Response('', { status: 403, headers: { 'retry-after': '60' } });
const rejects = async () => await Promise.reject(new Error(`connect failed with ${apiKey} ${readToken}`));
const host = () => new Request('https://docs.example.com/');
const lfsObject = () =>
  new Request(`https://github.com/acme/app.git/info/lfs/objects/${'ab12'.repeat(16)}/4`);
const clone = { grant: { phase: 'clone' as const } };
/** Sends some bytes, then fails. */
const breaks = () => {
  const pieces = ['data: {}\n\n'];
  return new Response(
    new ReadableStream({
      pull: (controller) => {
        const piece = pieces.pop();
        if (piece === undefined) controller.error(new Error('reset'));
        else controller.enqueue(new TextEncoder().encode(piece));
      },
    }),
  );
};
/** As a sandbox that hangs up in the middle of its request. */
const cutUpload = () => {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-upload-pack-request' },
    body: new ReadableStream({ pull: (controller) => controller.error(new Error('hung up')) }),
    duplex: 'half',
  };
  return new Request('https://github.com/acme/app.git/git-upload-pack', init);
};

describe.each<[string, Cause, string, string]>([
  // ---- allowed: the request was carried, whatever the upstream thought of it
  ['a model request', { upstream: () => new Response(completed) }, 'allowed openai.responses 200', ''],
  ['a request malformed for OpenAI', { upstream: status(400, '{}') }, 'allowed openai.responses 400', ''],
  ['a fetch', { request: fetchRefs, upstream: status(200, 'refs') }, 'allowed github.info-refs 200', ''],
  ['a missing page of a listed host', { request: host, upstream: status(404) }, 'allowed host.extra 404', ''],
  ['a forbidden page elsewhere', { request: host, upstream: status(403) }, 'allowed host.extra 403', ''],

  // ---- denied: the sandbox tried what it may not
  [
    'a host that was not granted',
    { request: () => new Request('https://evil.example/drop') },
    'denied host.not-granted 403',
    'evil.example is not one of the hosts this task may reach',
  ],
  [
    'a redirect of a listed host to one that is not',
    { request: host, upstream: redirect('https://evil.example/') },
    'denied host.redirect 403',
    'the host answered with a redirect to where this task may not go',
  ],
  [
    'an answer beyond the budget of bytes',
    {
      request: fetchRefs,
      upstream: status(200, 'x'.repeat(20)),
      changes: { grant: { budgets: { ...exampleGrant.budgets, bytesDown: 10 } } },
    },
    'denied budget.bytes-down 200',
    'the answer was cut off: the task’s budget of bytes received is used up',
  ],
  [
    'a request body that the sandbox does not finish',
    { request: cutUpload },
    'denied http.body-cut 400',
    'the request body was not sent to its end',
  ],

  // ---- failed, by the upstream
  ...[500, 502, 503, 504, 529, 429, 408, 404].map((code): [string, Cause, string, string] => [
    `OpenAI answers ${code}`,
    { upstream: status(code) },
    `failed upstream upstream.status ${code}`,
    `api.openai.com answered ${code}`,
  ]),
  ...[500, 503, 429, 404].map((code): [string, Cause, string, string] => [
    `GitHub answers ${code} to a fetch`,
    { request: fetchRefs, upstream: status(code) },
    `failed upstream upstream.status ${code}`,
    `github.com answered ${code}`,
  ]),
  [
    'GitHub answers 503 to an upload-pack request',
    { request: uploadPack, upstream: status(503) },
    'failed upstream upstream.status 503',
    'github.com answered 503',
  ],
  [
    'GitHub answers 503 to an LFS batch',
    { request: lfsObject, upstream: status(503), changes: clone },
    'failed upstream upstream.status 503',
    'github.com answered 503',
  ],
  [
    'GitHub answers an LFS batch with something else',
    { request: lfsObject, upstream: status(200, 'hello'), changes: clone },
    'failed upstream github.lfs-upstream 502',
    'GitHub did not answer the LFS request as it should',
  ],
  [
    'a listed host answers 503',
    { request: host, upstream: status(503) },
    'failed upstream upstream.status 503',
    'docs.example.com answered 503',
  ],
  [
    'OpenAI cannot be reached',
    { upstream: rejects },
    'failed upstream upstream.unreachable 502',
    'api.openai.com could not be reached',
  ],
  [
    'GitHub cannot be reached',
    { request: fetchRefs, upstream: rejects },
    'failed upstream upstream.unreachable 502',
    'github.com could not be reached',
  ],
  [
    'a listed host cannot be reached',
    { request: host, upstream: rejects },
    'failed upstream upstream.unreachable 502',
    'docs.example.com could not be reached',
  ],
  [
    'OpenAI aborts its stream',
    { upstream: breaks },
    'failed upstream upstream.broken 200',
    'api.openai.com closed the connection in the middle of its answer',
  ],
  [
    'GitHub aborts a pack',
    { request: uploadPack, upstream: breaks },
    'failed upstream upstream.broken 200',
    'github.com closed the connection in the middle of its answer',
  ],
  [
    'OpenAI redirects',
    { upstream: redirect('https://evil.example', 307) },
    'failed upstream openai.redirect 400',
    'OpenAI answered with a redirect, which is not followed',
  ],
  [
    'GitHub redirects a fetch',
    { request: fetchRefs, upstream: redirect('https://ghe.example/acme/new') },
    'failed upstream github.redirect 403',
    'GitHub answered with a redirect, which is not followed: the repository may have been renamed',
  ],

  [
    'GitHub limits a fetch with a 403, as it limits its API',
    { request: fetchRefs, upstream: limited },
    'failed upstream upstream.status 429',
    'github.com answered 429',
  ],

  // ---- failed, by us
  ...[401, 403].flatMap((code): [string, Cause, string, string][] => [
    [
      `OpenAI refuses our key with ${code}`,
      { upstream: status(code, `{"error":{"message":"key ${apiKey}"}}`) },
      'failed ours openai.unauthorized 400',
      'OpenAI refused the API key that this Airlock is configured with',
    ],
    [
      `GitHub refuses our token with ${code}`,
      { request: fetchRefs, upstream: status(code) },
      `failed ours github.unauthorized ${code}`,
      'GitHub refused the read token of this task',
    ],
  ]),
  [
    'no read token can be minted',
    { request: fetchRefs, changes: { readToken: rejects } },
    'failed ours github.no-token 502',
    'no read token for the repository could be obtained',
  ],
  [
    'the grant cannot be read',
    { changes: { admit: rejects } },
    'failed ours grant.unreadable 502',
    'the grant of this sandbox could not be read',
  ],
  [
    'our own code is at fault',
    { upstream: () => Response.error() },
    'failed ours internal 502',
    'the request could not be carried out',
  ],
])(
  'records whose failure it is when %s',
  (_, { request = model, upstream = () => new Response('never'), changes = {} }, verdict, reason) => {
    it(`is recorded once, as ${verdict}`, async () => {
      const { ask, entries } = world(upstream, changes);
      await ask(request());
      expect(
        entries.map(({ entry }) => {
          const fault = entry.verdict === 'failed' ? ` ${entry.fault}` : '';
          return [`${entry.verdict}${fault} ${entry.rule} ${entry.status}`, entry.reason];
        }),
      ).toEqual([[verdict, reason]]);
      expect(JSON.stringify(entries)).not.toMatch(/sk-the|ghs_the/);
    });
  },
);

describe('with the clock running', () => {
  const silent = () =>
    new Response(new ReadableStream({ pull: async () => await new Promise(() => undefined) }));
  const never = async () => await new Promise<Response>(() => undefined);
  const abortable: EgressDeps['fetch'] = async (_, init) =>
    await new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });

  it.each<[string, () => Request, Upstream, number, string, string, Partial<EgressDeps>]>([
    [
      'an upstream that sends no headers',
      model,
      never,
      egressLimits.upstreamHeadersMs,
      'failed upstream upstream.timeout 504',
      'api.openai.com did not answer within 120 seconds',
      { fetch: abortable },
    ],
    [
      'a model stream that falls silent',
      model,
      silent,
      2 * egressLimits.modelIdleMs,
      'failed upstream upstream.idle 200',
      'api.openai.com fell silent in the middle of its answer',
      {},
    ],
    [
      'a pack that falls silent',
      fetchRefs,
      silent,
      2 * egressLimits.transferIdleMs,
      'failed upstream upstream.idle 200',
      'github.com fell silent in the middle of its answer',
      {},
    ],
  ])('%s is the upstream’s failure', async (_, request, upstream, ms, verdict, reason, changes) => {
    vi.useFakeTimers();
    try {
      const { ask, entries } = world(upstream, changes);
      const asked = ask(request());
      await vi.advanceTimersByTimeAsync(ms + 1_000);
      await asked;
      const [recorded, ...more] = entries.map(({ entry }) => entry);
      expect(more).toEqual([]);
      expect(recorded).toMatchObject({ verdict: 'failed', fault: 'upstream', reason });
      expect(`failed upstream ${recorded?.rule} ${recorded?.status}`).toBe(verdict);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('at the end of the phase', () => {
  const endless = () =>
    new ReadableStream({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        controller.enqueue(new Uint8Array(10));
      },
    });
  const upload = (request: () => Request) => () => {
    const init = { body: endless(), duplex: 'half' };
    return new Request(request(), init);
  };

  it.each<[string, () => Request, Upstream, string]>([
    ['an upload to git', upload(uploadPack), () => new Response('never'), '403'],
    ['a request to the model that is not whole yet', upload(model), () => new Response('never'), '403'],
    ['a request that waits for an answer', model, async () => await new Promise(() => undefined), '403'],
    ['a model’s stream', model, () => new Response(endless()), 'cut off'],
    ['a pack', fetchRefs, () => new Response(endless()), 'cut off'],
  ])('%s is aborted, and is no attempt', async (_, request, upstream, got) => {
    vi.useFakeTimers();
    try {
      const asked: string[] = [];
      const signals: (AbortSignal | null | undefined)[] = [];
      const { deps, ask, entries } = world(upstream, {
        phaseEnded: async (id, phase) => {
          asked.push(`${id} ${phase}`);
          // Not yet; a record that restarts; over.
          if (asked.length === 2) throw new Error('restarting');
          return asked.length === 3;
        },
      });
      const { fetch } = deps;
      const answered = ask(request(), 'known');
      Object.assign(deps, {
        fetch: async (...[url, init]: Parameters<typeof fetch>) => {
          signals.push(init?.signal);
          return await Promise.race([
            fetch(url, init),
            new Promise<Response>((_resolve, reject) => {
              init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
            }),
          ]);
        },
      });
      await vi.advanceTimersByTimeAsync(
        egressLimits.phaseWatchAfterMs + egressLimits.phaseWatchRetryMs + 500,
      );
      const { status, text } = await answered;
      expect([String(status), text]).toContain(got);
      expect(asked).toEqual(Array.from({ length: 3 }, () => 'known run'));
      expect(signals.every((signal) => signal?.aborted === true)).toBe(true);
      expect(entries.map(({ entry }) => `${entry.verdict} ${entry.rule}`)).toEqual(['allowed phase.ended']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('a request that ended before is left alone', async () => {
    const { ask, recorded } = world(() => new Response(completed), { phaseEnded: async () => true });
    await ask(model());
    expect(recorded()).toEqual(['allowed openai.responses 200']);
  });
});

describe('the usage of a failed request', () => {
  it('is counted up to where it was aborted', async () => {
    const { ask, entries } = world(breaks);
    await ask(uploadPack('0032want abc'));
    expect(entries[0]?.entry).toMatchObject({ verdict: 'failed', bytesUp: 12, bytesDown: 10 });
  });

  it('counts the whole body when nobody knows how much was sent', async () => {
    const { ask, entries } = world(rejects);
    const request = model();
    const { length } = await request.clone().text();
    await ask(request);
    expect(entries[0]?.entry).toMatchObject({ verdict: 'failed', bytesUp: length, bytesDown: 0 });
  });

  it('is charged in tokens when a stream is aborted before its usage', async () => {
    const { ask, entries } = world(breaks);
    await ask(model());
    expect(entries[0]?.tokens.totalTokens).toBe(egressLimits.unreportedTokens);
  });
});
