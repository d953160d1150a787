/** Renamed repositories: redirects, and their end when another repository takes the name. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { git, numberAt, TestSite } from './harness.ts';
import { answerViolation } from './openapi.ts';

let site: TestSite;
let repository: Awaited<ReturnType<TestSite['repository']>>;
let other: Awaited<ReturnType<TestSite['repository']>>;
let token: string;
let names = 0;

beforeAll(async () => {
  site = await TestSite.start();
  other = await site.repository({ name: 'other' });
});
afterAll(() => site.stop());
beforeEach(async () => {
  names += 1;
  repository = await site.repository({ name: `old-${names}` });
  token = await site.token(repository.installationId, { repository_ids: [repository.id] });
  site.simulator.renameRepository(repository, `new-${names}`);
});

const requestWithoutRedirect = async (method: string, address: string, credential: string | null = token) => {
  const basic = `Basic ${Buffer.from(`x-access-token:${credential ?? ''}`).toString('base64')}`;
  const response = await fetch(address, {
    method,
    redirect: 'manual',
    headers: credential === null ? {} : { authorization: basic },
    signal: AbortSignal.timeout(60_000),
  });
  return { status: response.status, location: response.headers.get('location'), text: await response.text() };
};

it.each([
  ['GET', 'info/refs?service=git-upload-pack'],
  ['POST', 'git-upload-pack'],
  ['GET', 'info/refs?service=git-receive-pack'],
])('redirects git to the new name for %s %s', async (method, endpoint) => {
  const write = await site.token(repository.installationId, { repository_ids: [repository.id] });
  for (const suffix of ['', '.git']) {
    const address = `${site.simulator.url}/acme/${repository.name}${suffix}/${endpoint}`;
    expect(await requestWithoutRedirect(method, address, write)).toMatchObject({
      status: 301,
      location: `${site.simulator.url}/acme/new-${names}.git/${endpoint}`,
    });
  }
});

it('lets git follow the redirect from the former name', async () => {
  const url = `http://x-access-token:${token}@${new URL(site.simulator.url).host}/acme/${repository.name}.git`;
  const { code, stdout } = await git(site.folder, ['ls-remote', url, 'HEAD']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${repository.headSha}\tHEAD` });
});

it.each([
  ['GET', '', 301],
  ['GET', '/git/ref/heads/main', 301],
  ['GET', '/pulls?state=all&head=acme:x', 301],
  ['POST', '/git/refs', 307],
  ['PATCH', '/git/refs/heads/main', 307],
])('redirects REST to the address by id for %s %s', async (method, below, status) => {
  const path = `/repos/acme/${repository.name}${below}`;
  const moved = await requestWithoutRedirect(method, `${site.simulator.apiUrl}${path}`);
  const location = `${site.simulator.apiUrl}/repositories/${repository.id}${below}`;
  expect(moved).toMatchObject({ status, location });
  const document: unknown = JSON.parse(moved.text);
  expect(document).toMatchObject({ message: 'Moved Permanently', url: location });
  expect(below === '' ? answerViolation('GET', path, 301, document) : null).toBeNull();
});

it('answers a request by id with the new name', async () => {
  const { status, body } = await site.call('GET', `/repositories/${repository.id}`, token);
  expect(status).toBe(200);
  expect(numberAt(body, 'id')).toBe(repository.id);
  expect(body).toMatchObject({ name: `new-${names}`, full_name: `acme/new-${names}` });
});

it.each([
  ['an anonymous caller', () => null, 404],
  [
    'a token for another repository',
    () => site.token(other.installationId, { repository_ids: [other.id] }),
    404,
  ],
  ['an invalid token', () => 'ghs_made_up', 401],
])('does not reveal the rename to %s', async (_, credential, status) => {
  const held = await credential();
  expect((await site.call('GET', `/repositories/${repository.id}`, held)).status).toBe(status);
  const byName = await requestWithoutRedirect(
    'GET',
    `${site.simulator.apiUrl}/repos/acme/${repository.name}`,
    held,
  );
  expect(byName).toMatchObject({ status, location: null });
  const refs = `${site.simulator.url}/acme/${repository.name}/info/refs?service=git-upload-pack`;
  expect((await requestWithoutRedirect('GET', refs, held)).location).toBeNull();
});

it('answers 404 for an unknown id', async () => {
  for (const id of ['4711', 'x', '0'])
    expect((await site.call('GET', `/repositories/${id}`, token)).status).toBe(404);
});

it('stops redirecting when a new repository takes the former name', async () => {
  const taker = await site.repository({ name: repository.name, files: { 'README.md': 'taken\n' } });
  expect(taker.id).not.toBe(repository.id);
  const takerToken = await site.token(taker.installationId, { repository_ids: [taker.id] });
  const named = await site.call('GET', `/repos/acme/${repository.name}`, takerToken);
  expect(numberAt(named.body, 'id')).toBe(taker.id);
  // The token of the renamed repository does not cover the new one, and the name no longer redirects.
  expect((await site.call('GET', `/repos/acme/${repository.name}`, token)).status).toBe(404);
  const kept = await site.call('GET', `/repos/acme/new-${names}/git/ref/heads/main`, token);
  expect(kept.body).toMatchObject({ object: { sha: repository.headSha } });
});

it('can get its former name back', async () => {
  site.simulator.renameRepository({ owner: 'acme', name: `new-${names}` }, repository.name);
  expect((await site.call('GET', `/repos/acme/${repository.name}`, token)).status).toBe(200);
  const { status } = await requestWithoutRedirect('GET', `${site.simulator.apiUrl}/repos/acme/new-${names}`);
  expect(status).toBe(301);
});

it('refuses a rename to a taken or invalid name', () => {
  const now = { owner: 'acme', name: `new-${names}` };
  expect(() => site.simulator.renameRepository(now, 'other')).toThrow('already exists');
  expect(() => site.simulator.renameRepository(now, '../x')).toThrow('would not accept the name');
});

it('can answer with a planned redirect to another host', async () => {
  const path = new RegExp(`/acme/new-${names}\\.git/info/refs$`);
  site.simulator.failNext({ method: 'GET', path, status: 301, location: 'https://evil.example/x' });
  const refs = `${site.simulator.url}/acme/new-${names}.git/info/refs?service=git-upload-pack`;
  expect(await requestWithoutRedirect('GET', refs)).toMatchObject({
    status: 301,
    location: 'https://evil.example/x',
  });
});
