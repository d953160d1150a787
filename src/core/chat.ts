/**
 * A conversation in a chat as the life of a task sees it. Pure data; speaking to Slack is `slack/`'s part.
 * All text is untrusted.
 */
import type { RepositoryRef } from './task.ts';

export interface ChatPerson {
  readonly userId: string;
  readonly teamId: string;
  /** What others see: the display name, else the real one. At most 80 characters, on one line. */
  readonly name: string;
  /**
   * `guest`: single- and multi-channel guests. `stranger`: somebody of another workspace (Slack Connect). Whatever
   * cannot be told apart counts as the less trusted.
   */
  readonly kind: 'member' | 'guest' | 'stranger' | 'bot' | 'deactivated';
  /** Of the user groups that were asked about, those that the person is in. */
  readonly groups: readonly string[];
}

/** The thread that a task was asked in, as it stood then: people's messages alone, oldest first. */
export interface ThreadContext {
  readonly messages: readonly {
    /** The person's name, not an id. */
    readonly author: string;
    /** ISO 8601. */
    readonly createdAt: string;
    /** Users and channels by name, links and code kept, hidden text removed. */
    readonly text: string;
    /** Names of files that were attached; what is in them is not read. */
    readonly files: readonly string[];
  }[];
  /** By bots and apps, written or edited after the trigger, or beyond the size cap. Our own are not counted. */
  readonly messagesLeftOut: number;
  /** What the words of the message that asked leave open: names of whom it mentions, by id, and of its files. */
  readonly asking?: {
    readonly names: Readonly<Record<string, string>>;
    readonly files: readonly string[];
  };
  /** The bot may not read the thread: nothing of it is here. */
  readonly unreadable?: true;
}

/** Where a task's one message stands. Not always where it was asked: a channel that is gone is answered in a direct message. */
export interface ChatMessageRef {
  readonly channelId: string;
  readonly ts: string;
}

/** How a request itself says its repository: in words, in the form's field, or as the task that is tried again. */
export type NamedBy = 'named' | 'form' | 'again';

/** Why a task is about the repository that it is about; the order is that in which they are looked at. */
export type RoutedBy = NamedBy | 'thread' | 'channel' | 'only' | 'chosen';

export interface Routing {
  readonly repository: RepositoryRef;
  readonly by: RoutedBy;
}

/** Where a task stands in the order in which tasks were asked for; of two at one instant the id decides. */
export interface AskedAt {
  readonly taskId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A task as the lists of a channel and of a person know it. */
export interface IndexedTask extends AskedAt {
  readonly shortId: string;
  readonly userId: string;
  readonly channelId: string;
  /** Root of the task's thread; null until its message stands. */
  readonly threadTs: string | null;
  /** The message that asked; null for a command or form. */
  readonly messageTs: string | null;
  /** The task's own message; null until it stands. */
  readonly postedTs: string | null;
}
