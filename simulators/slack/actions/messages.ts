/** What people do with messages: say, edit, delete, react, press a button, use a shortcut, type a command. */
import { randomUUID } from 'node:crypto';
import { buttonsOf, plainText, type PlacedElement } from '../blocks.ts';
import type { SlackSimulator } from '../contract.ts';
import type { Answer, Interaction, Said } from '../contract-views.ts';
import { must } from '../emulator.ts';
import { sendMessageChanged, sendMessageDeleted, sendPersonMessage, sendReaction } from '../events.ts';
import type { StoredMessage } from '../journal.ts';
import { jsonOf, listOf, textOf, type Json } from '../json-values.ts';
import { asJson } from '../payloads/envelope.ts';
import {
  buttonPressed,
  messageAction,
  slashCommand,
  type EphemeralPlace,
  type Place,
} from '../payloads/interactions.ts';
import { richText } from '../payloads/rich-text.ts';
import type { Site } from '../site.ts';
import type { Channel, Person } from '../workspace.ts';
import { interact } from './interaction.ts';

type Input<Action extends keyof SlackSimulator> = SlackSimulator[Action] extends (
  input: infer Given,
) => unknown
  ? Given
  : never;

export async function typeCommand(site: Site, input: Input<'slashCommand'>): Promise<Interaction> {
  const { person, channel } = actor(site, input);
  // Slack offers an app's commands to people of its own workspace alone.
  if (person.kind === 'bot' || person.kind === 'stranger')
    throw new Error(`${person.name} is a ${person.kind}: Slack offers them no commands`);
  if (!site.botScopes.includes('commands'))
    throw new Error('an app without the scope commands has no commands');
  const command = input.command ?? '/codex';
  return await interact(site, { person, channel, threadTs: null, messageTs: null }, 'command', (ids) => ({
    what: command,
    payload: asJson(slashCommand(site, { person, channel, command, text: input.text.trim() }, ids)),
  }));
}

export async function say(site: Site, input: Input<'say'>): Promise<Said> {
  const { person, channel } = actor(site, input);
  const { threadTs, files = [] } = input;
  const root = threadTs === undefined ? null : site.journal.find(channel.id, threadTs);
  if (threadTs !== undefined && root === null)
    throw new Error(`there is no message ${threadTs} in #${channel.name}`);
  const answer = await must(
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
  const ts = textOf(answer['ts']);
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
        : { files: files.map((name, at) => fileDocument(person, `${ts}${at}`, name)), upload: false }),
    },
  });
  return said(message, await sendPersonMessage(site, message, person));
}

function subtypeOf(input: Input<'say'>, person: Person): Json {
  if (person.kind === 'bot') return { subtype: 'bot_message' };
  if (input.broadcast === true) return { subtype: 'thread_broadcast' };
  return (input.files ?? []).length > 0 ? { subtype: 'file_share' } : {};
}

/** https://docs.slack.dev/reference/objects/file-object, what an app may go by. */
function fileDocument(person: Person, unique: string, name: string): Json {
  const id = `F${unique.replaceAll(/\D/g, '').slice(-9)}`;
  return {
    id,
    name,
    title: name,
    mimetype: 'application/octet-stream',
    user: person.id,
    mode: 'hosted',
    size: 1024,
  };
}

export async function edit(site: Site, input: Input<'edit'>): Promise<Said> {
  const { person, message } = onMessage(site, input);
  const before = message.document;
  const answer = await must(
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
  return said(message, changed === null ? [] : await sendMessageChanged(site, changed, before));
}

export async function remove(site: Site, input: Input<'delete'>): Promise<Said> {
  const { person, message } = onMessage(site, input);
  await must(site.emulated.call('chat.delete', { channel: message.channelId, ts: message.ts }, person));
  site.journal.remove(message.channelId, message.ts);
  return said(message, await sendMessageDeleted(site, message));
}

export async function react(site: Site, input: Input<'react'>, added: boolean): Promise<Said> {
  const { person, message } = onMessage(site, input);
  const args = { channel: message.channelId, timestamp: message.ts, name: input.name };
  await must(site.emulated.call(added ? 'reactions.add' : 'reactions.remove', args, person));
  site.journal.react(message, input.name, person.id, added);
  return said(message, await sendReaction(site, message, person, { name: input.name, added }));
}

export async function click(site: Site, input: Input<'click'>): Promise<Interaction> {
  const { person, channel, at, place } = shownTo(site, input);
  const button = buttonOf(at.blocks, input.button);
  const press = (): Promise<Interaction> =>
    interact(site, { person, channel, threadTs: at.threadTs, messageTs: at.ts }, 'interaction', (ids) => ({
      what: 'block_actions',
      payload: asJson(buttonPressed(site, person, place, button, ids)),
    }));
  const [first] = await Promise.all([press(), ...Array.from({ length: (input.times ?? 1) - 1 }, press)]);
  return first;
}

/** A message of the channel, or one that was shown to this person alone. */
function shownTo(site: Site, input: Input<'click'>) {
  const { person, channel } = actor(site, input);
  const ephemeral = site.journal
    .ephemerals(person.id)
    .find(({ channelId, ts }) => channelId === channel.id && ts === input.ts);
  if (ephemeral !== undefined) {
    const { ts, threadTs, blocks } = ephemeral;
    const place: EphemeralPlace = { channel, ephemeral };
    return { person, channel, place, at: { ts, threadTs, blocks: listOf(blocks) } };
  }
  const { message } = onMessage(site, input);
  const { ts, threadTs, document } = message;
  const place: Place = { channel, message };
  return { person, channel, place, at: { ts, threadTs, blocks: listOf(document['blocks']) } };
}

/** By `action_id` or text, as the message stands now. */
function buttonOf(blocks: readonly Json[], wanted: string): PlacedElement {
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

export async function useShortcut(site: Site, input: Input<'messageShortcut'>): Promise<Interaction> {
  const { person, channel, message } = onMessage(site, input);
  return await interact(
    site,
    { person, channel, threadTs: message.threadTs, messageTs: message.ts },
    'interaction',
    (ids) => ({
      what: 'message_action',
      payload: asJson(messageAction(site, person, { channel, message }, input.callbackId, ids)),
    }),
  );
}

function actor(
  site: Site,
  { user, channel: where }: { readonly user: string; readonly channel: string },
): { readonly person: Person; readonly channel: Channel } {
  const person = site.workspace.person(user);
  const channel = site.workspace.channel(where);
  if (!channel.members.has(person.id)) throw new Error(`${person.name} is not in #${channel.name}`);
  return { person, channel };
}

export function onMessage(
  site: Site,
  input: { readonly user: string; readonly channel: string; readonly ts: string },
): { readonly person: Person; readonly channel: Channel; readonly message: StoredMessage } {
  const { person, channel } = actor(site, input);
  const message = site.journal.find(channel.id, input.ts);
  if (message === null || message.deleted)
    throw new Error(`there is no message ${input.ts} in #${channel.name}`);
  return { person, channel, message };
}

function said(message: StoredMessage, answers: readonly Answer[]): Said {
  return { channelId: message.channelId, ts: message.ts, threadTs: message.threadTs ?? message.ts, answers };
}
