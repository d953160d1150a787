/**
 * Selects what Codex gets of a pull request's reviews and line comments. Pure; `pull-context.ts` fetches.
 *
 * - What asks: the triggering line comment, whose text is the instruction, and the line comments of the
 *   triggering review. They were submitted in one act with the review, so their author is the requester.
 * - Everything else counts as an issue's comments do (`context.ts`): of people with write access, as it was
 *   at the trigger. Threads with something to do come first; of the others the newest are kept.
 */
import { stripHiddenCharacters } from '../core/ask/hidden-characters.ts';
import type { LineComment, LineThread, PullContext } from '../core/ask/pull-context.ts';
import type { TaskRequest } from '../core/task.ts';
import { headOf, tailOf, withoutMiddle } from '../lib/cut-text.ts';
import { stateAtTrigger, type ContextInput } from './context.ts';

const maxReviewChars = 20_000;
/** Of the threads that ask, and of all others. */
const maxAskingChars = 60_000;
const maxOtherChars = 30_000;
/** As many replies as one answer can have. */
const maxAsking = 50;
const maxHunkChars = 3_000;
/** GitHub publishes the comments of a review within a moment of the review itself. */
const publishedWithinMs = 5_000;

type Written = Pick<ContextInput['comments'][number], 'id' | 'user' | 'created_at' | 'updated_at' | 'shown'>;

export interface ReviewComment extends Written {
  readonly pull_request_review_id: number | null;
  readonly in_reply_to_id?: number | undefined;
  readonly path: string;
  readonly line?: number | null | undefined;
  readonly original_line?: number | null | undefined;
  readonly start_line?: number | null | undefined;
  readonly original_start_line?: number | null | undefined;
  readonly side?: string | null | undefined;
  readonly diff_hunk: string;
}

export interface ReviewInput {
  /** Submitted ones. `updated_at` is the time of submission: GitHub does not tell when one was edited. */
  readonly reviews: readonly Written[];
  /** Oldest first. */
  readonly comments: readonly ReviewComment[];
  /** Logins with write access, in lower case. */
  readonly writers: ReadonlySet<string>;
  readonly requester: TaskRequest['requester'];
  readonly trigger: Extract<TaskRequest['trigger'], { kind: 'github' }>;
  /** Number of older comments that were not read. */
  readonly notRead: number;
}

export function selectReviews(input: ReviewInput): Pick<PullContext, 'reviews' | 'threads' | 'leftOut'> {
  const { trigger } = input;
  const triggeredAt = Date.parse(trigger.triggeredAt);
  let leftOut = input.notRead;
  /** Null if it is not part of the conversation. */
  const included = <Item extends Written>(one: Item): (Item & { user: NonNullable<Item['user']> }) | null => {
    const state = stateAtTrigger(one, triggeredAt);
    if (state === 'later') return null;
    const { user } = one;
    if (state === 'edited' || user?.type !== 'User' || !input.writers.has(user.login.toLowerCase())) {
      leftOut += 1;
      return null;
    }
    return one.shown.trim() === '' ? null : { ...one, user };
  };

  const threads = new Map<number, { first: ReviewComment; comments: LineComment[]; chars: number }>();
  for (const comment of input.comments) {
    const asks = isAsking(comment, input);
    const kept = asks ? comment : included(comment);
    const root = comment.in_reply_to_id ?? comment.id;
    if (kept === null) continue;
    const isInstruction = trigger.event === 'review_comment' && comment.id === trigger.commentId;
    const text = isInstruction ? null : withoutMiddle(kept.shown.trim(), 20_000);
    const thread = threads.get(root) ?? { first: comment, comments: [], chars: maxHunkChars };
    const { id, created_at: createdAt, user } = kept;
    thread.comments.push({ id, asks, author: user?.login ?? 'ghost', createdAt, text });
    thread.chars += text?.length ?? 0;
    threads.set(root, thread);
  }
  const all = [...threads.entries()];
  const doesAsk = ([, { comments }]: (typeof all)[number]): boolean => comments.some(({ asks }) => asks);
  const asking = within(all.filter(doesAsk).slice(0, maxAsking), maxAskingChars);
  const others = within(all.filter((one) => !doesAsk(one)).toReversed(), maxOtherChars).toReversed();
  const shown = [...asking, ...others];
  for (const one of all) if (!shown.includes(one)) leftOut += one[1].comments.length;

  const words: PullContext['reviews'][number][] = [];
  let room = maxReviewChars;
  for (const review of input.reviews.toReversed()) {
    if (trigger.event === 'review' && review.id === trigger.reviewId) continue;
    const kept = included(review);
    if (kept === null) continue;
    room -= kept.shown.length;
    if (room < 0) leftOut += 1;
    else words.push({ author: kept.user.login, createdAt: kept.created_at, text: kept.shown.trim() });
  }
  return { reviews: words.toReversed(), threads: shown.map(([id, one]) => threadOf(id, one)), leftOut };
}

/** Part of what is asked for. The triggering comment is, whatever happened to it since: it was delivered. */
function isAsking(comment: ReviewComment, { trigger, requester }: ReviewInput): boolean {
  if (trigger.event === 'review_comment') return comment.id === trigger.commentId;
  if (trigger.event !== 'review' || comment.pull_request_review_id !== trigger.reviewId) return false;
  const latest = Date.parse(trigger.triggeredAt) + publishedWithinMs;
  const isTheirs = comment.user?.login.toLowerCase() === requester?.login.toLowerCase();
  return isTheirs && Date.parse(comment.updated_at) <= latest && comment.shown.trim() !== '';
}

/** The first threads that fit; what follows the first one that does not is left out. */
function within<Thread extends readonly [number, { readonly chars: number }]>(
  threads: readonly Thread[],
  maxChars: number,
): Thread[] {
  let room = maxChars;
  const end = threads.findIndex(([, { chars }]) => (room -= chars) < 0);
  return threads.slice(0, end === -1 ? threads.length : end);
}

function threadOf(
  id: number,
  { first, comments }: { readonly first: ReviewComment; readonly comments: readonly LineComment[] },
): LineThread {
  const outdated = first.line == null && first.original_line != null;
  return {
    id,
    path: headOf(first.path, 400),
    line: first.line ?? first.original_line ?? null,
    startLine: (outdated ? first.original_start_line : first.start_line) ?? null,
    side: first.side === 'LEFT' ? 'LEFT' : 'RIGHT',
    outdated,
    hunk: tailOf(stripHiddenCharacters(first.diff_hunk), maxHunkChars),
    comments,
  };
}
