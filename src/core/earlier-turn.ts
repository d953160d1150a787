/** The earlier turn of a conversation, as a task knows it. */
import type { Resumed } from './progress.ts';

/**
 * Why the thread of an earlier turn is not resumed. `other-readers`: it holds what not everybody here may
 * read. `fork`: code of an outsider ran in its sandbox, and could write the thread. Further reasons are found
 * in the sandbox, see `Resumed`.
 */
export type NotResumed = 'other-readers' | 'fork' | 'not-kept' | 'too-large' | 'broken';

export interface EarlierTurn {
  readonly taskId: string;
  readonly shortId: string;
  /** Slack channels whose words are in its thread. */
  readonly heard: readonly string[];
  /** null: its thread is resumed. */
  readonly why: NotResumed | null;
}

/** What it was about. Untrusted. */
export interface EarlierWork {
  readonly instruction: string;
  /** The title of its pull request; empty when it opened none. */
  readonly title: string;
  /** What Codex answered; empty if that is not known. */
  readonly summary: string;
  /** Where the work is: on this task's branch, in another pull request, or nowhere. */
  readonly work: 'checkout' | 'elsewhere' | 'nowhere';
}

/** As people see it. */
export interface EarlierTurnView {
  readonly shortId: string;
  /** Whether Codex resumed its thread. */
  readonly resumed: boolean;
  /** Why not; null if it did, or has not begun. */
  readonly why: NotResumed | Exclude<Resumed, 'yes'> | null;
}

/** Why the thread of an earlier turn was not resumed. */
export const whyNotResumed: Readonly<Record<NonNullable<EarlierTurnView['why']>, string>> = {
  'other-readers': 'the earlier one holds what not everybody here may read',
  fork: 'the earlier one worked on the code of a fork',
  'not-kept': 'the earlier one was not kept',
  'too-large': 'the earlier one is too long',
  broken: 'what was kept of the earlier one is broken',
  'other-version': 'another version of Codex wrote the earlier one',
  unreadable: 'Codex could not read the earlier one',
  refused: 'the model service did not take the earlier one',
};

/** For a footer. '' for a task without an earlier turn, and before Codex has begun. */
export function earlierTurnText(
  turn: EarlierTurnView | null,
  code: (untrusted: string, maxChars: number) => string,
): string {
  if (turn === null) return '';
  const task = code(turn.shortId, 40);
  if (turn.resumed) return `continues ${task}`;
  return turn.why === null ? '' : `follows ${task} in a new thread: ${whyNotResumed[turn.why]}`;
}
