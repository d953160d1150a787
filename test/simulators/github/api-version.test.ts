import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestSite } from './harness.ts';

let site: TestSite;
let token: string;

beforeAll(async () => {
  site = await TestSite.start();
  token = await site.token((await site.repository()).installationId);
});
afterAll(() => site.stop());

it.each([
  ['takes the supported version', { 'x-github-api-version': '2022-11-28', 'user-agent': 'airlock' }, 200],
  ['takes a call of another program without a version', { 'user-agent': 'curl' }, 200],
  ['refuses an unsupported version', { 'x-github-api-version': '2099-01-01', 'user-agent': 'curl' }, 400],
  ['refuses a call of Airlock without a version', { 'user-agent': 'airlock' }, 400],
])('%s', async (_, headers, status) => {
  const response = await fetch(`${site.simulator.apiUrl}/repos/acme/widgets`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  expect(response.status).toBe(status);
});
