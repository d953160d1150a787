/** What Codex is doing: plan, command, changes, messages. Untrusted and cut, not escaped for any surface. */
export interface PlanItem {
  readonly step: string;
  readonly status: 'pending' | 'inProgress' | 'completed';
}

export interface CommandRun {
  /** Codex's own id of the command, at most 100 characters. Later lines about the command carry it. */
  readonly id?: string;
  readonly command: string;
  /** Null while it runs. */
  readonly exitCode: number | null;
  readonly status: 'running' | 'completed' | 'failed';
  /** The end of its output, at most 2,000 characters. */
  readonly outputTail: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number | null;
  /** When Codex reported its end, in milliseconds since the epoch. */
  readonly endedAt?: number;
}

export type TurnEnd =
  | { readonly status: 'completed' }
  | { readonly status: 'interrupted' }
  | { readonly status: 'failed'; readonly message: string };

/**
 * `other-version`: another version of Codex wrote it. `unreadable`: Codex could not read it. `refused`: the
 * model service did not take it.
 */
export type Resumed = 'yes' | 'other-version' | 'unreadable' | 'refused';

export interface Progress {
  readonly threadId: string | null;
  /** Whether Codex resumed the thread that it was given; null if it was given none, or has not begun. */
  readonly resumed: Resumed | null;
  readonly plan: readonly PlanItem[];
  /** In order, the last 100; the current one has `exitCode: null`. */
  readonly commands: readonly CommandRun[];
  readonly commandsTotal: number;
  /** Paths relative to the repository, the last 200 touched by Codex's own edits. */
  readonly changedFiles: readonly string[];
  /** The latest message of Codex before its final answer. */
  readonly message: string | null;
  /** The final answer as text, not validated yet; see `codex/answer.ts`. */
  readonly finalMessage: string | null;
  readonly turn: TurnEnd | null;
  /** The last error that Codex reported, which explains a failed turn. */
  readonly lastError: string | null;
  /** The absolute path of the thread's rollout file inside the sandbox, as the driver reports it. */
  readonly rolloutPath: string | null;
  /** Lines that are not JSON, or not a known event. Counted, never shown. */
  readonly unknownEvents: number;
}

/** An event that deserves a line in a live view. */
export type Notable =
  | { readonly kind: 'plan'; readonly plan: readonly PlanItem[] }
  | { readonly kind: 'thread'; readonly threadId: string; readonly resumed: Resumed | null }
  | { readonly kind: 'command.started'; readonly command: string }
  | {
      readonly kind: 'command.finished';
      readonly command: string;
      readonly exitCode: number;
      readonly outputTail: string;
      readonly durationMs: number | null;
    }
  | { readonly kind: 'files.changed'; readonly paths: readonly string[] }
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string; readonly willRetry: boolean };

/** What Codex says about one line comment. Untrusted: `id` may name a comment that it was not given. */
export interface LineReply {
  readonly id: number;
  readonly text: string;
}

/** Becomes the pull request's title and summary. Still untrusted text. */
export interface Answer {
  readonly title: string;
  readonly summary: string;
  /** False when the answer did not match the schema and was made from the messages. */
  readonly valid: boolean;
  /** The repository's pull request template, filled in; null or missing if Codex was given none. */
  readonly pullRequestText?: string | null;
  /** To the line comments of a review, each one line. */
  readonly replies?: readonly LineReply[];
}
