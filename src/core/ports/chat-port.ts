/** Slack, for tasks. Deadlines and idempotence as in `code-host.ts`; the data is in `chat.ts`. */
import type { AttachmentAnswer, AttachmentRef } from '../attachment.ts';
import type { AskedAt, ChatMessageRef, ChatPerson, IndexedTask, ThreadContext } from '../chat.ts';
import type { Places } from '../conversation.ts';
import type { TaskView } from '../task-view.ts';
import type { SlackTrigger } from '../task.ts';
import { reasonOf } from '../reason.ts';
import { UpstreamError } from './upstream-error.ts';

/** Thrown when Slack's rate limit asks to wait. Nothing was done. */
export class ChatRateLimitedError extends UpstreamError {
  override readonly name = 'ChatRateLimitedError';
  /** Milliseconds, from `Retry-After`. */
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    const reason = reasonOf('slack-rate-limited', { time: `${Math.ceil(retryAfterMs / 1000)} s` });
    super({ kind: 'transient', waitMs: retryAfterMs, reason });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Rejects on transient errors; a `ChatRateLimitedError` says how long to wait. */
export interface Chat {
  /** Looks up a person, and which of the given user groups they are in; null if Slack knows no such user. */
  person(userId: string, groupIds: readonly string[]): Promise<ChatPerson | null>;
  /** Reads the trigger's thread; null if it has none. */
  threadContext(trigger: SlackTrigger): Promise<ThreadContext | null>;
  /** Fetches a file, from Slack's own host. Not being able to is an answer. */
  attachment(ref: Extract<AttachmentRef, { source: 'slack' }>): Promise<AttachmentAnswer>;
  /** Adds 👀 or ✅ to the requesting message, if there is one. */
  react(trigger: SlackTrigger, name: 'eyes' | 'white_check_mark'): Promise<void>;
  /** Without a channel, the post goes to the requester directly; null if it ended before its post. */
  saveTaskMessage(
    trigger: SlackTrigger,
    view: TaskView,
    known: ChatMessageRef | null,
  ): Promise<ChatMessageRef | null>;
  /** Link to the requesting message, for private repositories only. Best effort; never throws. */
  permalink(trigger: SlackTrigger): Promise<string | null>;
}

/** Finds tasks by place and person, for `list`, replies and reactions. */
export interface TaskIndex {
  /** Adds or updates a task. */
  put(task: IndexedTask): Promise<void>;
  /** The latest task of a thread; with `before`, the latest one that was asked for before it. */
  inThread(channelId: string, threadTs: string, before?: AskedAt): Promise<IndexedTask | null>;
  /** The task that a message requested, or whose post it is. */
  byMessage(channelId: string, ts: string): Promise<IndexedTask | null>;
  /** Newest first, at most `limit` (up to 50). */
  recent(of: { channelId: string } | { userId: string }, limit: number): Promise<readonly IndexedTask[]>;
}

/** Finds the latest turn of a conversation, see `conversation.ts`. */
export interface Conversations {
  /**
   * Remembers the task at its places, and at those of the turn that it continued. What is not shared is
   * remembered in Slack only. An older task never replaces a newer one.
   */
  putTurn(turn: {
    readonly repositoryId: number;
    readonly taskId: string;
    /** Ms since the epoch. */
    readonly at: number;
    readonly places: Places;
    /** The id of the task that this one continued. */
    readonly continued: string | null;
  }): Promise<void>;
  /** The id of the task that was asked for last at one of these places; null if there is none. */
  latestTurn(repositoryId: number, places: readonly string[]): Promise<string | null>;
}

/** Finds the tasks of an issue or a pull request. */
export interface IssueTasks {
  /** Adds a task that was asked for on GitHub. */
  putOnIssue(task: {
    readonly taskId: string;
    readonly shortId: string;
    readonly repositoryId: number;
    readonly issueNumber: number;
    /** Ms since the epoch. */
    readonly at: number;
  }): Promise<void>;
  /** Removes a task that ended and left nothing that can still be published. */
  removeFromIssue(task: { readonly taskId: string; readonly repositoryId: number }): Promise<void>;
  /** Their ids, newest first, at most 20. */
  onIssue(repositoryId: number, issueNumber: number): Promise<readonly string[]>;
}
