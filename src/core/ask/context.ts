/**
 * The conversation that a task was asked in, as it was when the trigger was written. All text is untrusted,
 * and is what GitHub displays.
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
  /** The app that wrote the issue, in the author's name or its own; null if a person wrote it on GitHub. */
  readonly throughApp: string | null;
  /** Empty when `bodyLeftOut` or `bodyIsInstruction`. Its middle is left out at the size limit. */
  readonly body: string;
  /**
   * True when title and body may have been edited after the trigger and their text at that time is unknown.
   */
  readonly bodyLeftOut: boolean;
  /** True when the issue was the trigger, so that its text is the instruction. */
  readonly bodyIsInstruction: boolean;
  readonly labels: readonly string[];
  /** Oldest first. Never the triggering comment: its text, as delivered, is the instruction. */
  readonly comments: readonly {
    readonly author: string;
    /** As for the issue. */
    readonly throughApp: string | null;
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
