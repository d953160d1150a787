/**
 * Reads the events of a pull request: a submitted review, a comment in its diff, a label. Pure. A review and
 * its line comments are one task, which reads them all (`review-ask.ts`), whichever event arrives first.
 *
 * GitHub does not say of a review or a line comment whether an app wrote it in a person's name.
 */
import * as z from 'zod';
import { taskIdFor } from '../core/ids.ts';
import { aloneIn, parseMention } from '../core/ask/mention.ts';
import type { GithubPolicy } from '../core/policy.ts';
import { lineCommentOf, lineSchema } from './review-words.ts';
import {
  commonSchema,
  draft,
  idSchema,
  ignored,
  instantSchema,
  isSoftware,
  noMention,
  parsed,
  subjectSchema,
  textSchema,
  whyNobodyAsks,
  type WebhookReading,
} from './webhook-draft.ts';

const pullEvent = commonSchema.extend({ pull_request: subjectSchema.omit({ pull_request: true }) });
const reviewEvent = pullEvent.extend({ review: textSchema.extend({ submitted_at: instantSchema }) });
const lineEvent = pullEvent.extend({
  comment: textSchema.extend({
    created_at: instantSchema,
    updated_at: instantSchema,
    pull_request_review_id: idSchema.nullish(),
    ...lineSchema.shape,
  }),
});
const labelEvent = pullEvent.extend({ label: z.object({ name: z.string() }).optional() });

function readReview(payload: z.infer<typeof reviewEvent>, policy: GithubPolicy): WebhookReading {
  const { review, sender, repository } = payload;
  const why = whyNobodyAsks(sender, review);
  if (why !== null) return ignored(why);
  const comment = review.body ?? '';
  const mention = parseMention(comment, policy.mention, aloneIn('review'));
  if (mention.kind === 'none') return ignored(noMention);
  const key = { event: 'review', repositoryId: repository.id, reviewId: review.id } as const;
  const trigger = {
    taskId: taskIdFor(key),
    event: 'review',
    onPullRequest: true,
    commentId: null,
    reviewId: review.id,
    triggeredAt: review.submitted_at,
    comment,
  } as const;
  return draft(payload, payload.pull_request, policy, trigger, mention);
}

function readLineComment(payload: z.infer<typeof lineEvent>, policy: GithubPolicy): WebhookReading {
  const { comment, sender, repository } = payload;
  const why = whyNobodyAsks(sender, comment);
  if (why !== null) return ignored(why);
  const mention = parseMention(comment.body ?? '', policy.mention, aloneIn('review_comment'));
  if (mention.kind === 'none') return ignored(noMention);
  const { pull_request_review_id: reviewId, created_at: createdAt, updated_at: updatedAt } = comment;
  const key =
    reviewId == null
      ? ({ event: 'review_comment', repositoryId: repository.id, commentId: comment.id } as const)
      : ({ event: 'review', repositoryId: repository.id, reviewId } as const);
  const trigger = {
    taskId: taskIdFor(key),
    event: 'review_comment',
    onPullRequest: true,
    commentId: comment.id,
    ...(reviewId == null ? {} : { reviewId }),
    lineComment: lineCommentOf(comment),
    // A comment of a review is written before the review is submitted.
    triggeredAt: Date.parse(updatedAt) > Date.parse(createdAt) ? updatedAt : createdAt,
    comment: comment.body ?? '',
  } as const;
  return draft(payload, payload.pull_request, policy, trigger, mention);
}

function readLabel(payload: z.infer<typeof labelEvent>, policy: GithubPolicy): WebhookReading {
  const { sender, label, pull_request: pull, repository } = payload;
  if (label === undefined || label.name.toLowerCase() !== policy.label) return ignored('another label');
  // As for an issue: the person who sets the label asks.
  if (isSoftware(sender)) return ignored('labeled by software');
  const event = 'pull_request_labeled';
  const taskId = taskIdFor({
    event,
    repositoryId: repository.id,
    issueNumber: pull.number,
    issueUpdatedAt: pull.updated_at,
  });
  const trigger = {
    taskId,
    event,
    onPullRequest: true,
    commentId: null,
    triggeredAt: pull.updated_at,
  } as const;
  const asked = { ask: { kind: 'run' }, instruction: '', options: {} } as const;
  return draft(payload, pull, policy, trigger, asked);
}

/** By the event's name and action. */
export const pullReaders: Readonly<
  Record<string, (payload: unknown, policy: GithubPolicy) => WebhookReading>
> = {
  'pull_request_review.submitted': (payload, policy) =>
    parsed(reviewEvent, payload, (found) => readReview(found, policy)),
  'pull_request_review_comment.created': (payload, policy) =>
    parsed(lineEvent, payload, (found) => readLineComment(found, policy)),
  'pull_request.labeled': (payload, policy) =>
    parsed(labelEvent, payload, (found) => readLabel(found, policy)),
};
