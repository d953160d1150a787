/**
 * The App's sign-in of people as GitHub has it: the page that asks them, the exchange of the code with PKCE,
 * and the tokens of people. The simulated person chooses on the page who to be.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { z } from 'zod';
import { escapeHtml, page } from '../pages/html.ts';
import { ApiError, notFound, unprocessable } from './api-errors.ts';
import { clientIdOf, publicUserDocument } from './documents/account-document.ts';
import { bodyOf, type ApiEnv, type Site } from './site.ts';

/** https://docs.github.com/apps: "The code expires after 10 minutes". */
const codeMs = 10 * 60_000;

const askedSchema = z.object({
  client_id: z.string(),
  client_secret: z.string(),
  code: z.string(),
  redirect_uri: z.string().optional(),
  code_verifier: z.string().optional(),
});

/** GitHub answers mistakes of the exchange with 200. */
const refusal = (error: string, description: string) => ({
  error,
  error_description: description,
  error_uri:
    'https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/',
});

export function signInPages(site: Site): Hono {
  const pages = new Hono();
  const { signIns } = site;

  pages.get('/login/oauth/authorize', (c) => {
    const asked = c.req.query();
    const redirectUri = asked['redirect_uri'] ?? signIns.callbackUrl ?? '';
    if (asked['client_id'] !== clientIdOf(site)) return c.html(page('Not found', [], '404'), 404);
    if (redirectUri !== signIns.callbackUrl)
      return c.html(
        page('Error', [], '<p>The redirect_uri is not associated with this application.</p>'),
        400,
      );
    const challenge = asked['code_challenge'] ?? null;
    if (challenge !== null && asked['code_challenge_method'] !== 'S256')
      return c.html(page('Error', [], '<p>code_challenge_method has to be S256.</p>'), 400);
    const back = (fields: Record<string, string>): string => {
      const url = new URL(redirectUri);
      for (const [name, value] of Object.entries({ ...fields, state: asked['state'] ?? '' }))
        url.searchParams.set(name, value);
      return url.href;
    };
    const links = site.store.people().map((user) => {
      const code = randomBytes(10).toString('hex');
      signIns.codes.set(code, { user, redirectUri, challenge, until: Date.now() + codeMs });
      return `<li><a class="strong" href="${escapeHtml(back({ code }))}">Authorize as ${escapeHtml(user.login)}</a></li>`;
    });
    const cancel = back({ error: 'access_denied', error_description: 'The user has denied access.' });
    return c.html(
      page(
        `Authorize ${site.app.slug}`,
        [],
        `<h1 class="title">Authorize ${escapeHtml(site.app.slug)}</h1><ul class="list">${links.join('')}<li><a href="${escapeHtml(cancel)}">Cancel</a></li></ul>`,
      ),
    );
  });

  pages.post('/login/oauth/access_token', async (c) => {
    const parsed = askedSchema.safeParse(await c.req.json().catch(() => null));
    if (!parsed.success) return c.json(refusal('incorrect_client_credentials', 'Fields are missing.'));
    const asked = parsed.data;
    if (asked.client_id !== clientIdOf(site) || asked.client_secret !== signIns.clientSecret)
      return c.json(
        refusal('incorrect_client_credentials', 'The client_id and/or client_secret are incorrect.'),
      );
    const code = signIns.codes.get(asked.code);
    signIns.codes.delete(asked.code);
    if (code === undefined || code.until <= Date.now())
      return c.json(refusal('bad_verification_code', 'The code passed is incorrect or expired.'));
    if ((asked.redirect_uri ?? code.redirectUri) !== code.redirectUri)
      return c.json(
        refusal('redirect_uri_mismatch', 'The redirect_uri MUST match the registered callback URL.'),
      );
    const proof = createHash('sha256')
      .update(asked.code_verifier ?? '')
      .digest('base64url');
    if (code.challenge !== null && proof !== code.challenge)
      return c.json(refusal('bad_verification_code', 'The code verifier does not match.'));
    const token = `ghu_${randomBytes(27).toString('base64url').replaceAll(/[-_]/g, 'x')}`;
    signIns.tokens.set(token, code.user);
    return c.json({ access_token: token, token_type: 'bearer', scope: '' });
  });

  return pages;
}

export function signInRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();
  const { signIns } = site;

  api.get('/user', (c) => {
    const token = /^Bearer (ghu_\S+)$/.exec(c.req.header('authorization') ?? '')?.[1];
    const user = signIns.tokens.get(token ?? '');
    if (user === undefined) throw new ApiError(401, 'Bad credentials');
    return c.json(publicUserDocument(site, user));
  });

  api.delete('/applications/:client_id/token', async (c) => {
    const credential = `${clientIdOf(site)}:${signIns.clientSecret}`;
    const basic = `Basic ${Buffer.from(credential).toString('base64')}`;
    if (signIns.clientSecret === null || c.req.header('authorization') !== basic) throw notFound();
    if (c.req.param('client_id') !== clientIdOf(site)) throw notFound();
    const { access_token: token } = await bodyOf(c, z.object({ access_token: z.string() }));
    if (!signIns.tokens.delete(token)) throw unprocessable('Validation Failed');
    return c.body(null, 204);
  });

  return api;
}
