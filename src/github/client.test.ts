import { expect, it } from 'vitest';
import { apiVersionHeader, githubClient } from './client.ts';

it.each(['GET', 'POST', 'PATCH', 'DELETE'])('pins the API version on every %s', async (method) => {
  const sent: Headers[] = [];
  const answer: typeof fetch = async (_, init) => {
    sent.push(new Headers(init?.headers));
    return Response.json({});
  };
  const api = { apiUrl: 'https://api.github.com', fetch: answer, now: () => 0 };
  const client = githubClient(api, async () => 'a-token');
  await client.request(`${method} /repos/acme/split`);
  await client.request(`${method} /repos/acme/split`, { headers: { 'x-github-api-version': '2099-01-01' } });
  expect(sent.map((headers) => headers.get('x-github-api-version'))).toEqual(['2022-11-28', '2022-11-28']);
  expect(apiVersionHeader).toEqual({ 'x-github-api-version': '2022-11-28' });
});
