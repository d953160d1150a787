import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appJwt, TestSite, textAt } from './harness.ts';

const now = Math.floor(Date.now() / 1000);
const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

describe('installation tokens', () => {
  let site: TestSite;
  let installationId: number | null;
  const ids: Record<string, number> = {};

  beforeAll(async () => {
    site = await TestSite.start();
    for (const name of ['widgets', 'gadgets', 'outside']) {
      const made = await site.repository({ name, installed: name !== 'outside' });
      ids[name] = made.id;
      installationId = made.installationId ?? installationId;
    }
    await site.repository({ owner: 'rival', name: 'secrets' });
    await site.repository({ name: 'open-source', private: false, installed: false });
  });
  afterAll(() => site.stop());

  const mint = (narrowing: Readonly<Record<string, unknown>>) =>
    site.call('POST', `/app/installations/${String(installationId)}/access_tokens`, appJwt(), narrowing);

  describe('the App JWT', () => {
    it.each([
      ['with its id as a string', appJwt({ iss: '4711' }), 200, 'airlock'],
      [
        'expired',
        appJwt({ iat: now - 700, exp: now - 1 }),
        401,
        "'Expiration time' claim ('exp') must be a numeric value",
      ],
      [
        'valid for more than ten minutes',
        appJwt({ exp: now + 700 }),
        401,
        "claim ('exp') is too far in the future",
      ],
      ['issued in the future', appJwt({ iat: now + 120 }), 401, "'Issued at' claim ('iat')"],
      ['without an expiration', appJwt({ exp: undefined }), 401, "'Expiration time' claim"],
      ['without an issuer', appJwt({ iss: undefined }), 401, "Missing 'issuer' claim"],
      ['of another App', appJwt({ iss: 1 }), 404, 'Integration not found'],
      ['signed by another key', appJwt({}, otherKey), 401, 'could not be decoded'],
      ['with the algorithm none', appJwt({}, undefined, 'none'), 401, 'could not be decoded'],
      ['with the algorithm HS256', appJwt({}, undefined, 'HS256'), 401, 'could not be decoded'],
      ['that is not a JWT', 'a.b.c', 401, 'could not be decoded'],
      [
        'that is an unknown installation token',
        'ghs_000000000000000000000000000000000000',
        401,
        'could not be decoded',
      ],
    ])('%s is judged as on GitHub', async (_, jwt, status, says) => {
      const answer = await site.call('GET', '/app', jwt);
      expect(answer.status).toBe(status);
      expect(JSON.stringify(answer.body)).toContain(says);
    });

    it('mints no token for a suspended installation, which is still listed', async () => {
      const { installationId: suspended } = await site.repository({ owner: 'gone', name: 'away' });
      site.simulator.suspendInstallation('gone');
      const path = `/app/installations/${String(suspended)}/access_tokens`;
      expect(await site.call('POST', path, appJwt(), {})).toMatchObject({
        status: 403,
        body: { message: 'This installation has been suspended' },
      });
      const listed = await site.call('GET', '/app/installations', appJwt());
      expect(JSON.stringify(listed.body)).toMatch(/"suspended_at":"\d{4}-/);
    });

    it('cannot be replaced by an installation token', async () => {
      const token = textAt((await mint({})).body, 'token');
      expect((await site.call('GET', '/app', token)).status).toBe(401);
      expect((await site.call('GET', '/repos/acme/widgets/installation', token)).status).toBe(401);
    });

    it('cannot replace an installation token', async () => {
      expect((await site.call('GET', '/repos/acme/widgets', appJwt())).status).toBe(403);
    });
  });

  describe('narrowing', () => {
    it.each([
      ['a repository of the installation', { repositories: ['widgets'] }, 201],
      ['two repositories of the installation', { repositories: ['widgets', 'Gadgets'] }, 201],
      ['a repository that is not installed', { repositories: ['outside'] }, 422],
      ['a repository of another owner', { repositories: ['secrets'] }, 422],
      ['a known and an unknown repository', { repositories: ['widgets', 'nothing'] }, 422],
      ['an unknown repository id', { repository_ids: [999_999] }, 422],
      ['a lower permission', { permissions: { contents: 'read' } }, 201],
      ['a permission that the App lacks', { permissions: { workflows: 'write' } }, 422],
      ['a higher level than the App has', { permissions: { metadata: 'write' } }, 422],
      ['an unknown level', { permissions: { contents: 'admin' } }, 422],
    ])('to %s is judged as on GitHub', async (_, narrowing, status) => {
      expect((await mint(narrowing)).status).toBe(status);
    });

    it('limits the token to the repository with the given id', async () => {
      const answer = await mint({ repository_ids: [ids['gadgets']], permissions: { contents: 'read' } });
      expect(answer.body).toMatchObject({ repositories: [{ name: 'gadgets' }] });
      const token = textAt(answer.body, 'token');
      expect((await site.call('GET', '/repos/acme/gadgets', token)).status).toBe(200);
      expect((await site.call('GET', '/repos/acme/widgets', token)).status).toBe(404);
      expect((await site.call('GET', '/installation/repositories', token)).body).toMatchObject({
        total_count: 1,
      });
    });
  });

  describe('access', () => {
    it.each([
      // permissions, method, path, body, status
      [{ contents: 'read' }, 'GET', '/repos/acme/widgets', undefined, 200],
      [{ contents: 'read' }, 'GET', '/repos/acme/widgets/branches/main', undefined, 200],
      [{ contents: 'read' }, 'GET', '/repos/acme/widgets/collaborators/ada/permission', undefined, 200],
      [{ contents: 'read' }, 'POST', '/repos/acme/widgets/git/blobs', { content: 'x' }, 403],
      [{ contents: 'read' }, 'POST', '/repos/acme/widgets/git/refs', { ref: 'refs/heads/x', sha: 'x' }, 403],
      [{ contents: 'read' }, 'DELETE', '/repos/acme/widgets/git/refs/heads/main', undefined, 403],
      [{ contents: 'read' }, 'GET', '/repos/acme/widgets/issues/1', undefined, 403],
      [{ contents: 'read' }, 'POST', '/repos/acme/widgets/pulls', {}, 403],
      [{ contents: 'write' }, 'POST', '/repos/acme/widgets/git/blobs', { content: 'x' }, 201],
      [{ contents: 'write' }, 'POST', '/repos/acme/widgets/issues/1/comments', { body: 'x' }, 403],
      [{ issues: 'read' }, 'POST', '/repos/acme/widgets/issues/1/reactions', { content: 'eyes' }, 403],
      [{ issues: 'write' }, 'GET', '/repos/acme/widgets/git/ref/heads/main', undefined, 403],
      [{ issues: 'write' }, 'POST', '/repos/acme/widgets/pulls', {}, 403],
      [{ pull_requests: 'read' }, 'GET', '/repos/acme/widgets/pulls', undefined, 200],
      [{ contents: 'write' }, 'GET', '/repos/acme/outside', undefined, 404],
      [{ contents: 'write' }, 'GET', '/repos/rival/secrets', undefined, 404],
      [{ contents: 'write' }, 'POST', '/repos/rival/secrets/git/blobs', { content: 'x' }, 404],
      // As on GitHub, any token can read a public repository, but not write to it.
      [{ contents: 'write' }, 'GET', '/repos/acme/open-source', undefined, 200],
      [{ contents: 'write' }, 'POST', '/repos/acme/open-source/git/blobs', { content: 'x' }, 403],
    ] as const)(
      'with %j is judged as on GitHub for %s %s',
      async (permissions, method, path, body, status) => {
        const token = textAt((await mint({ permissions })).body, 'token');
        const answer = await site.call(method, path, token, body);
        const refused = { status, body: { message: 'Resource not accessible by integration' } };
        expect(answer).toMatchObject(status === 403 ? refused : { status });
      },
    );

    it('without a token is limited to reading public repositories', async () => {
      expect((await site.call('GET', '/repos/acme/widgets', null)).status).toBe(404);
      expect((await site.call('GET', '/repos/acme/open-source', null)).status).toBe(200);
      expect(
        (await site.call('POST', '/repos/acme/open-source/git/blobs', null, { content: 'x' })).status,
      ).toBe(401);
    });
  });

  it('are invalid after revocation, but still listed', async () => {
    const token = textAt((await mint({ permissions: { contents: 'read' } })).body, 'token');
    expect((await site.call('GET', '/repos/acme/widgets', token)).status).toBe(200);
    expect((await site.call('DELETE', '/installation/token', token)).status).toBe(204);
    const after = await site.call('GET', '/repos/acme/widgets', token);
    expect(after).toMatchObject({ status: 401, body: { message: 'Bad credentials' } });
    expect((await site.call('DELETE', '/installation/token', token)).status).toBe(401);
    expect(site.simulator.issuedTokens().find((one) => one.token === token)).toMatchObject({
      revoked: true,
      permissions: { contents: 'read', metadata: 'read' },
      repositories: ['acme/widgets', 'acme/gadgets'],
    });
  });
});
