/** Messages, reactions and ephemeral messages over time: emulate stores only the current state. */
import { buttonsOf, plainText, shownText, typedBlocks } from './blocks.ts';
import type { EphemeralView, MessageVersion, MessageView } from './contract-views.ts';
import { isJson, listOf, textOf, type Json } from './json-values.ts';

export interface StoredMessage {
  readonly channelId: string;
  readonly ts: string;
  readonly threadTs: string | null;
  readonly userId: string;
  readonly fromBot: boolean;
  /** The message object of `conversations.history`, events and interactions. */
  document: Json;
  /** The part of the document that emulate does not store, such as files. */
  readonly extra: Json;
  deleted: boolean;
  readonly versions: MessageVersion[];
  readonly reactions: Map<string, Set<string>>;
}

export class Journal {
  private readonly stored = new Map<string, StoredMessage>();
  private readonly ephemeralViews: EphemeralView[] = [];

  add(message: {
    readonly channelId: string;
    readonly userId: string;
    readonly fromBot: boolean;
    readonly document: Json;
    readonly extra?: Json;
  }): StoredMessage {
    const extra = message.extra ?? {};
    const document = { ...message.document, ...extra };
    const ts = textOf(document['ts']);
    const added: StoredMessage = {
      channelId: message.channelId,
      ts,
      threadTs: textOf(document['thread_ts']) || null,
      userId: message.userId,
      fromBot: message.fromBot,
      document,
      extra,
      deleted: false,
      versions: [version(document)],
      reactions: new Map(),
    };
    this.stored.set(key(message.channelId, ts), added);
    return added;
  }

  change(channelId: string, ts: string, document: Json): StoredMessage | null {
    const message = this.find(channelId, ts);
    if (message === null) return null;
    message.document = { ...document, ...message.extra };
    message.versions.push(version(message.document));
    return message;
  }

  remove(channelId: string, ts: string): void {
    const message = this.find(channelId, ts);
    if (message !== null) message.deleted = true;
  }

  react(
    at: { readonly channelId: string; readonly ts: string },
    name: string,
    userId: string,
    added: boolean,
  ): void {
    const reactions = this.find(at.channelId, at.ts)?.reactions;
    if (reactions === undefined) return;
    const users = reactions.get(name) ?? new Set();
    if (added) users.add(userId);
    else users.delete(userId);
    if (users.size === 0) reactions.delete(name);
    else reactions.set(name, users);
  }

  find(channelId: string, ts: string): StoredMessage | null {
    return this.stored.get(key(channelId, ts)) ?? null;
  }

  /** The messages of a channel, oldest first, without deleted ones. */
  inChannel(channelId: string): readonly StoredMessage[] {
    return [...this.stored.values()]
      .filter((message) => message.channelId === channelId && !message.deleted)
      .toSorted((a, b) => (a.ts < b.ts ? -1 : 1));
  }

  addEphemeral(shown: Omit<EphemeralView, 'shown' | 'blocks'> & { readonly blocks: readonly Json[] }): void {
    this.ephemeralViews.push({
      ...shown,
      blocks: typedBlocks(shown.blocks),
      shown: shownText(shown.text, shown.blocks),
    });
  }

  ephemerals(userId: string): readonly EphemeralView[] {
    return this.ephemeralViews.filter((one) => one.userId === userId);
  }
}

/** Whether the channel shows the message: a root, or a reply that was also sent to the channel. */
export function isTopLevel(message: StoredMessage): boolean {
  return (
    message.threadTs === null ||
    message.threadTs === message.ts ||
    message.document['subtype'] === 'thread_broadcast'
  );
}

export function messageView(message: StoredMessage): MessageView {
  const blocks = listOf(message.document['blocks']);
  const text = textOf(message.document['text']);
  const { channelId, ts, threadTs, userId, fromBot, deleted, versions } = message;
  const metadata = message.document['metadata'];
  return {
    channelId,
    ts,
    threadTs,
    userId,
    fromBot,
    deleted,
    versions: [...versions],
    at: versions.at(-1)?.at ?? 0,
    text,
    blocks: typedBlocks(blocks),
    metadata: isJson(metadata)
      ? { event_type: textOf(metadata['event_type']), event_payload: metadata['event_payload'] }
      : null,
    buttons: buttonsOf(blocks).map(({ element }) => plainText(element['text'])),
    shown: shownText(text, blocks),
  };
}

function version(document: Json): MessageVersion {
  return {
    at: Date.now(),
    text: textOf(document['text']),
    blocks: typedBlocks(document['blocks']),
  };
}

function key(channelId: string, ts: string): string {
  return `${channelId} ${ts}`;
}
