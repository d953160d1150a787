/** Builds the events that the app receives: those of its conversations and scopes. */
import type {
  AgentSessionStoppedEvent,
  AppMentionEvent,
  FileShareMessageEvent,
  GenericMessageEvent,
  MessageChangedEvent,
  MessageDeletedEvent,
  ReactionAddedEvent,
  ReactionRemovedEvent,
  SlackEvent,
} from '@slack/types';
import type { Answer } from './contract-views.ts';
import type { StoredMessage } from './journal.ts';
import { textOf, type Json } from './json-values.ts';
import { eventEnvelope, timestamp } from './payloads/envelope.ts';
import type { Site } from './site.ts';
import type { Channel, Person } from './workspace.ts';

const historyScopes = {
  public: 'channels:history',
  private: 'groups:history',
  direct: 'im:history',
} as const;
const channelTypes = { public: 'channel', private: 'group', direct: 'im' } as const;

/** Slack sends no `app_mention` in a direct message. */
export async function sendPersonMessage(
  site: Site,
  message: StoredMessage,
  person: Person,
): Promise<readonly Answer[]> {
  const channel = site.workspace.channel(message.channelId);
  const payloads: SlackEvent[] = [];
  if (isSubscribed(site, channel, historyScopes[channel.kind]))
    payloads.push(messageEvent(message, channel, person));
  const mentioned = textOf(message.document['text']).includes(site.workspace.bot.mention);
  if (mentioned && channel.kind !== 'direct' && isSubscribed(site, channel, 'app_mentions:read'))
    payloads.push(mentionEvent(message, person));
  return await Promise.all(payloads.map((event) => send(site, event, person)));
}

/** Slack delivers an app's own messages to it as well; the app has to ignore them. */
export function sendBotMessageInBackground(site: Site, message: StoredMessage): void {
  const channel = site.workspace.findChannel(message.channelId);
  if (channel === null || !isSubscribed(site, channel, historyScopes[channel.kind])) return;
  sendInBackground(site, messageEvent(message, channel, site.workspace.bot));
}

export async function sendMessageChanged(
  site: Site,
  message: StoredMessage,
  before: Json,
): Promise<readonly Answer[]> {
  const event = changedEvent(site, message, before);
  return event === null ? [] : [await send(site, event, null)];
}

/** Delivers an edit that the app made itself, without waiting for the answer. */
export function sendMessageChangedInBackground(site: Site, message: StoredMessage, before: Json): void {
  const event = changedEvent(site, message, before);
  if (event !== null) sendInBackground(site, event);
}

/** https://docs.slack.dev/reference/events/message/message_changed */
function changedEvent(site: Site, message: StoredMessage, before: Json): MessageChangedEvent | null {
  const channel = site.workspace.channel(message.channelId);
  if (!isSubscribed(site, channel, historyScopes[channel.kind])) return null;
  const at = timestamp();
  return {
    type: 'message',
    subtype: 'message_changed',
    event_ts: at,
    hidden: true,
    channel: channel.id,
    channel_type: channelTypes[channel.kind],
    ts: at,
    message: innerMessage(message, message.document, channel),
    previous_message: innerMessage(message, before, channel),
  };
}

export async function sendMessageDeleted(site: Site, message: StoredMessage): Promise<readonly Answer[]> {
  const event = deletedEvent(site, message);
  return event === null ? [] : [await send(site, event, null)];
}

export function sendMessageDeletedInBackground(site: Site, message: StoredMessage): void {
  const event = deletedEvent(site, message);
  if (event !== null) sendInBackground(site, event);
}

/** https://docs.slack.dev/reference/events/message/message_deleted */
function deletedEvent(site: Site, message: StoredMessage): MessageDeletedEvent | null {
  const channel = site.workspace.channel(message.channelId);
  if (!isSubscribed(site, channel, historyScopes[channel.kind])) return null;
  const at = timestamp();
  return {
    type: 'message',
    subtype: 'message_deleted',
    event_ts: at,
    hidden: true,
    channel: channel.id,
    channel_type: channelTypes[channel.kind],
    ts: at,
    deleted_ts: message.ts,
    previous_message: innerMessage(message, message.document, channel),
  };
}

/** https://docs.slack.dev/reference/events/reaction_added and …/reaction_removed */
export async function sendReaction(
  site: Site,
  message: StoredMessage,
  person: Person,
  reaction: { readonly name: string; readonly added: boolean },
): Promise<readonly Answer[]> {
  const channel = site.workspace.channel(message.channelId);
  if (!isSubscribed(site, channel, 'reactions:read')) return [];
  const event: ReactionAddedEvent | ReactionRemovedEvent = {
    type: reaction.added ? 'reaction_added' : 'reaction_removed',
    user: person.id,
    reaction: reaction.name,
    item_user: message.userId,
    item: { type: 'message', channel: channel.id, ts: message.ts },
    event_ts: timestamp(),
  };
  return [await send(site, event, person)];
}

/** https://docs.slack.dev/reference/events/agent_session_stopped. The status stays until the app changes it. */
export async function sendSessionStopped(
  site: Site,
  person: Person,
  { channelId, threadTs }: { readonly channelId: string; readonly threadTs: string },
): Promise<Answer> {
  const event: AgentSessionStoppedEvent = {
    type: 'agent_session_stopped',
    channel: channelId,
    user: person.id,
    thread_ts: threadTs,
    streaming_message_ts: [],
    event_ts: timestamp(),
  };
  return await send(site, event, person);
}

function isSubscribed(site: Site, channel: Channel, scope: string): boolean {
  return channel.members.has(site.workspace.bot.id) && site.botScopes.includes(scope);
}

async function send(site: Site, event: SlackEvent, person: Person | null): Promise<Answer> {
  return await site.deliveries.send(outgoing(site, event, person));
}

function sendInBackground(site: Site, event: SlackEvent): void {
  site.deliveries.sendInBackground(outgoing(site, event, null));
}

function outgoing(site: Site, event: SlackEvent, person: Person | null) {
  const shared = person?.kind === 'stranger';
  return { kind: 'event', name: event.type, payload: { ...eventEnvelope(site, event, shared) } } as const;
}

/** https://docs.slack.dev/reference/events/message, …/message.file_share and …/message.thread_broadcast */
function messageEvent(message: StoredMessage, channel: Channel, person: Person): SlackEvent {
  const { document } = message;
  const event: GenericMessageEvent = {
    ...innerMessage(message, document, channel),
    ...teamsOf(person),
    event_ts: message.ts,
  };
  if (document['subtype'] !== 'file_share') return event;
  const shared: FileShareMessageEvent = { ...event, subtype: 'file_share', text: textOf(document['text']) };
  return shared;
}

function innerMessage(message: StoredMessage, document: Json, channel: Channel): GenericMessageEvent {
  return {
    subtype: undefined,
    event_ts: message.ts,
    ...document,
    type: 'message',
    channel: channel.id,
    channel_type: channelTypes[channel.kind],
    user: message.userId,
    ts: message.ts,
  };
}

/** https://docs.slack.dev/reference/events/app_mention */
function mentionEvent(message: StoredMessage, person: Person): AppMentionEvent {
  const { document } = message;
  return {
    ...document,
    type: 'app_mention',
    user: person.id,
    text: textOf(document['text']),
    ts: message.ts,
    ...(message.threadTs === null ? {} : { thread_ts: message.threadTs }),
    channel: message.channelId,
    event_ts: message.ts,
    ...teamsOf(person),
  };
}

/** Every event names the foreign workspace of a stranger: https://docs.slack.dev/apis/slack-connect */
function teamsOf(person: Person): Record<string, string> {
  if (person.kind !== 'stranger') return { team: person.teamId };
  return { team: person.teamId, user_team: person.teamId, source_team: person.teamId };
}
