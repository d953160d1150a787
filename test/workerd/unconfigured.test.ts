/** An incomplete deployment accepts nothing. With modules of its own: settings are read once. */
import { createExecutionContext, listDurableObjectIds } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it, vi } from 'vitest';

vi.resetModules();
const { default: worker } = await import('../../src/index.ts');

it.each([
  ['GITHUB_APP_PRIVATE_KEY', undefined],
  ['GITHUB_WEBHOOK_SECRET', ''],
  ['OPENAI_API_KEY', undefined],
  ['GITHUB_APP_ID', 'airlock'],
  ['AIRLOCK_CONFIG_TEXT', '{ "repositories": 1 }'],
])('answers 503 and starts nothing if %s is %j', async (name, value) => {
  const tasksBefore = await listDurableObjectIds(env.TASKS);
  for (const path of ['/healthz', '/github/webhooks', '/api/tasks']) {
    const request = new Request<unknown, IncomingRequestCfProperties>(`http://airlock.test${path}`, {
      method: path === '/healthz' ? 'GET' : 'POST',
      ...(path === '/healthz' ? {} : { body: '{}' }),
    });
    const answer = await worker.fetch(request, { ...env, [name]: value }, createExecutionContext());
    expect(answer.status).toBe(503);
    // The answer does not reveal which setting is missing.
    const text = await answer.text();
    expect(text).toContain('not-configured');
    expect(text).not.toContain(name);
  }
  expect(await listDurableObjectIds(env.TASKS)).toEqual(tasksBefore);
});
