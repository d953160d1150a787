/**
 * The conversation that a task was asked in, as it stood when the trigger was written.
 * All text is untrusted; hidden text (HTML comments, invisible characters) is already removed.
 */
export interface IssueContext {
  readonly number: number;
  readonly title: string;
  readonly author: string;
  /** Empty when the author has no write access: then the text is left out, see `bodyLeftOut`. */
  readonly body: string;
  readonly bodyLeftOut: boolean;
  readonly labels: readonly string[];
  readonly comments: readonly {
    readonly author: string;
    /** ISO 8601. */
    readonly createdAt: string;
    readonly text: string;
  }[];
  /** Comments by people without write access, by bots, edited after the trigger, or beyond the size cap. */
  readonly commentsLeftOut: number;
}
