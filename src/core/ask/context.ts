/**
 * The conversation that a task was asked in, as it was when the trigger was written. All text is untrusted;
 * hidden text (HTML comments, invisible characters) is already removed.
 *
 * The issue itself is always part of it, even when a stranger wrote it: people who ask the bot to work on an
 * issue want that. Anybody can add a comment to somebody else's issue, so only comments of people with write
 * access are included.
 */
export interface IssueContext {
  readonly number: number;
  /** Empty when `bodyLeftOut`. */
  readonly title: string;
  /** Login, or `ghost` for a deleted account. */
  readonly author: string;
  /** False: title and body are a stranger's words, and the prompt says so. */
  readonly authorCanWrite: boolean;
  /** Empty when `bodyLeftOut`. Cut at the size limit. */
  readonly body: string;
  /**
   * True when title and body may have been edited after the trigger and their text at that time is unknown.
   */
  readonly bodyLeftOut: boolean;
  readonly labels: readonly string[];
  /** Oldest first. Never the triggering comment: its text, as delivered, is the instruction. */
  readonly comments: readonly {
    readonly author: string;
    /** ISO 8601. */
    readonly createdAt: string;
    readonly text: string;
  }[];
  /**
   * Comments by people without write access, by bots, edited after the trigger, or beyond the size limit.
   * Does not count our own progress comments, the trigger, and later comments.
   */
  readonly commentsLeftOut: number;
}
