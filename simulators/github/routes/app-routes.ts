/** Routes of the App and its installations, including installation tokens. */
import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { z } from 'zod';
import { ApiError, forbidden, notFound, unprocessable } from '../api-errors.ts';
import { deliveryDocument, wholeDeliveryDocument } from '../documents/delivery-document.ts';
import {
  appDocument,
  installationDocument,
  publicUserDocument,
  type Json,
} from '../documents/account-document.ts';
import { repositoryDocument } from '../documents/repository-document.ts';
import { repositoriesOf, type InstallationToken } from '../installation-tokens.ts';
import { bodyOf, redirectError, numberParam, pageOf, type ApiEnv, type Site } from '../site.ts';
import type { DeliveryAttempt } from '../contract.ts';
import type { LoggedAttempt } from '../webhooks.ts';
import { timestamp, type Installation } from '../store.ts';
import type { Caller } from '../access.ts';

const tokenRequestSchema = z.object({
  repositories: z.array(z.string()).max(500).optional(),
  repository_ids: z.array(z.number().int()).max(500).optional(),
  permissions: z.record(z.string(), z.enum(['read', 'write'])).optional(),
});

const hookConfigSchema = z.strictObject({
  url: z.url().optional(),
  content_type: z.literal('json').optional(),
  secret: z.string().min(1).optional(),
  insecure_ssl: z.literal('0').optional(),
});

export function appRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.get('/app', (c) => {
    requireApp(c.get('caller'));
    return c.json({ ...appDocument(site), installations_count: site.store.installations.size });
  });

  api.get('/app/installations', (c) => {
    requireApp(c.get('caller'));
    const all = pageOf(c, site, [...site.store.installations.values()]);
    return c.json(all.map((one) => installationDocument(site, one)));
  });

  api.get('/app/installations/:installation', (c) => {
    requireApp(c.get('caller'));
    return c.json(installationDocument(site, installation(site, numberParam(c, 'installation'))));
  });

  api.get('/app/hook/config', (c) => {
    requireApp(c.get('caller'));
    return c.json(hookConfigDocument(site));
  });

  api.patch('/app/hook/config', async (c) => {
    requireApp(c.get('caller'));
    const { url, secret } = await bodyOf(c, hookConfigSchema);
    if (url !== undefined) site.webhooks.setUrl(url);
    if (secret !== undefined) site.webhooks.setSecret(secret);
    return c.json(hookConfigDocument(site));
  });

  // Needs no credential: the code is one.
  api.post('/app-manifests/:code/conversions', (c) => {
    const credentials = site.manifests.exchange(c.req.param('code'));
    if (credentials === null) throw notFound();
    const { clientSecret, webhookSecret, pem } = credentials;
    return c.json(
      { ...appDocument(site), client_secret: clientSecret, webhook_secret: webhookSecret, pem },
      201,
    );
  });

  api.get('/app/hook/deliveries', (c) => {
    requireApp(c.get('caller'));
    const { per_page: perPage = '30', cursor, status } = c.req.query();
    const size = Number(perPage);
    if (!Number.isInteger(size) || size < 1 || size > 100) throw unprocessable('Invalid per_page');
    const all = site.webhooks
      .attempts()
      .filter(({ attempt }) => status === undefined || (status === 'success') === isSuccess(attempt));
    const from = cursor === undefined ? 0 : all.findIndex(({ attempt }) => `v1_${attempt.id}` === cursor);
    if (from < 0) throw unprocessable('Invalid cursor');
    const next = all[from + size];
    const body = withNumericIds(
      all.slice(from, from + size).map(({ delivery, attempt }) => deliveryDocument(delivery, attempt)),
    );
    const etag = `W/"${createHash('sha256').update(body).digest('hex')}"`;
    if (next !== undefined) {
      const query = new URLSearchParams({ per_page: perPage, cursor: `v1_${next.attempt.id}` });
      c.header('link', `<${site.apiUrl}/app/hook/deliveries?${query.toString()}>; rel="next"`);
    }
    c.header('etag', etag);
    if (c.req.header('if-none-match') === etag) return c.body(null, 304);
    return c.body(body, 200, { 'content-type': 'application/json; charset=utf-8' });
  });

  api.get('/app/hook/deliveries/:delivery', (c) => {
    requireApp(c.get('caller'));
    const { delivery, attempt } = attemptOf(site, c.req.param('delivery'));
    const body = withNumericIds(wholeDeliveryDocument(delivery, attempt));
    return c.body(body, 200, { 'content-type': 'application/json; charset=utf-8' });
  });

  api.post('/app/hook/deliveries/:delivery/attempts', (c) => {
    requireApp(c.get('caller'));
    const { delivery } = attemptOf(site, c.req.param('delivery'));
    void site.webhooks.redeliver(delivery.id);
    return c.json({}, 202);
  });

  api.get('/users/:username/installation', (c) => {
    requireApp(c.get('caller'));
    const found = site.store.installations.get(c.req.param('username').toLowerCase());
    if (found === undefined) throw notFound();
    return c.json(installationDocument(site, found));
  });

  api.get('/repos/:owner/:repo/installation', (c) => {
    requireApp(c.get('caller'));
    const { owner, repo } = c.req.param();
    const repository = site.store.repository(owner, repo);
    const former = site.store.repositoryByFormerName(owner, repo);
    if (repository === null && former !== null) throw redirectError(c, site, former);
    const found = repository === null ? null : site.store.installationOf(repository);
    if (found === null) throw notFound();
    return c.json(installationDocument(site, found));
  });

  api.post('/app/installations/:installation/access_tokens', async (c) => {
    requireApp(c.get('caller'));
    const target = installation(site, numberParam(c, 'installation'));
    if (target.suspendedAt !== null) throw new ApiError(403, 'This installation has been suspended');
    const wanted = await bodyOf(c, tokenRequestSchema);
    const result = site.tokens.mint(
      target,
      {
        repositories: wanted.repositories,
        repositoryIds: wanted.repository_ids,
        permissions: wanted.permissions,
      },
      Date.now(),
    );
    if (result.kind === 'refused') throw unprocessable(result.message);
    return c.json(tokenDocument(site, result.token), 201);
  });

  api.delete('/installation/token', (c) => {
    requireToken(c.get('caller')).revoked = true;
    return c.body(null, 204);
  });

  api.get('/users/:username', (c) => {
    const user = site.store.findUser(c.req.param('username'));
    if (user === null) throw notFound();
    return c.json(publicUserDocument(site, user));
  });

  api.get('/user/:account_id{[0-9]+}', (c) => {
    const id = numberParam(c, 'account_id');
    const user = [...site.store.users.values()].find((one) => one.id === id);
    if (user === undefined) throw notFound();
    return c.json(publicUserDocument(site, user));
  });

  api.get('/installation/repositories', (c) => {
    const all = repositoriesOf(requireToken(c.get('caller')));
    return c.json({
      total_count: all.length,
      repository_selection: 'selected',
      repositories: pageOf(c, site, all).map((one) => repositoryDocument(site, one)),
    });
  });

  return api;
}

function hookConfigDocument(site: Site): Json {
  const { url, hasSecret } = site.webhooks.config();
  const secret = hasSecret ? { secret: '********' } : {};
  return { content_type: 'json', insecure_ssl: '0', ...secret, ...(url === null ? {} : { url }) };
}

const isSuccess = ({ status }: DeliveryAttempt): boolean => status !== null && status < 400;

/** The id of an attempt as a number with all of its digits, which `JSON.stringify` cannot write. */
function withNumericIds(documents: unknown): string {
  return JSON.stringify(documents).replaceAll(/"id":"(\d+)"/g, '"id":$1');
}

function attemptOf(site: Site, id: string): LoggedAttempt {
  const found = site.webhooks.attempts().find(({ attempt }) => attempt.id === id);
  if (found === undefined) throw notFound();
  return found;
}

function requireApp(caller: Caller): void {
  if (caller.kind === 'app') return;
  if (caller.kind === 'refused' && caller.message !== 'Bad credentials')
    throw new ApiError(caller.status, caller.message);
  // GitHub tries to decode any other credential, such as an installation token, as a JWT.
  throw new ApiError(401, 'A JSON web token could not be decoded');
}

function requireToken(caller: Caller): InstallationToken {
  if (caller.kind === 'installation') return caller.token;
  if (caller.kind === 'refused') throw new ApiError(caller.status, caller.message);
  if (caller.kind === 'app') throw forbidden();
  throw new ApiError(401, 'Requires authentication');
}

function installation(site: Site, id: number): Installation {
  const found = site.store.installationById(id);
  if (found === null) throw notFound();
  return found;
}

function tokenDocument(site: Site, token: InstallationToken): Json {
  return {
    token: token.token,
    expires_at: timestamp(token.expiresAt),
    permissions: { ...token.permissions },
    repository_selection: 'selected',
    ...(token.narrowedTo === null
      ? {}
      : { repositories: token.narrowedTo.map((one) => repositoryDocument(site, one)) }),
  };
}
