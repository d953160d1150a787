/** Read-only web pages: the channel list, and one channel with its threads. Loopback only. */
import { Hono } from 'hono';
import { z } from 'zod';
import { parseJson } from '../../../src/lib/parse-json.ts';
import { escapeHtml, securityHeaders } from '../../pages/html.ts';
import { isTopLevel } from '../journal.ts';
import { sessionKey } from '../methods/sessions.ts';
import type { Site } from '../site.ts';
import type { Channel } from '../workspace.ts';
import { ephemeralBox, messageBox } from './message-box.ts';
import { page } from './page.ts';

const manifestSchema = z.object({
  display_information: z.object({ name: z.string().min(1).max(35) }),
  oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()) }) }),
  settings: z.object({ socket_mode_enabled: z.boolean() }),
});

export function pageApplication(site: Site): Hono {
  const pages = new Hono();

  pages.use(securityHeaders);

  pages.get('/', (c) => {
    const first = site.workspace
      .shownChannels()
      .find((channel) => site.journal.inChannel(channel.id).length > 0);
    const shown = first ?? site.workspace.shownChannels()[0];
    return shown === undefined
      ? c.html(page(site, null, '<p class="empty">No channel.</p>'))
      : c.redirect(`/archives/${shown.id}`);
  });

  // A permalink opens the channel page; only the URL's fragment could point to the message.
  pages.get('/archives/:channel/:message?', (c) => {
    const channel = site.workspace.shownChannels().find(({ id }) => id === c.req.param('channel'));
    return channel === undefined ? c.notFound() : c.html(page(site, channel, conversation(site, channel)));
  });

  // What api.slack.com makes of a link with a manifest, up to the tokens of the installed app.
  pages.get('/apps', (c) => {
    const read = manifestSchema.safeParse(parseJson(c.req.query('manifest_json') ?? ''));
    if (c.req.query('new_app') !== '1' || !read.success)
      return c.html(page(site, null, '<h1 class="title">Invalid manifest</h1>'), 400);
    const { display_information: shown, settings, oauth_config: oauth } = read.data;
    const missing = site.botScopes.filter((scope) => !oauth.scopes.bot.includes(scope));
    const socket = settings.socket_mode_enabled ? 'on' : 'off';
    const main = `<h1 class="title">${escapeHtml(shown.name)}</h1><p>Socket Mode ${socket}</p>
<p>Bot User OAuth Token <code>${escapeHtml(site.botToken)}</code></p>
<p>App-level token <code>${escapeHtml(site.appToken)}</code></p>
<p>Missing scopes: ${missing.length === 0 ? 'none' : escapeHtml(missing.join(', '))}</p>`;
    return c.html(page(site, null, main));
  });

  pages.notFound((c) => c.html(page(site, null, '<h1 class="title">Not found</h1>'), 404));
  return pages;
}

function conversation(site: Site, channel: Channel): string {
  const all = site.journal.inChannel(channel.id);
  const top = all.filter((message) => isTopLevel(message));
  const boxes = top.map((message) => {
    const replies = all.filter(({ threadTs, ts }) => threadTs === message.ts && ts !== message.ts);
    const session = site.sessions.get(sessionKey(channel.id, message.ts));
    const shown = { processing: 'is working… [Stop]', suspended: 'waits for you', active: '', closed: '' };
    const status = shown[session?.status ?? 'active'];
    const line =
      status === '' ? '' : `<p class="context">${escapeHtml(site.workspace.bot.name)} ${status}</p>`;
    const thread = replies.map((reply) => messageBox(site, reply)).join('') + line;
    return messageBox(site, message) + (thread === '' ? '' : `<div class="thread">${thread}</div>`);
  });
  const ephemerals = site.workspace
    .allPeople()
    .flatMap((person) => site.journal.ephemerals(person.id))
    .filter(({ channelId }) => channelId === channel.id)
    .map((shown) => ephemeralBox(site, shown));
  const name = channel.kind === 'direct' ? channel.name : `#${channel.name}`;
  const head = `<h1 class="title">${escapeHtml(name)}${channel.archived ? ' <span class="tag">archived</span>' : ''}</h1>`;
  const body = boxes.length === 0 ? '<p class="empty">No messages yet.</p>' : boxes.join('');
  const notes =
    ephemerals.length === 0
      ? ''
      : `<h2 class="section">Visible to one person only</h2>${ephemerals.join('')}`;
  return head + body + notes;
}
