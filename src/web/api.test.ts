import { describe, expect, it } from 'vitest';
import type { TaskView } from '../core/task-view.ts';
import type { TaskRequest } from '../core/task.ts';
import { openState } from '../tasks/record/record-state.ts';
import { viewOf } from '../tasks/record/record-view.ts';
import { emptyReceipt } from '../core/grant.ts';
import { checkBearer } from './access.ts';
import { apiRoutes, type ApiDeps, type ApiTask } from './api.ts';

const apiToken = 'a-token-of-sixteen-characters';
const json = { 'content-type': 'application/json' };
const authorized = { ...json, authorization: `Bearer ${apiToken}` };

function api(changes: Partial<ApiDeps> = {}, task: Partial<ApiTask> = {}) {
  const started: TaskRequest[] = [];
  const deps: ApiDeps = {
    apiToken,
    start: async (request) => {
      const known = started.some(({ taskId }) => taskId === request.taskId);
      if (!known) started.push(request);
      return known ? 'exists' : 'started';
    },
    task: (taskId) => ({
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
    await routes.request(path, {
      method,
      headers: init.headers ?? authorized,
      ...(init.body === undefined ? {} : { body: init.body }),
    });
  return { call, started };
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
  it('records the task before it answers', async () => {
    const { call, started } = api();
    const response = await call('POST', '/', {
      body: JSON.stringify({ ...order, model: 'm', effort: 'high', base: 'dev' }),
    });
    expect(response.status).toBe(202);
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
    [{ cancelled: true, reason: 'Cancelled.' }, 202],
    [{ cancelled: false, reason: 'The task has already ended.' }, 409],
  ])('can be cancelled: answers %j with status %i', async (answer, status) => {
    const { call, taskId } = await begun({ cancel: async () => answer });
    const response = await call('POST', `/${taskId}/cancel`);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(answer);
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
