/** Posts to a response URL: docs.slack.dev/interactivity/handling-user-interaction#message_responses */
import type { Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { showEphemeral } from './actions/interaction.ts';
import { withIds } from './blocks.ts';
import {
  sendBotMessageInBackground,
  sendMessageChangedInBackground,
  sendMessageDeletedInBackground,
} from './events.ts';
import { jsonOf, listOf, parseJsonObject, textOf, type Json } from './json-values.ts';
import { blocksRefusal } from './methods/block-refusal.ts';
import type { Site } from './site.ts';
import type { ResponseTarget } from './triggers.ts';
import { runLogged } from './web-api.ts';

export async function serveResponseUrl(
  site: Site,
  c: Context<{ Bindings: HttpBindings }>,
): Promise<Response> {
  const body = parseJsonObject(await c.req.text());
  const { pathname } = new URL(c.req.url);
  return await runLogged(site, c, { method: 'response_url', channel: null }, async () => {
    const taken = site.responseUrls.take(pathname);
    if ('error' in taken) return c.json({ ok: false, error: taken.error }, 404);
    if (body === null) return c.json({ ok: false, error: 'invalid_payload' }, 400);
    const refusal = body['blocks'] === undefined ? null : blocksRefusal(body['blocks']);
    if (refusal !== null) return c.json(refusal, 400);
    const error = await respond(site, taken.target, body);
    return error === null ? c.text('ok') : c.json({ ok: false, error }, 400);
  });
}

/** Performs the post. Returns null, or Slack's error code. */
async function respond(site: Site, target: ResponseTarget, body: Json): Promise<string | null> {
  const text = textOf(body['text']);
  const blocks = withIds(listOf(body['blocks']));
  const original = target.messageTs === null ? null : site.journal.find(target.channelId, target.messageTs);
  if (body['delete_original'] === true && original !== null) {
    const args = { channel: original.channelId, ts: original.ts };
    const answer = await site.emulated.call('chat.delete', args, 'service');
    if (answer['ok'] !== true) return textOf(answer['error']);
    site.journal.remove(original.channelId, original.ts);
    sendMessageDeletedInBackground(site, original);
    return null;
  }
  if (text === '' && blocks.length === 0) return 'no_text';
  const content = { text, ...(blocks.length === 0 ? {} : { blocks }) };
  if (body['replace_original'] === true && original !== null) {
    const before = original.document;
    const args = { channel: original.channelId, ts: original.ts, ...content };
    const answer = await site.emulated.call('chat.update', args, 'service');
    if (answer['ok'] !== true) return textOf(answer['error']);
    const changed = site.journal.change(original.channelId, original.ts, jsonOf(answer['message']));
    if (changed !== null) sendMessageChangedInBackground(site, changed, before);
    return null;
  }
  const threadTs = textOf(body['thread_ts']) || target.threadTs;
  if (body['response_type'] !== 'in_channel') {
    showEphemeral(site, target, { text, blocks, via: 'response_url', at: { threadTs } });
    return null;
  }
  const { workspace, emulated, journal } = site;
  const inThread = threadTs === null ? {} : { thread_ts: threadTs };
  const by = { bot_id: workspace.botId, app_id: workspace.appId };
  const args = { channel: target.channelId, ...content, ...inThread, ...by };
  const answer = await emulated.call('chat.postMessage', args, 'service');
  if (answer['ok'] !== true) return textOf(answer['error']);
  const document = { ...jsonOf(answer['message']), team: workspace.teamId };
  sendBotMessageInBackground(
    site,
    journal.add({ channelId: target.channelId, userId: workspace.bot.id, fromBot: true, document }),
  );
  return null;
}
