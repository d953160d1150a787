/** Signs a person in against the simulated GitHub, and asks there who may read and write a repository. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { repositoryAccess } from '../../src/github/repository-access.ts';
import { authorizeAddress, personOfCode } from '../../src/github/sign-in.ts';
import { encodeBase64Url } from '../../src/lib/base64.ts';
import { sha256 } from '../../src/lib/digest.ts';
import type { GithubSimulator } from '../../simulators/github/contract.ts';
import { startGithubSimulator } from '../../simulators/github/simulator.ts';

const redirectUri = 'https://airlock.example/auth/callback';
const verifier = 'v'.repeat(43);
let github: GithubSimulator;
let folder: string;
let clientId: string;
let liveTokens: () => readonly string[];
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-sign-in-'));
  github = await startGithubSimulator({
    stateDir: folder,
    app: { id: 1, slug: 'airlock', publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }) },
    webhook: { url: null, secret: 'of no use here' },
  });
  ({ clientId, liveTokens } = github.allowSignIn({
    clientSecret: 'the client secret',
    callbackUrl: redirectUri,
  }));
});
afterAll(async () => {
  await github.close();
  await rm(folder, { recursive: true, force: true });
});

const api = () => ({
  clientId,
  clientSecret: 'the client secret',
  webUrl: github.url,
  apiUrl: github.apiUrl,
  fetch,
  now: Date.now,
});

/** The code that GitHub sends the browser back with when this person agrees. */
async function codeOf(login: string): Promise<string> {
  const challenge = encodeBase64Url(await sha256(verifier));
  const asked = await fetch(authorizeAddress(api(), { redirectUri, state: 's', challenge }));
  const links = [...(await asked.text()).matchAll(/href="([^"]+)">Authorize as (\w+)/g)];
  const href = links.find((link) => link[2] === login)?.[1] ?? '';
  return new URL(href.replaceAll('&amp;', '&')).searchParams.get('code') ?? '';
}

it('asks GitHub who a person is and what they may do, and leaves no token alive', async () => {
  const { id: repositoryId, installationId } = await github.createRepository({
    owner: 'acme',
    name: 'split',
    files: { 'README.md': '' },
    collaborators: [
      { login: 'ada', permission: 'write' },
      { login: 'rea', permission: 'triage' },
    ],
  });
  await github.createRepository({
    owner: 'other',
    name: 'public',
    files: { 'README.md': '' },
    collaborators: [{ login: 'eve', permission: 'admin' }],
  });
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const deps = { ...api(), tokens: createAppTokens({ ...api(), appId: 1, privateKey: key }) };
  const place = { installationId: installationId ?? 0, repositoryId };
  const found: Record<string, unknown> = {};
  for (const login of ['ada', 'rea', 'eve']) {
    const signedIn = await personOfCode(api(), { code: await codeOf(login), redirectUri, verifier });
    if (signedIn.kind !== 'person') throw new Error(signedIn.kind);
    found[login] = await repositoryAccess(deps, place, signedIn.person);
  }
  expect(found).toEqual({
    ada: { permission: 'write', private: true },
    rea: { permission: 'read', private: true },
    eve: { permission: 'none', private: true },
  });
  // A new account with the login of somebody who has access.
  const renamed = await repositoryAccess(deps, place, { login: 'ada', id: 999_999 });
  expect(renamed?.permission).toBe('none');
  const gone = await repositoryAccess(deps, { ...place, repositoryId: 0 }, { login: 'ada', id: 1 }).catch(
    () => null,
  );
  expect(gone).toBeNull();
  expect(liveTokens()).toEqual([]);
  expect(github.issuedTokens().filter(({ revoked }) => !revoked)).toEqual([]);
});

it.each([
  [
    'a second time',
    async (code: string) => {
      await personOfCode(api(), { code, redirectUri, verifier });
      return {};
    },
  ],
  ['with another verifier', async () => ({ verifier: 'w'.repeat(43) })],
  ['with another address', async () => ({ redirectUri: 'https://evil.example/' })],
])('does not sign in with a code %s', async (_how, change) => {
  const code = await codeOf('ada');
  const changed = await change(code);
  expect(await personOfCode(api(), { code, redirectUri, verifier, ...changed })).toEqual({ kind: 'denied' });
});

it.each([
  ['denied', 'a wrong client secret', { clientSecret: 'another' }],
  ['unavailable', 'a GitHub that is down', { webUrl: 'http://127.0.0.1:9' }],
])('reports %s for %s', async (kind, _what, changed) => {
  const code = await codeOf('ada');
  expect(await personOfCode({ ...api(), ...changed }, { code, redirectUri, verifier })).toEqual({ kind });
});
