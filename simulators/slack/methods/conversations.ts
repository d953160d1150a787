/** `conversations.*`: emulate's answers, corrected to match Slack's. `web-api.ts` lists the corrections. */
import { listOf, textOf, type Json } from '../json-values.ts';
import type { Site } from '../site.ts';
import { flag, number, forward, refuse, text, type Call, type Method, type Result } from './call.ts';

const pageSize = 100;
const maxPageSize = 999;

/** Calls emulate first because it checks the scopes, then applies the refusals that emulate lacks. */
const replies: Method = async (call) => {
  const answer = await read(call, { channel: text(call, 'channel'), ts: rootOf(call) });
  if (!answer.ok) return answer;
  const all = completeMessages(call, answer);
  if (all.length === 0) return refuse('thread_not_found');
  const [root, ...rest] = all;
  // Every page includes the root, even if it is outside the bounds.
  const shown = page(call, withinBounds(call, rest), { limit: number(call, 'limit', 1000) });
  return { ...shown, messages: [root, ...shown.messages] };
};

const history: Method = async (call) => {
  const answer = await read(call, { channel: text(call, 'channel'), limit: 1000 });
  if (!answer.ok) return answer;
  const broadcasts = call.site.journal
    .inChannel(text(call, 'channel'))
    .filter(({ document, ts, threadTs }) => document['subtype'] === 'thread_broadcast' && threadTs !== ts)
    .map(({ document }) => document);
  const all = [...completeMessages(call, answer), ...broadcasts].toSorted(newestFirst);
  return page(call, withinBounds(call, all), {
    limit: Math.min(number(call, 'limit', pageSize), maxPageSize),
  });
};

async function read(call: Call, args: Json): Promise<Result> {
  const channel = call.site.workspace.findChannel(text(call, 'channel'));
  const answer = await forward(call, args);
  // A bot token can read only channels that the bot is in, even public ones.
  if (answer.ok && (channel === null || !channel.members.has(call.site.workspace.bot.id)))
    return refuse(channel === null ? 'channel_not_found' : 'not_in_channel');
  return answer;
}

/** The thread's root, also if the call names a reply. */
function rootOf(call: Call): string {
  const ts = text(call, 'ts');
  return call.site.journal.find(text(call, 'channel'), ts)?.threadTs ?? ts;
}

/** Adds the fields that emulate does not store. */
function completeMessages(call: Call, answer: Result): readonly Json[] {
  const metadata = flag(call, 'include_all_metadata');
  return listOf(answer['messages']).map((message) => {
    const document = withStoredFields(call.site, text(call, 'channel'), message);
    if (metadata) return document;
    const { metadata: _left, ...rest } = document;
    return rest;
  });
}

function withStoredFields(site: Site, channelId: string, message: Json): Json {
  const stored = site.journal.find(channelId, textOf(message['ts']));
  const replyCount = message['reply_count'];
  return {
    ...message,
    ...stored?.extra,
    team: site.workspace.teamId,
    ...(typeof replyCount === 'number' && replyCount > 0 ? { thread_ts: message['ts'] } : {}),
    // emulate marks every update as edited; `chat.update` removes the mark where Slack sets none.
    ...(stored?.document['edited'] === undefined ? { edited: undefined } : {}),
  };
}

function withinBounds(call: Call, messages: readonly Json[]): readonly Json[] {
  const oldest = text(call, 'oldest') || '0';
  const latest = text(call, 'latest') || '9999999999.999999';
  const inclusive = flag(call, 'inclusive');
  return messages.filter(({ ts }) => {
    const at = textOf(ts);
    if (inclusive && (at === oldest || at === latest)) return true;
    return isLater(at, oldest) && isLater(latest, at);
  });
}

/** Compares timestamps as decimals, because the fraction does not always have six digits. */
function isLater(a: string, b: string): boolean {
  const [aSeconds = '0', aRest = '0'] = a.split('.');
  const [bSeconds = '0', bRest = '0'] = b.split('.');
  if (aSeconds !== bSeconds) return Number(aSeconds) > Number(bSeconds);
  return Number(aRest.padEnd(6, '0')) > Number(bRest.padEnd(6, '0'));
}

function newestFirst(a: Json, b: Json): number {
  return isLater(textOf(a['ts']), textOf(b['ts'])) ? -1 : 1;
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
  const answer = await forward(call);
  return answer.ok && channel === null ? refuse('channel_not_found') : answer;
};

const open: Method = async (call) => {
  const [user = ''] = text(call, 'users').split(',');
  const answer = await forward(call);
  if (!answer.ok) return answer;
  return call.site.workspace.findPerson(user)?.kind === 'deactivated' ? refuse('user_disabled') : answer;
};

export const conversationMethods: Readonly<Record<string, Method>> = {
  'conversations.replies': replies,
  'conversations.history': history,
  'conversations.info': info,
  'conversations.open': open,
};
