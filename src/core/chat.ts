/** A chat conversation as a task sees it. Pure data; `slack/` talks to Slack. All text is untrusted. */
import type { RepositoryRef, TaskPhase } from './task.ts';
import type { AttachmentRef } from './attachment.ts';

export interface ChatPerson {
  readonly userId: string;
  readonly teamId: string;
  /** The display name, else the real name. At most 80 characters, on one line. */
  readonly name: string;
  /** `guest`: of single or multiple channels. `stranger`: of another workspace (Slack Connect). */
  readonly kind: 'member' | 'guest' | 'stranger' | 'bot' | 'deactivated';
  /** The user groups that the person is in, of those that were looked up. */
  readonly groups: readonly string[];
}

/** The thread that a task was asked in, as it was then: only people's messages, oldest first. */
export interface ThreadContext {
  readonly messages: readonly {
    /** The person's name, not an id. */
    readonly author: string;
    /** ISO 8601. */
    readonly createdAt: string;
    /** Users and channels by name, links and code kept, hidden text removed. */
    readonly text: string;
    /** Names of attached files. */
    readonly files: readonly string[];
  }[];
  /** Those of bots and apps, written or edited after the trigger, or beyond the limit; not our own. */
  readonly messagesLeftOut: number;
  /** Names of the people that the request mentions, by id, and of its files. */
  readonly asking?: {
    readonly names: Readonly<Record<string, string>>;
    readonly files: readonly string[];
  };
  /** What is attached to the request and these messages, the request's first. Missing: nothing. */
  readonly attachments?: readonly AttachmentRef[];
  /** The bot may not read the thread, so nothing of it is here. */
  readonly unreadable?: true;
}

/** Where a task's post is: usually where it was asked, else a direct message. */
export interface ChatMessageRef {
  readonly channelId: string;
  readonly ts: string;
  /** What the thread's own status shows; missing until it was set. */
  readonly agent?: AgentStatus;
}

/** The status of a thread as Slack shows it. `none`: the app has none there. `unknown`: a call failed. */
export interface AgentStatus {
  readonly status: 'processing' | 'suspended' | 'active' | 'none' | 'unknown';
  /** The task's phase at that time. */
  readonly phase: TaskPhase;
  /** Ms since the epoch. */
  readonly at: number;
}

/** How a request names its repository: in words, in the form's field, or as the task to retry. */
export type NamedBy = 'named' | 'form' | 'again';

/** Why a task is about its repository, in the order of precedence. */
export type RoutedBy = NamedBy | 'thread' | 'channel' | 'only' | 'chosen';

export interface Routing {
  readonly repository: RepositoryRef;
  readonly by: RoutedBy;
}

/** A task's position in the order of requests. Of two at the same instant the id decides. */
export interface AskedAt {
  readonly taskId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A task in the lists of a channel and of a person. */
export interface IndexedTask extends AskedAt {
  readonly shortId: string;
  readonly userId: string;
  readonly channelId: string;
  /** The root of the task's thread; null until its post exists. */
  readonly threadTs: string | null;
  /** The message that asked; null for a command or form. */
  readonly messageTs: string | null;
  /** The task's post; null until it exists. */
  readonly postedTs: string | null;
}
