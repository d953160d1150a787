/** User actions on messages: post, edit, delete, react, press a button, use a shortcut, type a command. */
import { randomUUID } from 'node:crypto';
import { buttonsOf, plainText, type InteractiveElement } from '../blocks.ts';
import type { SlackSimulator } from '../contract.ts';
import type { Answer, Interaction, SentMessage } from '../contract-views.ts';
import { requireOk } from '../emulator.ts';
import {
  sendMessageChanged,
  sendMessageDeleted,
  sendPersonMessage,
  sendReaction,
  sendSessionStopped,
} from '../events.ts';
import type { StoredMessage } from '../journal.ts';
import { jsonOf, listOf, textOf, type Json } from '../json-values.ts';
import { sessionKey } from '../methods/sessions.ts';
import { asJson } from '../payloads/envelope.ts';
import {
  buttonPressed,
  messageAction,
  slashCommand,
  type EphemeralLocation,
  type MessageLocation,
} from '../payloads/interactions.ts';
import { richText } from '../payloads/rich-text.ts';
import { shareFile } from '../shared-files.ts';
import type { Site } from '../site.ts';
import type { Channel, Person } from '../workspace.ts';
import { interact } from './interaction.ts';

type Input<Action extends keyof SlackSimulator> = SlackSimulator[Action] extends (
  input: infer Given,
) => unknown
  ? Given
  : never;

export async function typeCommand(site: Site, input: Input<'slashCommand'>): Promise<Interaction> {
  const { person, channel } = locateActor(site, input);
  // Slack offers an app's commands only to users of its own workspace.
  if (person.kind === 'bot' || person.kind === 'stranger')
    throw new Error(`Slack offers no commands to ${person.name}, who is a ${person.kind}`);
  if (!site.botScopes.includes('commands'))
    throw new Error('the app needs the scope "commands" to have commands');
  const command = input.command ?? '/codex';
  return await interact(site, { person, channel, threadTs: null, messageTs: null }, 'command', (ids) => ({
    name: command,
    payload: asJson(slashCommand(site, { person, channel, command, text: input.text.trim() }, ids)),
  }));
}

export async function say(site: Site, input: Input<'say'>): Promise<SentMessage> {
  const { person, channel } = locateActor(site, input);
  const { threadTs, files = [] } = input;
  const root = threadTs === undefined ? null : site.journal.find(channel.id, threadTs);
  if (threadTs !== undefined && root === null)
    throw new Error(`there is no message ${threadTs} in #${channel.name}`);
  const answer = await requireOk(
    site.emulated.call(
      'chat.postMessage',
      {
        channel: channel.id,
        text: input.text,
        client_msg_id: randomUUID(),
        blocks: richText(input.text),
        ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
        ...(person.kind === 'bot' ? { bot_id: `B${person.id.slice(1)}` } : {}),
      },
      person,
    ),
  );
  const message = site.journal.add({
    channelId: channel.id,
    userId: person.id,
    fromBot: person.kind === 'bot',
    document: { ...jsonOf(answer['message']), team: person.teamId },
    extra: {
      ...subtypeOf(input, person),
      ...(root === null ? {} : { parent_user_id: root.userId }),
      ...(files.length === 0
        ? {}
        : { files: files.map((file) => shareFile(site, person, file)), upload: false }),
    },
  });
  return sentMessage(message, await sendPersonMessage(site, message, person));
}

function subtypeOf(input: Input<'say'>, person: Person): Json {
  if (person.kind === 'bot') return { subtype: 'bot_message' };
  if (input.broadcast === true) return { subtype: 'thread_broadcast' };
  return (input.files ?? []).length > 0 ? { subtype: 'file_share' } : {};
}

export async function edit(site: Site, input: Input<'edit'>): Promise<SentMessage> {
  const { person, message } = locateMessage(site, input);
  const before = message.document;
  const answer = await requireOk(
    site.emulated.call(
      'chat.update',
      { channel: message.channelId, ts: message.ts, text: input.text, blocks: richText(input.text) },
      person,
    ),
  );
  const changed = site.journal.change(message.channelId, message.ts, {
    ...before,
    ...jsonOf(answer['message']),
  });
  return sentMessage(message, changed === null ? [] : await sendMessageChanged(site, changed, before));
}

export async function remove(site: Site, input: Input<'delete'>): Promise<SentMessage> {
  const { person, message } = locateMessage(site, input);
  await requireOk(site.emulated.call('chat.delete', { channel: message.channelId, ts: message.ts }, person));
  site.journal.remove(message.channelId, message.ts);
  return sentMessage(message, await sendMessageDeleted(site, message));
}

export async function react(site: Site, input: Input<'react'>, added: boolean): Promise<SentMessage> {
  const { person, message } = locateMessage(site, input);
  const args = { channel: message.channelId, timestamp: message.ts, name: input.name };
  await requireOk(site.emulated.call(added ? 'reactions.add' : 'reactions.remove', args, person));
  site.journal.react(message, input.name, person.id, added);
  return sentMessage(message, await sendReaction(site, message, person, { name: input.name, added }));
}

export async function stopSession(site: Site, input: Input<'stopSession'>): Promise<readonly Answer[]> {
  const { person, channel } = locateActor(site, input);
  if (site.sessions.get(sessionKey(channel.id, input.threadTs))?.status !== 'processing')
    throw new Error(`the thread ${input.threadTs} shows no Stop button`);
  return [await sendSessionStopped(site, person, { channelId: channel.id, threadTs: input.threadTs })];
}

export async function click(site: Site, input: Input<'click'>): Promise<Interaction> {
  const { person, channel, shown, place } = locateVisible(site, input);
  const button = buttonOf(shown.blocks, input.button);
  const press = (): Promise<Interaction> =>
    interact(
      site,
      { person, channel, threadTs: shown.threadTs, messageTs: shown.ts },
      'interaction',
      (ids) => ({
        name: 'block_actions',
        payload: asJson(buttonPressed(site, person, place, button, ids)),
      }),
    );
  const [first] = await Promise.all([press(), ...Array.from({ length: (input.times ?? 1) - 1 }, press)]);
  return first;
}

/** Finds a message of the channel, or an ephemeral message that this user was shown. */
function locateVisible(site: Site, input: Input<'click'>) {
  const { person, channel } = locateActor(site, input);
  const ephemeral = site.journal
    .ephemerals(person.id)
    .find(({ channelId, ts }) => channelId === channel.id && ts === input.ts);
  if (ephemeral !== undefined) {
    const { ts, threadTs, blocks } = ephemeral;
    const place: EphemeralLocation = { channel, ephemeral };
    return { person, channel, place, shown: { ts, threadTs, blocks: listOf(blocks) } };
  }
  const { message } = locateMessage(site, input);
  const { ts, threadTs, document } = message;
  const place: MessageLocation = { channel, message };
  return { person, channel, place, shown: { ts, threadTs, blocks: listOf(document['blocks']) } };
}

/** Finds a button by `action_id` or label in the message's current version. Throws if there is none. */
function buttonOf(blocks: readonly Json[], wanted: string): InteractiveElement {
  const buttons = buttonsOf(blocks);
  const found = buttons.find(
    ({ element }) => textOf(element['action_id']) === wanted || plainText(element['text']) === wanted,
  );
  if (found === undefined) {
    const there = buttons.map(({ element }) => plainText(element['text'])).join(', ') || 'none';
    throw new Error(`the message has no button ${wanted}; it has: ${there}`);
  }
  return found;
}

export async function pressShortcut(site: Site, input: Input<'messageShortcut'>): Promise<Interaction> {
  const { person, channel, message } = locateMessage(site, input);
  return await interact(
    site,
    { person, channel, threadTs: message.threadTs, messageTs: message.ts },
    'interaction',
    (ids) => ({
      name: 'message_action',
      payload: asJson(messageAction(site, person, { channel, message }, input.callbackId, ids)),
    }),
  );
}

function locateActor(
  site: Site,
  { user, channel: where }: { readonly user: string; readonly channel: string },
): { readonly person: Person; readonly channel: Channel } {
  const person = site.workspace.person(user);
  const channel = site.workspace.channel(where);
  if (!channel.members.has(person.id)) throw new Error(`${person.name} is not in #${channel.name}`);
  return { person, channel };
}

export function locateMessage(
  site: Site,
  input: { readonly user: string; readonly channel: string; readonly ts: string },
): { readonly person: Person; readonly channel: Channel; readonly message: StoredMessage } {
  const { person, channel } = locateActor(site, input);
  const message = site.journal.find(channel.id, input.ts);
  if (message === null || message.deleted)
    throw new Error(`there is no message ${input.ts} in #${channel.name}`);
  return { person, channel, message };
}

function sentMessage(message: StoredMessage, answers: readonly Answer[]): SentMessage {
  return { channelId: message.channelId, ts: message.ts, threadTs: message.threadTs ?? message.ts, answers };
}
