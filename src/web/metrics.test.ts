import parse from 'parse-prometheus-text-format';
import { expect, it } from 'vitest';
import { metrics, observed, series } from '../core/metrics.ts';
import { metricsRoutes } from './metrics.ts';

const routes = metricsRoutes({
  apiToken: 'a-token-of-the-tests',
  counted: async () =>
    await Promise.resolve({
      ...observed('airlock_acknowledgement_seconds', 1500),
      ...observed('airlock_pull_request_seconds', 1e9),
      [series('airlock_tasks_ended_total', { outcome: 'failed' })]: 3,
      [series('airlock_task_reasons_total', { outcome: 'failed', reason: '\\ "\n' })]: 1,
    }),
  gauges: async () =>
    await Promise.resolve({
      airlock_queue_length: 2,
      airlock_sandboxes: 1,
      airlock_sandboxes_limit: 4,
      airlock_ready: 1,
    }),
});
const read = async (authorization?: string) =>
  await routes.request('/', authorization === undefined ? {} : { headers: { authorization } });

it('shows nothing without the API token', async () => {
  for (const authorization of [undefined, 'Bearer wrong']) {
    const answer = await read(authorization);
    expect([answer.status, await answer.text()]).toEqual([401, expect.not.stringContaining('airlock_')]);
  }
});

it('writes what another program reads as the same numbers', async () => {
  const answer = await read('Bearer a-token-of-the-tests');
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const families = parse(await answer.text());
  expect(families.map(({ name, type }) => [name, type])).toEqual(
    Object.entries(metrics).map(([name, { type }]) => [name, type.toUpperCase()]),
  );
  const of = (name: string) => families.find((family) => family.name === name)?.metrics;
  expect(of('airlock_queue_length')).toEqual([{ value: '2' }]);
  expect(of('airlock_tasks_ended_total')).toContainEqual({ value: '3', labels: { outcome: 'failed' } });
  expect(of('airlock_tasks_ended_total')).toContainEqual({ value: '0', labels: { outcome: 'held' } });
  expect(of('airlock_task_reasons_total')).toEqual([
    { value: '1', labels: { outcome: 'failed', reason: '\\ "\n' } },
  ]);
  expect(of('airlock_acknowledgement_seconds')).toMatchObject([
    { count: '1', sum: '1.5', buckets: { '1': '0', '2': '1', '21600': '1', '+Inf': '1' } },
  ]);
  expect(of('airlock_pull_request_seconds')).toMatchObject([{ buckets: { '21600': '0', '+Inf': '1' } }]);
});
