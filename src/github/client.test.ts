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

it('sends no secret in words, and each file as it is', async () => {
  const sent: unknown[] = [];
  const answer: typeof fetch = async (_, init) => {
    sent.push(await new Request('https://api.github.com', init).json());
    return Response.json({});
  };
  const api = { apiUrl: 'https://api.github.com', fetch: answer, now: () => 0 };
  const client = githubClient(api, async () => 'a-token');
  const secret = ['ghp', 'q7Rz2KfP9xWm4TbYc8VdL1nHs6GjA3eUo5Zi'].join('_');
  const words = { title: secret, body: `a ${secret} b`, message: secret, commit_message: secret };
  const output = { title: secret, summary: secret, text: secret, annotations: [] };
  await client.request('POST /repos/acme/split/x', { ...words, output, number: 7, head: 'main' });
  await client.request('POST /repos/acme/split/git/blobs', { content: btoa(secret), encoding: 'base64' });
  const gone = '[a GitHub token was here]';
  expect(sent).toEqual([
    {
      title: gone,
      body: `a ${gone} b`,
      message: gone,
      commit_message: gone,
      output: { title: gone, summary: gone, text: gone, annotations: [] },
      number: 7,
      head: 'main',
    },
    { content: btoa(secret), encoding: 'base64' },
  ]);
});
