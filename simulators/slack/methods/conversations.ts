/** `conversations.*` as Slack answers them, on top of emulate. The corrections are listed in `web-api.ts`. */
import { listOf, textOf, type Json } from '../json-values.ts';
import type { Site } from '../site.ts';
import { flag, number, pass, refuse, text, type Call, type Method, type Result } from './call.ts';

const pageSize = 100;
const maxPageSize = 999;

/** Scopes are emulate's to check, so it is asked first; then what Slack refuses and emulate does not. */
const replies: Method = async (call) => {
  const answer = await read(call, { channel: text(call, 'channel'), ts: rootOf(call) });
  if (!answer.ok) return answer;
  const all = documents(call, answer);
  if (all.length === 0) return refuse('thread_not_found');
  const [root, ...rest] = all;
  // The root is on every page, whatever the bounds say.
  const shown = page(call, within(call, rest), { limit: number(call, 'limit', 1000) });
  return { ...shown, messages: [root, ...shown.messages] };
};

const history: Method = async (call) => {
  const answer = await read(call, { channel: text(call, 'channel'), limit: 1000 });
  if (!answer.ok) return answer;
  const broadcasts = call.site.journal
    .inChannel(text(call, 'channel'))
    .filter(({ document, ts, threadTs }) => document['subtype'] === 'thread_broadcast' && threadTs !== ts)
    .map(({ document }) => document);
  const all = [...documents(call, answer), ...broadcasts].toSorted(newestFirst);
  return page(call, within(call, all), { limit: Math.min(number(call, 'limit', pageSize), maxPageSize) });
};

async function read(call: Call, args: Json): Promise<Result> {
  const channel = call.site.workspace.findChannel(text(call, 'channel'));
  const answer = await pass(call, args);
  // A bot's token reads the channels that the bot is in, public ones among them.
  if (answer.ok && (channel === null || !channel.members.has(call.site.workspace.bot.id)))
    return refuse(channel === null ? 'channel_not_found' : 'not_in_channel');
  return answer;
}

/** A reply's `ts` leads to its thread. */
function rootOf(call: Call): string {
  const ts = text(call, 'ts');
  return call.site.journal.find(text(call, 'channel'), ts)?.threadTs ?? ts;
}

/** emulate's messages with what it does not keep. */
function documents(call: Call, answer: Result): readonly Json[] {
  const metadata = flag(call, 'include_all_metadata');
  return listOf(answer['messages']).map((message) => {
    const document = whole(call.site, text(call, 'channel'), message);
    if (metadata) return document;
    const { metadata: _left, ...rest } = document;
    return rest;
  });
}

function whole(site: Site, channelId: string, message: Json): Json {
  const stored = site.journal.find(channelId, textOf(message['ts']));
  const replyCount = message['reply_count'];
  return {
    ...message,
    ...stored?.extra,
    team: site.workspace.teamId,
    ...(typeof replyCount === 'number' && replyCount > 0 ? { thread_ts: message['ts'] } : {}),
    // emulate marks every update; see `chat.update`.
    ...(stored?.document['edited'] === undefined ? { edited: undefined } : {}),
  };
}

function within(call: Call, messages: readonly Json[]): readonly Json[] {
  const oldest = text(call, 'oldest') || '0';
  const latest = text(call, 'latest') || '9999999999.999999';
  const inclusive = flag(call, 'inclusive');
  return messages.filter(({ ts }) => {
    const at = textOf(ts);
    if (inclusive && (at === oldest || at === latest)) return true;
    return later(at, oldest) && later(latest, at);
  });
}

/** Compared as decimals: the part after the point does not always have the same length. */
function later(a: string, b: string): boolean {
  const [aSeconds = '0', aRest = '0'] = a.split('.');
  const [bSeconds = '0', bRest = '0'] = b.split('.');
  if (aSeconds !== bSeconds) return Number(aSeconds) > Number(bSeconds);
  return Number(aRest.padEnd(6, '0')) > Number(bRest.padEnd(6, '0'));
}

function newestFirst(a: Json, b: Json): number {
  return later(textOf(a['ts']), textOf(b['ts'])) ? -1 : 1;
}

function page(
  call: Call,
  messages: readonly Json[],
  { limit }: { readonly limit: number },
): Result & { readonly messages: readonly Json[] } {
  const start = Number(Buffer.from(text(call, 'cursor'), 'base64').toString() || 0);
  const shown = messages.slice(start, start + limit);
  const more = start + limit < messages.length;
  return {
    ok: true,
    messages: shown,
    has_more: more,
    ...(more
      ? { response_metadata: { next_cursor: Buffer.from(String(start + limit)).toString('base64') } }
      : {}),
  };
}

const info: Method = async (call) => {
  const channel = call.site.workspace.findChannel(text(call, 'channel'));
  const answer = await pass(call);
  return answer.ok && channel === null ? refuse('channel_not_found') : answer;
};

const open: Method = async (call) => {
  const [user = ''] = text(call, 'users').split(',');
  const answer = await pass(call);
  if (!answer.ok) return answer;
  return call.site.workspace.findPerson(user)?.kind === 'deactivated' ? refuse('user_disabled') : answer;
};

export const conversationMethods: Readonly<Record<string, Method>> = {
  'conversations.replies': replies,
  'conversations.history': history,
  'conversations.info': info,
  'conversations.open': open,
};
