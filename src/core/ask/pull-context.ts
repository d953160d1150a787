/**
 * What a pull request adds to the conversation that a task was asked in, as it was at the trigger. Untrusted.
 * Commits and diff are those that the task was authorized for, by any author. Of reviews and
 * line comments only those of people with write access are part of it.
 */

export interface ChangedFile {
  readonly path: string;
  /** GitHub's word: `added`, `modified`, `removed`, `renamed`, … */
  readonly status: string;
  readonly additions: number;
  readonly deletions: number;
  /** Hunks of a unified diff; null if there is none or no room for it. */
  readonly patch: string | null;
}

export interface LineComment {
  readonly id: number;
  /** Part of what the requester asks for. The answer has a reply to each of these. */
  readonly asks: boolean;
  readonly author: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** null: it is the instruction itself. */
  readonly text: string | null;
}

/** The comments on one place of the diff. */
export interface LineThread {
  /** The id of its first comment, to which GitHub adds replies. */
  readonly id: number;
  readonly path: string;
  /** null if the comment is on the whole file. */
  readonly line: number | null;
  readonly startLine: number | null;
  /** LEFT: the base's version of the file. */
  readonly side: 'LEFT' | 'RIGHT' | null;
  /** The line numbers are those of an earlier commit: the diff has changed since. */
  readonly outdated: boolean;
  /** The end of the hunk, where the line is. */
  readonly hunk: string;
  /** Oldest first. */
  readonly comments: readonly LineComment[];
}

export interface PullContext {
  readonly baseBranch: string;
  readonly headRef: string;
  readonly fork: boolean;
  /** Null if GitHub could not compare the head with its base. */
  readonly changes: {
    /** Oldest first. */
    readonly commits: readonly { readonly sha: string; readonly author: string; readonly subject: string }[];
    readonly commitsLeftOut: number;
    readonly files: readonly ChangedFile[];
    readonly filesLeftOut: number;
    /** GitHub does not list all files of a change this large. */
    readonly mayHaveMoreFiles: boolean;
  } | null;
  /** Words of submitted reviews, oldest first. */
  readonly reviews: readonly {
    readonly author: string;
    readonly createdAt: string;
    readonly text: string;
  }[];
  /** Threads with something to do come first. */
  readonly threads: readonly LineThread[];
  /** Reviews and line comments that are not part of it, for the reasons of `commentsLeftOut`. */
  readonly leftOut: number;
}

/** The line comments that the answer replies to, each with the thread that takes the reply. */
export function askingLines({ threads }: Pick<PullContext, 'threads'>): { id: number; thread: number }[] {
  return threads.flatMap(({ id: thread, comments }) =>
    comments.filter(({ asks }) => asks).map(({ id }) => ({ id, thread })),
  );
}
