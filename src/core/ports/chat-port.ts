/**
 * Slack as the life of a task needs it. Deadlines and idempotence as in `code-host.ts`; what is said is in `chat.ts`.
 */
import type { AskedAt, ChatMessageRef, ChatPerson, IndexedTask, ThreadContext } from '../chat.ts';
import type { TaskView } from '../task-view.ts';
import type { SlackTrigger } from '../task.ts';

/** Thrown when Slack says to wait. Nothing was done. */
export class ChatRateLimitedError extends Error {
  override readonly name = 'ChatRateLimitedError';
  /** Milliseconds, from `Retry-After`. */
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super(`Slack asks to wait ${retryAfterMs} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Slack, for the life of a task that was asked there. Rejects on what may pass; `ChatRateLimitedError` says how long. */
export interface Chat {
  /** Who this is, and which of the named user groups they are in; null when Slack knows no such user. */
  person(userId: string, groupIds: readonly string[]): Promise<ChatPerson | null>;
  /** null when the trigger has no thread. */
  threadContext(trigger: SlackTrigger): Promise<ThreadContext | null>;
  /** 👀 on the message that asked; does nothing when there is none. */
  react(trigger: SlackTrigger): Promise<void>;
  /**
   * Posts the task's one message, or edits it. When the place takes no message (gone, archived, the bot is not in it) it
   * is posted to the requester directly. What ended before there was a message, refused or answered, is told to the requester alone: null.
   */
  saveTaskMessage(
    trigger: SlackTrigger,
    view: TaskView,
    known: ChatMessageRef | null,
  ): Promise<ChatMessageRef | null>;
  /** Link to the message that asked, for private repositories only; null when there is none. Best effort; never throws. */
  permalink(trigger: SlackTrigger): Promise<string | null>;
}

/** Tasks by where and by whom they were asked: what `list`, thread replies and reactions look up. */
export interface TaskIndex {
  /** Adds it, or replaces what is known of it. */
  put(task: IndexedTask): Promise<void>;
  /** The latest task of a thread; given one, the latest of those asked for before it, so that no two are before each other. */
  inThread(channelId: string, threadTs: string, before?: AskedAt): Promise<IndexedTask | null>;
  /** The task that a message asked for or that a message shows. */
  byMessage(channelId: string, ts: string): Promise<IndexedTask | null>;
  /** Newest first, at most `limit` (up to 50). */
  recent(of: { channelId: string } | { userId: string }, limit: number): Promise<readonly IndexedTask[]>;
}
