/** Decides in which threads of a diff a task answers, and with what. Pure; all texts are untrusted. */
import type { LineReply } from './progress.ts';
import type { TaskOutcome, TaskRequest } from './task.ts';

/** A line comment that the task was asked to deal with. */
export interface AskedLine {
  readonly id: number;
  /** The first comment of its thread, to which GitHub adds replies. */
  readonly thread: number;
}

export interface LineAnswer extends AskedLine {
  /** What Codex says that it did; null if it says nothing. */
  readonly text: string | null;
}

/** The thread in which a line comment asked; null for what was asked elsewhere. */
export function threadOf({ trigger }: Pick<TaskRequest, 'trigger'>): number | null {
  if (trigger.kind !== 'github' || trigger.event !== 'review_comment') return null;
  return trigger.lineComment?.inReplyTo ?? trigger.commentId;
}

/** Ends that say something about each line. After the others the task's own comment says it once. */
const answering: readonly TaskOutcome['kind'][] = ['pull-request', 'patch', 'no-change'];

/**
 * One answer for each line comment that was listed for Codex, whatever ids Codex answered with, except in the
 * thread in which the task's own comment is.
 */
export function lineAnswers(
  request: Pick<TaskRequest, 'trigger'>,
  outcome: TaskOutcome,
  asked: readonly AskedLine[],
  replies: readonly LineReply[],
): readonly LineAnswer[] {
  if (!answering.includes(outcome.kind)) return [];
  const own = threadOf(request);
  const said = new Map(replies.map(({ id, text }) => [id, text]));
  return asked
    .filter(({ thread }) => thread !== own)
    .map((line) => ({ ...line, text: said.get(line.id) ?? null }));
}
