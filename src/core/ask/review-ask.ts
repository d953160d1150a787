/**
 * Reads what a review asks, from all of its texts. Pure. A submitted review is one human act, for which
 * GitHub sends one event for the review and one for each of its line comments, in any order. So the first
 * event to arrive starts the task, and what is asked does not depend on which one it was.
 *
 * - A mention in the review's own words asks for the whole review, with its line comments as the list.
 * - Otherwise a mention in one line comment asks for that one, and mentions in several for all of them.
 */
import { aloneIn, readMention, type Displayed, type Mention } from './mention.ts';
import type { GithubTrigger, LineComment, TaskOptions, TaskRequest } from '../task.ts';

/** A text of the review: as GitHub displays it, and its Markdown. */
export interface ReviewText {
  readonly shown: Displayed;
  readonly markdown: string;
}

export interface ReviewWords {
  /** ISO 8601. */
  readonly submittedAt: string;
  readonly own: ReviewText;
  /** Those of the review's author that were not edited since, in the order of the diff. */
  readonly lines: readonly (ReviewText & { readonly id: number; readonly place: LineComment })[];
}

type Asked = Pick<TaskRequest, 'ask' | 'instruction' | 'options'> & { readonly trigger: GithubTrigger };
type Read = Extract<Mention, { kind: 'mention' }>;

/** null: nobody can see a mention. */
export function askOfReview(review: ReviewWords, trigger: GithubTrigger): Asked | null {
  const { lineComment: _, ...rest } = trigger;
  const triggeredAt = review.submittedAt;
  const whole: GithubTrigger = {
    ...rest,
    event: 'review',
    commentId: null,
    triggeredAt,
    comment: review.own.markdown,
  };
  const own = readMention(review.own.shown, trigger.mention, aloneIn('review'));
  if (own.kind === 'mention') return { ...asked(own), trigger: whole };

  const mentions = review.lines.flatMap((line) => {
    const read = readMention(line.shown, trigger.mention, aloneIn('review_comment'));
    return read.kind === 'mention' ? [{ line, read }] : [];
  });
  // A line comment that asks for nothing is answered only if no other one asks for something.
  const runs = mentions.filter(({ read }) => read.ask.kind === 'run');
  const [first, ...more] = runs.length > 0 ? runs : mentions;
  if (first === undefined) return null;
  const { line, read } = first;
  if (more.length === 0) {
    const { id: commentId, place: lineComment, markdown: comment } = line;
    const one = { event: 'review_comment', commentId, lineComment, comment, triggeredAt } as const;
    return { ...asked(read), trigger: { ...rest, ...one } };
  }
  // By its id and not by its path, which the author of the pull request chose, and which is no instruction.
  const words = [first, ...more].map((one) => `Line comment ${one.line.id}: ${one.read.instruction}`);
  const options = more.reduceRight<TaskOptions>((all, one) => ({ ...all, ...one.read.options }), {});
  return {
    ask: read.ask,
    instruction: words.join('\n\n'),
    options: { ...options, ...read.options },
    trigger: whole,
  };
}

const asked = ({ ask, instruction, options }: Read): Omit<Asked, 'trigger'> => ({
  ask,
  instruction,
  options,
});
