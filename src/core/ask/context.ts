/**
 * The conversation that a task was asked in, as it stood when the trigger was written.
 * All text is untrusted; hidden text (HTML comments, invisible characters) is already removed.
 *
 * The issue itself is always part of it, also when a stranger wrote it: who asks the bot to work on an issue wants
 * that issue worked on. Comments are different: anybody can add one to somebody else's issue, so only those of people
 * with write access are handed on.
 */
export interface IssueContext {
  readonly number: number;
  /** Empty when `bodyLeftOut`. */
  readonly title: string;
  /** Login, or `ghost` for a deleted account. */
  readonly author: string;
  /** False: title and body are a stranger's words, and the prompt says so. */
  readonly authorCanWrite: boolean;
  /** Empty when `bodyLeftOut`. Cut at the size cap. */
  readonly body: string;
  /** True when title and body may have been edited after the trigger and the text of that time is not known. */
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
   * Comments by people without write access, by bots, edited after the trigger, or beyond the size cap.
   * Not counted: our own progress comments, the trigger, and what came after it.
   */
  readonly commentsLeftOut: number;
}
