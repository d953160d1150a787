import { expect, it } from 'vitest';
import { sandboxRoute } from './sandbox-route.ts';

const apiToken = 'a-token-of-the-deployment';
const sandbox = '0b54bcb1-6d7a-4f4e-9d6f-6f6f3f3c1f11';
const destroy = { method: 'destroy' };

async function ask(body: unknown, { token = apiToken, configured = true, method = 'POST' } = {}) {
  const called: unknown[] = [];
  const route = sandboxRoute({
    apiToken: configured ? apiToken : null,
    callSandbox: async (...args) => {
      called.push(args);
      return await Promise.resolve({ ok: true, value: null });
    },
  });
  const response = await route.request('/', {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
  });
  return { status: response.status, called };
}

it('passes a call of the sandbox contract on for the holder of the API token', async () => {
  expect(await ask({ sandbox, call: destroy })).toEqual({ status: 200, called: [[sandbox, destroy]] });
});

it.each<[string, unknown, number, Parameters<typeof ask>[1]]>([
  ['another token', { sandbox, call: destroy }, 401, { token: 'another-token-than-this' }],
  ['a deployment without a token', { sandbox, call: destroy }, 403, { configured: false }],
  ['a task’s id', { sandbox: 'gh-1-c2', call: destroy }, 400, {}],
  ['an id that leads elsewhere', { sandbox: `${sandbox}/../gh-1-c2`, call: destroy }, 400, {}],
  ['a sandbox’s own id', { sandbox: 'a'.repeat(64), call: destroy }, 400, {}],
  ['a method outside the contract', { sandbox, call: { method: 'markLost', why: 'x' } }, 400, {}],
  ['another key', { sandbox, call: destroy, grant: 'run' }, 400, {}],
  ['no sandbox', { call: destroy }, 400, {}],
  ['no JSON', '{', 400, {}],
  ['more than 8 MiB', ' '.repeat(8 * 1024 * 1024 + 1), 413, {}],
  ['another method of HTTP', null, 405, { method: 'GET' }],
])('refuses %s', async (_, body, status, options) => {
  expect(await ask(body, options)).toEqual({ status, called: [] });
});
