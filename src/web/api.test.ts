import { aReason } from '../../test/fixtures/a-reason.ts';
import { Hono } from 'hono';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { LedgerQuery, LedgerRow } from '../core/ledger.ts';
import type { TaskView } from '../core/task-view.ts';
import type { TaskRequest } from '../core/task.ts';
import { slackView } from '../../test/fixtures/sample-view.ts';
import { openState } from '../tasks/record/record-state.ts';
import { viewOf } from '../tasks/record/record-view.ts';
import { emptyReceipt } from '../core/grant.ts';
import { fail, ok, runChecks, skip, warn } from '../doctor/check.ts';
import { checkBearer } from './access.ts';
import { apiRoutes, type ApiDeps, type ApiTask } from './api.ts';
import { createApp } from './app.ts';
import { doctorRoute } from './doctor-route.ts';
import { ledgerPageSchema } from './ledger-page.ts';
import { openapiDocument } from './openapi.ts';
import type { Health } from './health.ts';

const apiToken = 'a-token-of-sixteen-characters';
const json = { 'content-type': 'application/json' };
const authorized = { ...json, authorization: `Bearer ${apiToken}` };

const described = openapiDocument('0');
const descriptions = z.record(z.string(), z.record(z.string(), z.unknown()));
const { paths: describedPaths } = z.object({ paths: descriptions }).parse(described);
const ajv = new Ajv2020({ strict: false, validateFormats: false, schemas: { api: described } });

/** The path in `/api/openapi.json` of one below `/api/tasks`. */
const templateOf = (path: string) =>
  `/api/tasks${path
    .replace(/\?.*$/, '')
    .replace(/^\/$/, '')
    .replace(/^\/[^/]+/, '/{id}')}`;

/** Holds an answer against `/api/openapi.json`. */
async function asDescribed(method: string, template: string, response: Response): Promise<Response> {
  if (describedPaths[template]?.[method.toLowerCase()] === undefined) return response;
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  const pointer = [
    'paths',
    template,
    method.toLowerCase(),
    'responses',
    String(response.status),
    'content',
    type,
  ]
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent)
    .join('/');
  const validate = ajv.getSchema(`api#/${pointer}/schema`);
  if (validate === undefined) throw new Error(`${method} ${template} gave what is not described: ${pointer}`);
  const body: unknown = type === 'application/json' ? await response.clone().json() : 'a stream';
  if (!validate(body))
    throw new Error(`${method} ${template}: ${JSON.stringify({ errors: validate.errors, body })}`);
  return response;
}

function api(
  changes: Partial<ApiDeps> = {},
  task: Partial<ApiTask> = {},
  health: Health = { status: 'ready' },
) {
  const started: TaskRequest[] = [];
  const deps: ApiDeps = {
    apiToken,
    readToken: null,
    start: async (request) => {
      const known = started.some(({ taskId }) => taskId === request.taskId);
      if (!known) started.push(request);
      return known ? 'exists' : 'started';
    },
    recent: async (limit) =>
      started
        .map(({ taskId }) => taskId)
        .slice(-limit)
        .toReversed(),
    ledger: async () => [],
    task: (taskId) => ({
      snapshot: async () => {
        const request = started.find((one) => one.taskId === taskId);
        return request === undefined ? null : { request };
      },
      view: async () => viewFor(started.find((request) => request.taskId === taskId)),
      watch: async () => null,
      cancel: async () => ({ cancelled: true, reason: 'Cancelled.' }),
      kept: async () => null,
      ...task,
    }),
    retryPublication: async () => ({ started: false, reason: 'There is no kept change.' }),
    repositoryByAlias: (alias) => (alias === 'bill' ? { owner: 'acme', name: 'split-bill' } : null),
    now: () => new Date(0),
    ...changes,
  };
  const routes = apiRoutes(deps);
  const call = async (
    method: string,
    path: string,
    init: { headers?: Record<string, string>; body?: string } = {},
  ) =>
    await asDescribed(
      method,
      templateOf(path),
      await routes.request(path, {
        method,
        headers: init.headers ?? authorized,
        ...(init.body === undefined ? {} : { body: init.body }),
      }),
    );
  const refused: string[] = [];
  const app = createApp({
    api: deps,
    metrics: {
      apiToken: deps.apiToken,
      counted: async () => await Promise.reject(new Error('not asked for')),
      gauges: async () => await Promise.reject(new Error('not asked for')),
    },
    refused: (door, status) => void refused.push(`${door} ${status}`),
    githubWebhooks: new Hono().post('/', (c) => c.body(null, 202)),
    slack: null,
    asset: async () => await Promise.resolve(new Response()),
    pages: async () => await Promise.resolve(new Hono()),
    version: '0',
    botId: 'b1',
    health: async () => await Promise.resolve(health),
    log: () => undefined,
  });
  return { call, started, app, refused };
}
function viewFor(request: TaskRequest | undefined): TaskView | null {
  return request === undefined
    ? null
    : viewOf(openState(request, 'n', 0), {
        progress: null,
        receipt: emptyReceipt,
        setup: null,
        costUsd: null,
        now: 0,
      });
}
const order = { repository: 'acme/split-bill', instruction: 'fix it' };

describe('the bearer check', () => {
  it.each([
    ['the token', `Bearer ${apiToken}`, apiToken, 'granted'],
    ['the scheme in another case', `bearer ${apiToken}`, apiToken, 'granted'],
    ['another token of the same length', `Bearer ${apiToken.replace('a', 'b')}`, apiToken, 'denied'],
    ['a prefix of the token', `Bearer ${apiToken.slice(0, -1)}`, apiToken, 'denied'],
    ['more than the token', `Bearer ${apiToken} x`, apiToken, 'denied'],
    ['another scheme', `Basic ${apiToken}`, apiToken, 'denied'],
    ['nothing', null, apiToken, 'denied'],
    ['anything, when no token is configured', 'Bearer undefined', null, 'disabled'],
  ])('judges %s', async (_, header, token, verdict) => {
    expect(await checkBearer(header, token)).toBe(verdict);
  });

  it.each(['/', '/api-1', '/api-1/events', '/api-1/change'])(
    'refuses GET %s without a token',
    async (path) => {
      const { call } = api();
      expect((await call('GET', path, { headers: {} })).status).toBe(401);
    },
  );

  it('refuses everybody when no token is configured', async () => {
    const { call, started } = api({ apiToken: null });
    expect((await call('POST', '/', { body: JSON.stringify(order) })).status).toBe(403);
    expect(started).toEqual([]);
  });
});

describe('starting a task', () => {
  const reused = { error: { code: 'idempotency-key-reused' } };
  it('records the task before it answers', async () => {
    const { call, started } = api();
    const response = await call('POST', '/', {
      body: JSON.stringify({ ...order, model: 'm', effort: 'high', base: 'dev' }),
    });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/api/tasks/${started[0]?.taskId}`);
    expect(await response.json()).toMatchObject({
      created: true,
      taskId: started[0]?.taskId,
      url: `/api/tasks/${started[0]?.taskId}`,
    });
    expect(started[0]).toMatchObject({
      repository: { owner: 'acme', name: 'split-bill' },
      requester: null,
      instruction: 'fix it',
      options: { model: 'm', effort: 'high', base: 'dev' },
    });
  });

  it('accepts an alias of a repository', async () => {
    const { call, started } = api();
    await call('POST', '/', { body: JSON.stringify({ ...order, repository: 'bill' }) });
    expect(started[0]?.repository).toEqual({ owner: 'acme', name: 'split-bill' });
  });

  it('starts one task for one Idempotency-Key', async () => {
    const { call, started } = api();
    const post = async () =>
      await (
        await call('POST', '/', {
          headers: { ...authorized, 'idempotency-key': 'once' },
          body: JSON.stringify(order),
        })
      ).json();
    expect(await post()).toMatchObject({ created: true });
    expect(await post()).toMatchObject({ created: false, taskId: started[0]?.taskId });
    expect(started.length).toBe(1);
  });

  it.each([
    ['the same words', order, 202, { created: false }],
    ['the same repository in another case', { ...order, repository: 'Acme/Split-Bill' }, 202, {}],
    ['other words', { ...order, instruction: 'break it' }, 422, reused],
    ['another repository', { ...order, repository: 'acme/other' }, 422, reused],
    ['another option', { ...order, effort: 'high' }, 422, reused],
  ])('answers a used Idempotency-Key with %s by %i', async (_, body, status, answer) => {
    const { call, started } = api();
    const headers = { ...authorized, 'idempotency-key': 'once' };
    await call('POST', '/', { headers, body: JSON.stringify(order) });
    const response = await call('POST', '/', { headers, body: JSON.stringify(body) });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject(answer);
    expect(started).toHaveLength(1);
  });

  it('refuses a used Idempotency-Key when another request was faster', async () => {
    const other = { repository: { owner: 'acme', name: 'x' }, instruction: 'other', options: {} };
    const asked: TaskRequest[] = [];
    const { call } = api({
      start: async (request) => (asked.push(request), 'exists'),
      task: () => ({
        snapshot: async () => asked.map((request) => ({ request: { ...request, ...other } }))[0] ?? null,
        view: async () => null,
        watch: async () => null,
        cancel: async () => ({ cancelled: false, reason: '' }),
        kept: async () => null,
      }),
    });
    const headers = { ...authorized, 'idempotency-key': 'once' };
    expect((await call('POST', '/', { headers, body: JSON.stringify(order) })).status).toBe(422);
  });

  it.each([
    ['', 400],
    ['x'.repeat(256), 400],
    ['x'.repeat(255), 202],
  ])('answers the Idempotency-Key %j with status %i', async (key, status) => {
    const headers = { ...authorized, 'idempotency-key': key };
    expect((await api().call('POST', '/', { headers, body: JSON.stringify(order) })).status).toBe(status);
  });

  it.each([
    ['no JSON', '{', 400, 'not-json'],
    ['no object', '[]', 400, 'invalid'],
    ['no instruction', JSON.stringify({ repository: 'a/b' }), 400, 'invalid'],
    ['an empty instruction', JSON.stringify({ ...order, instruction: '  ' }), 400, 'invalid'],
    ['an endless instruction', JSON.stringify({ ...order, instruction: 'x'.repeat(20_001) }), 400, 'invalid'],
    ['an unknown field', JSON.stringify({ ...order, sudo: true }), 400, 'invalid'],
    ['an unknown effort', JSON.stringify({ ...order, effort: 'heroic' }), 400, 'invalid'],
    ['an unknown alias', JSON.stringify({ ...order, repository: 'nobody' }), 400, 'repository'],
    ['a path for a repository', JSON.stringify({ ...order, repository: '../../etc' }), 400, 'repository'],
    [
      'a body larger than any instruction',
      JSON.stringify({ ...order, instruction: 'x'.repeat(200_000) }),
      413,
      'too-large',
    ],
  ])('refuses %s and starts nothing', async (_, body, status, code) => {
    const { call, started } = api();
    const response = await call('POST', '/', { body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(started).toEqual([]);
  });
});

describe('the list of tasks', () => {
  it('names the newest first, without what only one task’s page needs', async () => {
    const { call } = api();
    for (const instruction of ['one', 'two'])
      await call('POST', '/', { body: JSON.stringify({ ...order, instruction }) });
    const list = z.object({ tasks: z.array(z.looseObject({ instruction: z.string() })) });
    const { tasks } = list.parse(await (await call('GET', '/')).json());
    expect(tasks.map(({ instruction }) => instruction)).toEqual(['two', 'one']);
    expect(tasks[0]).toMatchObject({ status: 'accepted', repository: { owner: 'acme', name: 'split-bill' } });
    expect(tasks[0]).not.toHaveProperty('receipt');
    expect(list.parse(await (await call('GET', '/?limit=1')).json()).tasks).toHaveLength(1);
  });

  it('shows with state=open only what is not settled, without an outcome', async () => {
    const outcomes: Readonly<Record<string, TaskView['outcome']>> = {
      runs: null,
      held: { kind: 'held', reason: aReason('x', 'A workflow.'), changeHash: 'c0ffee' },
      cancelled: { kind: 'cancelled', by: 'maria' },
    };
    const shown = Object.entries(outcomes).map(async ([taskId, outcome]) => {
      const { call } = api(
        { recent: async () => [taskId] },
        { view: async () => ({ ...slackView, outcome }) },
      );
      return await (await call('GET', '/?state=open')).json();
    });
    const task = { shortId: 'abcd1234', requester: 'Maria', origin: 'slack' };
    expect(await Promise.all(shown)).toEqual([
      { tasks: [expect.objectContaining({ ...task, state: 'running', phaseText: 'Codex is working' })] },
      { tasks: [expect.objectContaining({ ...task, state: 'held', phaseText: 'held for approval' })] },
      { tasks: [] },
    ]);
    expect(JSON.stringify(await Promise.all(shown))).not.toContain('outcome');
  });

  it('gives the list, and nothing else, for the read token, also while the API is off', async () => {
    const { call } = api({ apiToken: null, readToken: 'the-bot-itself' });
    const headers = { authorization: 'Bearer the-bot-itself' };
    expect((await call('GET', '/?state=open', { headers })).status).toBe(200);
    expect((await call('POST', '/', { headers, body: JSON.stringify(order) })).status).toBe(403);
    for (const path of ['/api-1', '/api-1/events', '/api-1/change'])
      expect((await call('GET', path, { headers })).status).toBe(403);
    expect((await call('GET', '/', { headers: authorized })).status).toBe(403);
  });

  it('pages through the ledger where the query has a filter or a cursor', async () => {
    const row: LedgerRow = {
      taskId: 'gh-1-c1',
      shortId: '0a1b2c3d',
      acceptedAt: 1000,
      endedAt: 2000,
      place: 'github',
      repository: 'acme/shop',
      repositoryId: 1,
      installationId: 1,
      title: 'Fix rounding',
      issue: 5,
      person: 'github:3',
      requester: 'maria',
      state: 'ended',
      outcome: 'pull-request',
      asked: 'change',
      code: null,
      tokens: 5,
      dollars: null,
      pull: 7,
      closedAt: 3000,
      merged: true,
    };
    const asked: LedgerQuery[] = [];
    const { call } = api({
      ledger: async (query) => {
        asked.push(query);
        return [row];
      },
    });
    const page = async (query: string) =>
      ledgerPageSchema.parse(await (await call('GET', `/?${query}`, { headers: authorized })).json());
    const first = await page('repository=acme/shop&limit=1');
    expect(first).toMatchObject({
      tasks: [
        {
          taskId: 'gh-1-c1',
          pullRequest: { number: 7, state: 'merged' },
          endedAt: '1970-01-01T00:00:02.000Z',
        },
      ],
      next: '1000.gh-1-c1',
    });
    const second = await page(`cursor=${first.next ?? ''}&state=held&from=2026-11-30`);
    expect(second.next).toBeNull();
    expect(asked).toEqual([
      { repository: 'acme/shop', limit: 1, after: undefined },
      {
        state: 'held',
        from: Date.parse('2026-11-30'),
        limit: 20,
        after: { acceptedAt: 1000, taskId: 'gh-1-c1' },
      },
    ]);
  });

  it.each([
    'cursor=x',
    'place=mail',
    'from=soon',
    'colour=red',
    'limit=0',
    'limit=101',
    'limit=x',
    'limit=1.5',
    'state=',
    'state=all',
  ])('refuses %s', async (query) => {
    const response = await api().call('GET', `/?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'invalid' } });
  });
});

it.each<[Health, status: number, body: object]>([
  [{ status: 'ready' }, 200, { ok: true }],
  // It still accepts.
  [{ status: 'draining' }, 200, { ok: true, reason: expect.stringContaining('after its next start') }],
  ...(['not-writable', 'no-sandbox-host'] as const).map((why): [Health, number, object] => [
    { status: 'broken', why, reason: 'The disk is full: free space.' },
    503,
    {
      ok: false,
      reason: 'The disk is full: free space.',
      error: { code: why, message: 'The disk is full: free space.' },
    },
  ]),
])('answers /healthz with who it is and %j', async (health, status, body) => {
  const response = await api({}, {}, health).app.request('/healthz');
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ ...body, status: health.status, version: '0', bot: 'b1' });
});

describe('a method that a path does not have', () => {
  it.each([
    ['DELETE', '/api/tasks', 'GET, POST', ['api 405']],
    ['PUT', '/api/tasks/api-1', 'GET', ['api 405']],
    ['POST', '/api/tasks/api-1/events', 'GET', ['api 405']],
    ['DELETE', '/api/tasks/api-1/change', 'GET', ['api 405']],
    ['GET', '/api/tasks/api-1/cancel', 'POST', ['api 405']],
    ['GET', '/api/tasks/api-1/publish', 'POST', ['api 405']],
    ['POST', '/healthz', 'GET, HEAD', []],
    ['POST', '/metrics', 'GET, HEAD', ['api 405']],
    ['GET', '/github/webhooks', 'POST', ['github 405']],
  ])('is answered 405 with what is allowed, and counted: %s %s', async (method, path, allow, counted) => {
    const { app, refused } = api();
    const response = await app.request(path, { method, headers: authorized });
    expect(refused).toEqual(counted);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(await response.json()).toMatchObject({ error: { code: 'method-not-allowed' } });
  });
});

describe('an existing task', () => {
  const begun = async (task: Partial<ApiTask> = {}) => {
    const { call } = api({}, task);
    const response = await call('POST', '/', {
      headers: { ...authorized, 'idempotency-key': 'k' },
      body: JSON.stringify(order),
    });
    const text = await response.text();
    return { call, taskId: /"taskId":"([^"]+)"/.exec(text)?.[1] ?? '' };
  };

  it('can be read', async () => {
    const { call, taskId } = await begun();
    expect(await (await call('GET', `/${taskId}`)).json()).toMatchObject({ taskId, status: 'accepted' });
  });

  it.each([
    ['the last event id', { 'last-event-id': '7' }, '', 7],
    ['the query', {}, '?after=3', 3],
    ['the start', {}, '', 0],
    ['the start, when the id is nonsense', { 'last-event-id': 'x' }, '', 0],
  ])('can be followed from %s', async (_, headers, query, expected) => {
    const after: number[] = [];
    const { call, taskId } = await begun({
      watch: async (seq) => {
        after.push(seq);
        return new Blob(['id: 1\n\n']).stream();
      },
    });
    const response = await call('GET', `/${taskId}/events${query}`, {
      headers: { ...authorized, ...headers },
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(after).toEqual([expected]);
  });

  it.each([
    ['GET', ''],
    ['GET', '/events'],
    ['GET', '/change'],
    ['POST', '/cancel'],
    ['POST', '/publish'],
  ])('answers 404 to %s %s when it is unknown', async (method, path) => {
    const { call } = api();
    expect((await call(method, `/api-unknown${path}`)).status).toBe(404);
    expect((await call(method, `/${'A'.repeat(80)}${path}`)).status).toBe(404);
  });

  it.each([
    [{ cancelled: true, reason: 'Cancelled.' }, 202, { cancelled: true, reason: 'Cancelled.' }],
    [
      { cancelled: false, reason: 'The task has already ended.' },
      409,
      { error: { code: 'not-cancellable', message: 'The task has already ended.' } },
    ],
  ])('can be cancelled: answers %j with status %i', async (answer, status, body) => {
    const { call, taskId } = await begun({ cancel: async () => answer });
    const response = await call('POST', `/${taskId}/cancel`);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(body);
  });

  it('returns its kept change', async () => {
    const { call, taskId } = await begun({ kept: async () => '{"type":"end"}\n' });
    expect(await (await call('GET', `/${taskId}/change`)).text()).toBe('{"type":"end"}\n');
  });

  it('says why it cannot be published again', async () => {
    const { call, taskId } = await begun();
    const response = await call('POST', `/${taskId}/publish`);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ error: { message: 'There is no kept change.' } });
  });
});

describe('the doctor’s call', () => {
  const doctor = new Hono().route(
    '/api/doctor',
    doctorRoute({
      apiToken,
      examine: async () => ({
        version: '1.2.3',
        codexVersion: '0.1.0',
        deploymentId: null,
        configHash: 'ab12',
        at: new Date(0).toISOString(),
        findings: await runChecks(
          [ok('fine'), warn('odd', 'look'), fail('broken', 'mend it'), skip('another')].map(
            (verdict, index) => ({ id: `check-${index}`, run: async () => await Promise.resolve(verdict) }),
          ),
          { deadlineMs: 10_000, secrets: [] },
        ),
      }),
    }),
  );

  it.each([
    ['a report', '{"url":"https://airlock.example"}', authorized, 200],
    ['a report without a body', '', authorized, 200],
    ['a problem with a wrong body', '{"only":"everything"}', authorized, 400],
    ['a problem with a large body', ' '.repeat(2000), authorized, 413],
    ['a problem without a token', '{}', {}, 401],
  ])('answers with %s, as described', async (_, body, headers, status) => {
    const asked = await doctor.request('/api/doctor', { method: 'POST', headers, body });
    expect((await asDescribed('POST', '/api/doctor', asked)).status).toBe(status);
  });
});

it('describes each path of the API, and no other', async () => {
  const { app } = api();
  const response = await app.request('/api/openapi.json', { headers: authorized });
  expect(await response.json()).toEqual(JSON.parse(JSON.stringify(described)));
  expect((await app.request('/api/openapi.json')).status).toBe(401);
  const served = new Set(
    app.routes
      .filter(({ method, path }) => /^(?:GET|POST)$/.test(method) && path.startsWith('/api/tasks'))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/, '{$1}')}`),
  );
  const all = Object.entries(describedPaths).flatMap(([path, item]) =>
    ['get', 'post'].filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect([...served, 'POST /api/doctor'].toSorted()).toEqual(all.toSorted());
});
