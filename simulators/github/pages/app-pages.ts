/** The pages on which a person creates an App from a manifest, and installs it. Nobody has to sign in. */
import { Hono, type Context } from 'hono';
import { readManifest, slugOf, type AppManifest } from '../app-manifests.ts';
import type { Site } from '../site.ts';
import { timestamp } from '../store.ts';
import { escapeHtml, page } from '../../pages/html.ts';

/** Whose account it is that “is signed in”. */
const person = 'mona';

export function appPages(site: Site): Hono {
  const pages = new Hono();

  // These pages have forms, which lead back to the program on the loopback that sent the manifest.
  pages.on(['GET', 'POST'], ['/settings/apps/*', '/organizations/*', '/apps/*'], async (c, next) => {
    await next();
    c.header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self' http://127.0.0.1:* http://localhost:*; frame-ancestors 'none'",
    );
  });

  const askName = async (c: Context): Promise<Response> => {
    const owner = c.req.param('organization') ?? person;
    const text = (await formOf(c)).get('manifest') ?? '';
    const read = readManifest(text);
    if (!read.ok) return c.html(problemPage('Invalid GitHub App configuration', read.problem), 422);
    const state = c.req.query('state') ?? '';
    const main = `<h1 class="title">Create GitHub App for @${escapeHtml(owner)}</h1>
<form method="post" action="/settings/apps/manifest">
${hidden({ owner, state, manifest: text })}
<p><label>GitHub App name <input name="name" required maxlength="34" value="${escapeHtml(read.manifest.name ?? '')}"></label></p>
<p><button>Create GitHub App for ${escapeHtml(owner)}</button></p></form>`;
    return c.html(page('Create GitHub App', [], main));
  };
  pages.post('/settings/apps/new', askName);
  pages.post('/organizations/:organization/settings/apps/new', askName);

  pages.post('/settings/apps/manifest', async (c) => {
    const form = await formOf(c);
    const field = (name: string): string => form.get(name) ?? '';
    const read = readManifest(field('manifest'));
    const name = field('name').trim();
    if (!read.ok) return c.html(problemPage('Invalid GitHub App configuration', read.problem), 422);
    if (name === '' || site.store.findUser(slugOf(name)) !== null || slugOf(name) === site.app.slug)
      return c.html(problemPage('There was an error', `Name ${name} is already taken`), 422);
    const code = createApp(site, field('owner'), name, read.manifest);
    const back = new URL(read.manifest.redirect_url);
    back.searchParams.set('code', code);
    if (field('state') !== '') back.searchParams.set('state', field('state'));
    return c.redirect(back.toString());
  });

  pages.get('/apps/:slug/installations/new', (c) => {
    if (c.req.param('slug') !== site.app.slug) return c.notFound();
    const boxes = repositoriesFor(site).map(({ id, owner, name }) => {
      const full = escapeHtml(`${owner.login}/${name}`);
      return `<li><label><input type="checkbox" name="repository" value="${id}"> ${full}</label></li>`;
    });
    const none = '<p class="empty">This App can be installed only on the account that owns it.</p>';
    const main = `<h1 class="title">Install ${escapeHtml(site.app.slug)}</h1>
<form method="post"><p><label><input type="radio" name="selection" value="all" checked> All repositories</label>
<label><input type="radio" name="selection" value="some"> Only select repositories</label></p>
${boxes.length === 0 ? none : `<ul class="list">${boxes.join('')}</ul>`}<p><button>Install</button></p></form>`;
    return c.html(page('Install', [], main));
  });

  pages.post('/apps/:slug/installations/new', async (c) => {
    const form = await formOf(c);
    const ticked = form.getAll('repository').map(Number);
    const chosen = repositoriesFor(site).filter(
      ({ id }) => form.get('selection') !== 'some' || ticked.includes(id),
    );
    for (const repository of chosen) site.store.install(repository);
    const [first] = chosen;
    const installation = first === undefined ? null : site.store.installationOf(first);
    if (installation === null) return c.html(problemPage('Nothing was chosen', 'Choose a repository'), 422);
    const { setupUrl } = site.app;
    if (setupUrl !== null)
      return c.redirect(`${setupUrl}?installation_id=${installation.id}&setup_action=install`);
    return c.html(page('Installed', [], `<h1 class="title">${escapeHtml(site.app.slug)} is installed</h1>`));
  });
  return pages;
}

/** It takes the place of the App that was there. Returns the code for its credentials. */
function createApp(site: Site, owner: string, name: string, manifest: AppManifest): string {
  const { code, key, webhookSecret } = site.manifests.register(manifest);
  const hook = manifest.hook_attributes;
  site.app = {
    id: site.store.nextId(),
    slug: slugOf(name),
    key,
    createdAt: timestamp(),
    owner,
    public: manifest.public ?? false,
    setupUrl: manifest.setup_url ?? null,
    events: manifest.default_events ?? [],
  };
  site.tokens.grant(manifest.default_permissions ?? {});
  site.store.installations.clear();
  site.store.user(`${site.app.slug}[bot]`, 'Bot');
  site.webhooks.adopt({
    appId: site.app.id,
    url: hook === undefined || hook.active === false ? null : hook.url,
    secret: webhookSecret ?? '',
  });
  return code;
}

const formOf = async (c: Context): Promise<URLSearchParams> => new URLSearchParams(await c.req.text());

/** Where it is not installed yet; a private App only on its owner's account. */
function repositoriesFor(site: Site) {
  return [...site.store.repositories.values()]
    .filter(({ owner }) => site.app.public || owner.login.toLowerCase() === site.app.owner.toLowerCase())
    .filter((repository) => site.store.installationOf(repository) === null);
}

function hidden(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`)
    .join('');
}

const problemPage = (title: string, problem: string): string =>
  page(title, [], `<h1 class="title">${escapeHtml(title)}</h1><p class="minus">${escapeHtml(problem)}</p>`);
