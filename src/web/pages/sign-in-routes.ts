/** Routes that sign people in and out: with GitHub, or the operator of one machine by a one-time link. */
import { Hono, type Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import * as z from 'zod';
import { encodeBase64Url } from '../../lib/base64.ts';
import { sha256 } from '../../lib/digest.ts';
import { randomWord } from '../../lib/signer.ts';
import { formOf } from './form.ts';
import type { PageDeps, SignIn } from './page-deps.ts';
import { cookieOptions, endSession, returnPath, sessionOf, startSession } from './session.ts';
import { message, setPageHeaders } from './shell.tsx';
import { openSigned } from './signed-json.ts';

/** How long a person has for GitHub's page. */
const signInMs = 10 * 60_000;
const attemptCookie = 'airlock-sign-in';
const attemptSchema = z.strictObject({
  state: z.string(),
  /** PKCE's; only this browser and GitHub's token endpoint get it. */
  verifier: z.string(),
  to: z.string(),
  until: z.number(),
});

/** Whether the person reaches us by https: a proxy in front of one machine hides it from the Worker. */
export function isSecure(c: Context, url: string | null): boolean {
  const asked = new URL(c.req.url);
  if (asked.protocol === 'https:') return true;
  return url !== null && url.startsWith('https:') && new URL(url).host === (c.req.header('host') ?? '');
}

export function signInRoutes(deps: PageDeps): Hono {
  const routes = new Hono();
  const { signer } = deps;

  routes.get('/auth/sign-in', async (c) => {
    const to = returnPath(c.req.query('to'));
    const ready = signInOf(deps);
    if (ready === null) return await signInOff(c, deps);
    const attempt = { state: randomWord(), verifier: randomWord(), to, until: deps.now() + signInMs };
    setCookie(c, attemptCookie, await signer.sign('sign-in', JSON.stringify(attempt)), {
      ...cookieOptions(isSecure(c, deps.url)),
      path: '/auth',
      maxAge: signInMs / 1000,
    });
    const challenge = encodeBase64Url(await sha256(attempt.verifier));
    setPageHeaders(c);
    return c.redirect(
      ready.signIn.address({ redirectUri: ready.redirectUri, state: attempt.state, challenge }),
    );
  });

  routes.get('/auth/callback', async (c) => {
    const ready = signInOf(deps);
    if (ready === null) return await signInOff(c, deps);
    const attempt = await takeAttempt(c, deps);
    const again = (text: string, to = '/tasks') =>
      message(c, 400, {
        title: 'Not signed in',
        text,
        link: [`/auth/sign-in?to=${encodeURIComponent(to)}`, 'Sign in with GitHub'],
      });
    // Somebody else's sign-in, or one in another tab.
    if (attempt === null || attempt.state !== c.req.query('state'))
      return await again('This sign-in was begun elsewhere, or more than ten minutes ago. Begin it again.');
    const code = c.req.query('code') ?? '';
    if (!/^[\w-]{1,200}$/.test(code))
      return await again('GitHub did not sign you in, because the request was declined there.', attempt.to);
    const { redirectUri, signIn } = ready;
    const found = await signIn.person({ code, redirectUri, verifier: attempt.verifier });
    if (found.kind !== 'person') {
      deps.log('sign_in.failed', { why: found.kind });
      return await again(
        found.kind === 'denied'
          ? 'GitHub did not accept this sign-in: it was used already, or expired. If this happens each time, the operator has to check GITHUB_CLIENT_SECRET.'
          : 'GitHub did not answer. Try again in a minute.',
        attempt.to,
      );
    }
    const viewer = { kind: 'github', ...found.person } as const;
    await startSession(c, viewer, { signer, isSecure: isSecure(c, deps.url), now: deps.now() });
    setPageHeaders(c);
    return c.redirect(returnPath(attempt.to), 303);
  });

  routes.post('/auth/sign-out', async (c) => {
    const secure = { isSecure: isSecure(c, deps.url) };
    const session = await sessionOf(c, { ...secure, signer, now: deps.now() });
    if (session !== null && (await formOf(c, session)) === null)
      return await message(c, 403, {
        title: 'Not signed out',
        text: 'Open the page again and sign out there.',
      });
    endSession(c, secure);
    return await message(c, 200, {
      title: 'Signed out',
      text: 'You are signed out of Airlock in this browser.',
    });
  });

  routes.get('/open', async (c) => {
    const { openLinks } = deps;
    const now = deps.now();
    if (openLinks === null || !(await openLinks.accept(c.req.query('link') ?? '', now)))
      return await message(c, 403, {
        title: 'This link does not work any more',
        text: 'Each link works once and for a short time. Run `npm run open` on the machine of the bot for another one.',
      });
    await startSession(c, { kind: 'operator' }, { signer, isSecure: isSecure(c, deps.url), now });
    setPageHeaders(c);
    return c.redirect(returnPath(c.req.query('to')), 303);
  });

  return routes;
}

/** Reads the attempt of this browser and ends it: it counts once. */
async function takeAttempt(
  c: Context,
  { signer, now, url }: PageDeps,
): Promise<z.infer<typeof attemptSchema> | null> {
  const untrusted = getCookie(c, attemptCookie) ?? '';
  deleteCookie(c, attemptCookie, { ...cookieOptions(isSecure(c, url)), path: '/auth' });
  return await openSigned(signer, 'sign-in', attemptSchema, { untrusted, now: now() });
}

/** Null: sign-in with GitHub is off. */
function signInOf({ signIn, url }: PageDeps): { signIn: SignIn; redirectUri: string } | null {
  return signIn === null || url === null ? null : { signIn, redirectUri: `${url}/auth/callback` };
}

/** The page for somebody who is not signed in; says the same whether the task exists. */
export async function notSignedIn(c: Context, deps: PageDeps, to: string): Promise<Response> {
  if (signInOf(deps) === null) return await signInOff(c, deps);
  return await message(c, 401, {
    title: 'Sign in',
    text: 'Airlock shows a task to people who may read its repository. GitHub tells it who you are, and nothing else.',
    link: [`/auth/sign-in?to=${encodeURIComponent(to)}`, 'Sign in with GitHub'],
  });
}

async function signInOff(c: Context, { openLinks }: PageDeps): Promise<Response> {
  const settings =
    'Sign-in with GitHub is off: it takes AIRLOCK_URL, GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET.';
  return openLinks === null
    ? await message(c, 404, { title: 'The pages are off', text: settings })
    : await message(c, 401, {
        title: 'Open this page from the terminal',
        text: `${settings} On the machine of the bot, \`npm run open\` prints a link that works once.`,
      });
}
