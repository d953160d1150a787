/** Serves the set-up's page on the loopback, to the person at the terminal alone. Decides nothing itself. */
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { listenOnLoopback } from '../../host/listen-on-loopback.ts';
import { readSettings } from '../../src/doctor/settings-checks.ts';
import { readBody } from '../../src/lib/read-body.ts';
import { channelDefault } from './config-text.ts';
import type { Afterwards } from './deployment.ts';
import { Guard } from './guard.ts';
import { setupScript, setupStyle } from './page-assets.ts';
import { closedPage, sendingPage } from './page-frame.ts';
import { setupPage } from './pages.ts';
import type { SetupParts } from './prepare.ts';
import { nameOf, refuse, type Refusal } from './refusal.ts';
import type { SetupState } from './setup.ts';

export interface SetupServerOptions extends SetupParts {
  readonly deployment: readonly Afterwards[] | null;
  /** Null: 8786, or any port if that one is in use. */
  readonly port: number | null;
  /** Called with another address after each use of one. */
  readonly onOpened: (nextAddress: string) => void;
}

export interface SetupServer {
  /** To open once. */
  readonly address: string;
  close(): Promise<void>;
}

const usualPort = 8786;
/** A private key has 2 KB. */
const maxFormBytes = 64 * 1024;
const formDeadlineMs = 10_000;

/** Rejects, for people, if the port is in use. */
export async function startSetupServer(options: SetupServerOptions): Promise<SetupServer> {
  const wanted = options.port ?? usualPort;
  const application: { current: Hono } = { current: new Hono() };
  const listener = getRequestListener(async (request) => await application.current.fetch(request), {
    overrideGlobalObjects: false,
  });
  const server = createServer((request, response) => void listener(request, response));
  const port = await listenOnLoopback(server, wanted).catch(async (error: unknown) => {
    if (options.port === null) return await listenOnLoopback(server, 0);
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The page cannot listen on port ${wanted}: ${why}. Choose another with -- --port NUMBER.`,
    );
  });
  const guard = new Guard(port);
  application.current = routes(options, guard, port);
  return {
    address: guard.address,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => void server.close(() => done()));
    },
  };
}

function routes(options: SetupServerOptions, guard: Guard, port: number): Hono {
  const { setup, store, proof, channel } = options;
  const web = new Hono();
  const origin = `http://127.0.0.1:${port}`;
  /** Kept for the page that follows GitHub's redirect. */
  let notice: Refusal | null = null;

  web.use(async (c, next) => {
    await next();
    const { githubUrl } = readSettings(await store.settings()).settings;
    c.header(
      'content-security-policy',
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
        `form-action 'self' ${new URL(githubUrl).origin}`,
    );
    c.header('x-content-type-options', 'nosniff');
    c.header('cache-control', 'no-store');
    // Not `no-referrer`: with it, browsers send forms without their origin.
    c.header('referrer-policy', 'same-origin');
    c.header('cross-origin-opener-policy', 'same-origin');
  });

  web.use(async (c, next) => {
    if (guard.isOwnHost(c.req.header('host') ?? '')) return await next();
    return c.html(closedPage('This page is served on 127.0.0.1 only.'), 421);
  });

  // Its requests are signed. Not for a browser.
  web.post('/slack/events', async (c) => await channel.receive(c.req.raw));

  // The `state` that only GitHub got from here is the credential; a browser may keep the cookie back.
  web.get('/github/created', async (c) => {
    notice = await setup.app.exchange({ code: c.req.query('code') ?? '', state: c.req.query('state') ?? '' });
    return c.redirect('/');
  });

  web.use(async (c, next) => {
    const entry = await guard.admit({
      method: c.req.method,
      host: c.req.header('host') ?? '',
      origin: c.req.header('origin') ?? null,
      cookie: getCookie(c, guard.cookieName) ?? null,
      word: c.req.path === '/' ? (c.req.query('word') ?? null) : null,
    });
    if (entry.kind === 'refused') return c.html(closedPage(entry.why), entry.status);
    if (entry.kind === 'inside') return await next();
    options.onOpened(guard.address);
    return c.body(null, 303, { location: '/', 'set-cookie': entry.cookie });
  });

  web.get('/setup.css', (c) => c.body(setupStyle, 200, { 'content-type': 'text/css; charset=utf-8' }));
  web.get('/setup.js', (c) => c.body(setupScript, 200, { 'content-type': 'text/javascript; charset=utf-8' }));

  web.get('/', async (c) => {
    const shown = notice;
    notice = null;
    return await show(c, shown);
  });

  web.post('/app/create', async (c) => {
    const form = await formOf(c);
    const made = await setup.app.createForm(
      { organization: field(form, 'organization'), githubUrl: field(form, 'githubUrl') },
      `${origin}/github/created`,
    );
    return 'problem' in made ? await show(c, made) : c.html(sendingPage(made));
  });
  web.post('/app/use', async (c) => {
    const form = await formOf(c);
    const given = { id: field(form, 'id'), pem: field(form, 'pem'), secret: field(form, 'secret') };
    return await shown(c, await setup.app.useExisting(given));
  });
  web.post('/model', async (c) => {
    const form = await formOf(c);
    const refusal = await setup.useModel({
      key: field(form, 'key'),
      baseUrl: field(form, 'baseUrl'),
      organization: field(form, 'organization'),
      project: field(form, 'project'),
    });
    return await shown(c, refusal);
  });
  web.post('/repositories', async (c) => shown(c, await setup.allow((await formOf(c)).getAll('repository'))));
  web.post('/slack', async (c) => {
    const form = await formOf(c);
    const given = { botToken: field(form, 'botToken'), second: field(form, 'second') };
    return await shown(c, await setup.useSlack(given));
  });
  web.post('/slack/channel', async (c) => {
    const form = await formOf(c);
    const id = field(form, 'channel');
    // Somebody can have typed another command since the page was shown.
    const chosen = channel
      .waiting()
      .find(
        ({ channelId, repository }) => channelId === id && nameOf(repository) === field(form, 'repository'),
      );
    const read = await store.config();
    if (chosen === undefined) return await show(c, refuse('That command is gone', 'Type it again in Slack.'));
    if ('problem' in read) return await show(c, read);
    const refusal = await setup.changeConfig(channelDefault(read.config, id, chosen.repository));
    if (refusal === null) await prove();
    return await shown(c, refusal);
  });
  web.post('/slack/skip', async (c) => {
    setup.skipSlack();
    await prove();
    return await shown(c, null);
  });
  web.post('/proof', async (c) => {
    await prove();
    return await shown(c, null);
  });
  return web;

  /** On one machine. The bot's own connection to Slack takes the place of this one. */
  async function prove(): Promise<void> {
    await channel.stop();
    if (options.deployment === null) proof.start();
  }

  /** After a form: the next page, or the same one with what is wrong. */
  async function shown(c: Context, refusal: Refusal | null): Promise<Response> {
    return refusal === null ? c.redirect('/', 303) : await show(c, refusal);
  }

  async function show(c: Context, refusal: Refusal | null): Promise<Response> {
    const state = await setup.state();
    const reachable = state.step === 'repositories' ? await setup.reachable() : null;
    const unlisted = reachable !== null && 'problem' in reachable ? reachable : null;
    const page = setupPage({
      state,
      refusal: refusal ?? state.refusal ?? unlisted ?? (await listenInSlack(state)),
      reachable: reachable === null || 'problem' in reachable ? null : reachable,
      channels: channel.waiting(),
      proof: proof.view(),
      publicUrl: options.publicUrl,
      socketMode: options.socketMode,
      slackApps: slackAppsOf(readSettings(await store.settings()).slackApiUrl),
      deployment: options.deployment,
    });
    return c.html(page, refusal === null ? 200 : 422);
  }

  /** For `/codex here`, which arrives over Socket Mode only. */
  async function listenInSlack(state: SetupState): Promise<Refusal | null> {
    const settings = await store.settings();
    const appToken = settings['SLACK_APP_TOKEN'];
    if (state.step !== 'slack' || state.slack !== 'on' || appToken === undefined) return null;
    const apiUrl = `${readSettings(settings).slackApiUrl}/`;
    try {
      await channel.listen({ appToken, apiUrl, url: origin });
      return null;
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error), 'Reload this page to try again.');
    }
  }
}

/** Where Slack makes apps; next to its API for a simulator. */
function slackAppsOf(apiUrl: string): string {
  const { hostname, origin } = new URL(apiUrl);
  return hostname === 'slack.com' ? 'https://api.slack.com/apps' : `${origin}/apps`;
}

/** An oversized form is an empty one. */
async function formOf(c: Context): Promise<URLSearchParams> {
  const body = await readBody(c.req.raw, { maxBytes: maxFormBytes, deadlineMs: formDeadlineMs });
  return new URLSearchParams(body.kind === 'bytes' ? new TextDecoder().decode(body.bytes) : '');
}

const field = (form: URLSearchParams, name: string): string => form.get(name) ?? '';
