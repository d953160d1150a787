/** Reads the words of a review and of its line comments. `review-ask.ts` decides what they ask. */
import * as z from 'zod';
import { parseMention } from '../core/ask/mention.ts';
import type { ReviewWords } from '../core/ask/review-ask.ts';
import { maxHunkChars, type GithubTrigger, type LineComment, type RepositoryFacts } from '../core/task.ts';
import { headOf, tailOf } from '../lib/cut-text.ts';
import { unlessMissing, type GithubClient } from './client.ts';
import { bodySchema, displayDelivered, withBodyHtml, type HtmlReader } from './displayed-comment.ts';

const reviewSchema = bodySchema.extend({ submitted_at: z.iso.datetime({ offset: true }).nullish() });
const position = z.number().int().positive().nullish().catch(null);
export const lineSchema = z.object({
  path: z.string().min(1),
  line: position,
  start_line: position,
  side: z.enum(['LEFT', 'RIGHT']).nullish().catch(null),
  in_reply_to_id: position,
  diff_hunk: z.string().nullish(),
});
const commentSchema = bodySchema.extend({
  id: z.number().int().positive(),
  updated_at: z.string(),
  ...lineSchema.shape,
});

/** GitHub shows the end of a hunk, which has the line. */
export function lineCommentOf(raw: z.infer<typeof lineSchema>): LineComment {
  return {
    path: headOf(raw.path, 4096),
    line: raw.line ?? null,
    startLine: raw.start_line ?? null,
    side: raw.side ?? null,
    inReplyTo: raw.in_reply_to_id ?? null,
    diffHunk: raw.diff_hunk == null ? null : tailOf(raw.diff_hunk, maxHunkChars),
  };
}

const nothing = { text: '', addressable: '' };

export interface ReviewReader extends HtmlReader {
  readonly client: GithubClient;
  readonly facts: RepositoryFacts;
  readonly trigger: GithubTrigger;
  readonly reviewId: number;
}

/** The words that arrived count as they arrived, and the others as they are unless they were edited since. */
export async function readReviewWords(deps: ReviewReader): Promise<ReviewWords> {
  const { client, facts, trigger, reviewId, ...reader } = deps;
  const at = {
    owner: facts.owner,
    repo: facts.name,
    pull_number: trigger.issueNumber,
    review_id: reviewId,
    headers: withBodyHtml,
  };
  const [foundReview, foundComments] = await Promise.all([
    unlessMissing(client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}', at)),
    unlessMissing(
      client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments', {
        ...at,
        per_page: 100,
      }),
    ),
  ]);
  const review = foundReview === null ? null : reviewSchema.parse(foundReview.data);
  const comments = foundComments === null ? [] : z.array(commentSchema).parse(foundComments.data);
  const renderer = { ...reader, client, repository: facts };
  const submittedAt = review?.submitted_at ?? trigger.triggeredAt;
  const delivered = trigger.comment ?? '';
  const markdown = trigger.event === 'review' ? delivered : (review?.body ?? '');
  const own = { markdown, shown: await displayDelivered(markdown, review, renderer) };
  const lines = await Promise.all(
    comments.map(async (comment) => {
      const arrived = comment.id === trigger.commentId;
      const isEdited = !arrived && Date.parse(comment.updated_at) > Date.parse(submittedAt) + publishingMs;
      const words = arrived ? delivered : comment.body;
      // Most have no mention, and rendering each would take its time.
      const isRead = !isEdited && parseMention(words, trigger.mention).kind === 'mention';
      const shown = isRead ? await displayDelivered(words, comment, renderer) : nothing;
      return { id: comment.id, place: lineCommentOf(comment), markdown: words, shown };
    }),
  );
  const { commentId, lineComment } = trigger;
  // It was deleted, or is beyond the first hundred.
  if (commentId !== null && lineComment !== undefined && !comments.some(({ id }) => id === commentId))
    lines.push({
      id: commentId,
      place: lineComment,
      markdown: delivered,
      shown: await displayDelivered(delivered, null, renderer),
    });
  return { submittedAt, own, lines };
}

/** Within this time after the submission GitHub publishes the comments, which counts as an update of each. */
const publishingMs = 5000;
