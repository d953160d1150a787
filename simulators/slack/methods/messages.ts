/** `chat.*` and `reactions.*`: emulate's answers, corrected as `web-api.ts` lists. */
import { withIds } from '../blocks.ts';
import { blocksRefusal } from './block-refusal.ts';
import {
  sendBotMessageInBackground,
  sendMessageChangedInBackground,
  sendMessageDeletedInBackground,
} from '../events.ts';
import { isJson, jsonOf, listOf, textOf, type Json } from '../json-values.ts';
import {
  flag,
  argument,
  missingScope,
  forward,
  refuse,
  text,
  type Call,
  type Method,
  type Result,
} from './call.ts';

/** More is `msg_too_long` (docs.slack.dev/reference/methods/chat.update). Posting cuts at 40,000. */
const maxUpdateText = 4_000;

type CheckedContent =
  | { readonly ok: true; readonly fields: Json }
  | { readonly ok: false; readonly refusal: Result };

/** Validates blocks and metadata, and adds missing ids to the blocks. */
function checkContent(call: Call): CheckedContent {
  const fields: Record<string, unknown> = {};
  if (hasArgument(call, 'blocks')) {
    const blocks = argument(call, 'blocks');
    if (!Array.isArray(blocks) || !blocks.every((block) => isJson(block)))
      return { ok: false, refusal: refuse('invalid_blocks_format') };
    const refusal = blocksRefusal(blocks);
    if (refusal !== null) return { ok: false, refusal };
    fields['blocks'] = withIds(listOf(blocks));
  }
  if (hasArgument(call, 'metadata')) {
    const metadata = argument(call, 'metadata');
    if (!isJson(metadata)) return { ok: false, refusal: refuse('invalid_metadata_format') };
    const empty = Object.keys(metadata).length === 0;
    if (!empty && (textOf(metadata['event_type']) === '' || !isJson(metadata['event_payload'])))
      return { ok: false, refusal: refuse('invalid_metadata_schema') };
    fields['metadata'] = metadata;
  }
  return { ok: true, fields };
}

const postMessage: Method = async (call) => {
  const { site } = call;
  const refusal = missingScope(site, 'chat:write') ?? channelRefusal(call);
  if (refusal !== null) return refusal;
  const checked = checkContent(call);
  if (!checked.ok) return checked.refusal;
  const { workspace, journal } = site;
  const threadTs = text(call, 'thread_ts');
  const channelId = text(call, 'channel');
  if (threadTs !== '' && workspace.findChannel(channelId) !== null) {
    const root = journal.find(channelId, threadTs);
    if (root === null || root.deleted) return refuse('thread_not_found');
  }
  const {
    blocks: _blocks,
    metadata: _metadata,
    username: _name,
    icon_emoji: _emoji,
    icon_url: _url,
    ...rest
  } = call.args;
  const answer = await forward(call, {
    ...rest,
    ...checked.fields,
    bot_id: workspace.botId,
    app_id: workspace.appId,
    ...(flag(call, 'reply_broadcast') ? { reply_broadcast: true } : {}),
  });
  if (!answer.ok) return answer;
  const broadcast = flag(call, 'reply_broadcast') && threadTs !== '' ? { subtype: 'thread_broadcast' } : {};
  const message = journal.add({
    channelId: textOf(answer['channel']),
    userId: workspace.bot.id,
    fromBot: true,
    document: { ...jsonOf(answer['message']), team: workspace.teamId },
    extra: broadcast,
  });
  sendBotMessageInBackground(site, message);
  return { ...answer, message: message.document };
};

const update: Method = async (call) => {
  const { site } = call;
  const channelId = text(call, 'channel');
  const refusal = missingScope(site, 'chat:write');
  if (refusal !== null) return refusal;
  const channel = site.workspace.findChannel(channelId);
  // Unlike chat.postMessage, chat.update accepts only channel ids, no names or user ids.
  if (channel === null) return refuse('channel_not_found');
  if (channel.archived) return refuse('is_inactive');
  if (text(call, 'text').length > maxUpdateText) return refuse('msg_too_long');
  const checked = checkContent(call);
  if (!checked.ok) return checked.refusal;
  const before = site.journal.find(channelId, text(call, 'ts'))?.document ?? {};
  const { blocks: _blocks, metadata: _metadata, ...rest } = call.args;
  const answer = await forward(call, { ...rest, ...checked.fields });
  if (!answer.ok) return answer;
  const document: Record<string, unknown> = { ...jsonOf(answer['message']), team: site.workspace.teamId };
  // Slack marks only text updates as edited, not updates of blocks.
  if (hasArgument(call, 'blocks')) delete document['edited'];
  const message = site.journal.change(channelId, text(call, 'ts'), document);
  if (message === null) return answer;
  sendMessageChangedInBackground(site, message, before);
  return { ...answer, message: message.document };
};

const remove: Method = async (call) => {
  const answer = await forward(call);
  if (!answer.ok) return answer;
  const message = call.site.journal.find(text(call, 'channel'), text(call, 'ts'));
  if (message !== null) {
    call.site.journal.remove(message.channelId, message.ts);
    sendMessageDeletedInBackground(call.site, message);
  }
  return answer;
};

const postEphemeral: Method = async (call) => {
  const { site } = call;
  const refusal = missingScope(site, 'chat:write') ?? channelRefusal(call);
  if (refusal !== null) return refusal;
  const checked = checkContent(call);
  if (!checked.ok) return checked.refusal;
  const answer = await forward(call, { ...call.args, ...checked.fields });
  if (!answer.ok) return answer;
  site.journal.addEphemeral({
    channelId: text(call, 'channel'),
    ts: textOf(answer['message_ts']),
    threadTs: text(call, 'thread_ts') || null,
    userId: text(call, 'user'),
    text: text(call, 'text'),
    blocks: listOf(checked.fields['blocks']),
    via: 'chat.postEphemeral',
  });
  return answer;
};

const getPermalink: Method = async (call) => {
  const answer = await forward(call);
  if (!answer.ok) return answer;
  const channelId = text(call, 'channel');
  const message = call.site.journal.find(channelId, text(call, 'message_ts'));
  const inThread = message?.threadTs ?? null;
  const query =
    inThread === null || inThread === message?.ts ? '' : `?thread_ts=${inThread}&cid=${channelId}`;
  const path = `/archives/${channelId}/p${text(call, 'message_ts').replace('.', '')}`;
  return { ...answer, permalink: `${call.site.url}${path}${query}` };
};

const changeReaction: Method = async (call) => {
  const channel = call.site.workspace.findChannel(text(call, 'channel'));
  const scope = missingScope(call.site, 'reactions:write');
  if (scope !== null) return scope;
  if (channel === null) return refuse('channel_not_found');
  if (channel.archived) return refuse('is_archived');
  if (!/^[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?$/.test(text(call, 'name'))) return refuse('invalid_name');
  const answer = await forward(call);
  if (answer.ok) {
    const at = { channelId: channel.id, ts: text(call, 'timestamp') };
    call.site.journal.react(
      at,
      text(call, 'name'),
      call.site.workspace.bot.id,
      call.method === 'reactions.add',
    );
  }
  return answer;
};

/** Not in the channel, unless it is public and the bot has `chat:write.public`. */
function channelRefusal({ site, args }: Call): Result | null {
  const id = textOf(args['channel']);
  if (site.workspace.isDeleted(id)) return refuse('channel_not_found');
  const channel = site.workspace.findChannel(id);
  if (channel === null || channel.members.has(site.workspace.bot.id)) return null;
  if (channel.kind === 'public' && site.botScopes.includes('chat:write.public')) return null;
  return refuse(channel.kind === 'private' ? 'channel_not_found' : 'not_in_channel');
}

function hasArgument(call: Call, name: string): boolean {
  const value = call.args[name];
  return value !== undefined && value !== null && value !== '';
}

export const messageMethods: Readonly<Record<string, Method>> = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.delete': remove,
  'chat.postEphemeral': postEphemeral,
  'chat.getPermalink': getPermalink,
  'reactions.add': changeReaction,
  'reactions.remove': changeReaction,
};
