/** Reviews and comments in a diff: read, reply, edit, delete. Only people submit reviews. */
import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { notFound, unprocessable } from '../api-errors.ts';
import { reviewCommentDocument, reviewDocument } from '../documents/review-document.ts';
import type { Json } from '../documents/account-document.ts';
import { sendEventInBackground } from '../events.ts';
import { addReply } from '../reviews.ts';
import { bodyOf, numberParam, pageOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import { editComment, type Issue, type Pull, type Repository, type ReviewComment } from '../store.ts';
import { checkBody, checkUnlocked, inMediaType } from './issue-routes.ts';
import { pullOf, pullsOf } from './pull-routes.ts';

const read = { anyOf: ['pull_requests'], level: 'read' } as const;
const write = { anyOf: ['pull_requests'], level: 'write' } as const;

const bodySchema = z.object({ body: z.string() });

export function reviewRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();
  type At = { readonly repository: Repository; readonly issue: Issue; readonly pull: Pull };
  const commentAt = async (c: Context<ApiEnv>, { repository, issue, pull }: At, comment: ReviewComment) => {
    const document = await reviewCommentDocument(site, repository, issue, pull, comment);
    // GitHub answers null where a comment is outdated; its description only allows to leave the field out.
    const described = Object.entries(document).filter(
      ([key, value]) => value !== null || !['line', 'start_line', 'position'].includes(key),
    );
    return inMediaType(c, site, Object.fromEntries(described), comment.body);
  };
  const list = async (c: Context<ApiEnv>, at: At, shown: readonly ReviewComment[]): Promise<Json[]> =>
    await Promise.all(pageOf(c, site, shown).map(async (comment) => await commentAt(c, at, comment)));

  api.get('/repos/:owner/:repo/pulls/:number/reviews', async (c) => {
    const { repository, issue, pull } = await pullOf(c, site, read);
    return c.json(
      pageOf(c, site, pull.reviews).map((review) =>
        inMediaType(c, site, reviewDocument(site, repository, issue, review), review.body),
      ),
    );
  });

  api.get('/repos/:owner/:repo/pulls/:number/reviews/:review', async (c) => {
    const { repository, issue, review } = await reviewOf(c, site);
    return c.json(inMediaType(c, site, reviewDocument(site, repository, issue, review), review.body));
  });

  api.get('/repos/:owner/:repo/pulls/:number/reviews/:review/comments', async (c) => {
    const { review, ...at } = await reviewOf(c, site);
    const shown = at.pull.reviewComments.filter(({ reviewId }) => reviewId === review.id);
    return c.json(await list(c, at, shown));
  });

  api.get('/repos/:owner/:repo/pulls/:number/comments', async (c) => {
    const at = await pullOf(c, site, read);
    const { since, direction = 'asc' } = c.req.query();
    const shown = at.pull.reviewComments.filter((one) => since === undefined || one.updatedAt >= since);
    return c.json(await list(c, at, direction === 'desc' ? shown.toReversed() : shown));
  });

  api.post('/repos/:owner/:repo/pulls/:number/comments/:comment/replies', async (c) => {
    const { repository, issue, pull } = await pullOf(c, site, write);
    const { body } = await bodyOf(c, bodySchema);
    checkBody(body);
    checkUnlocked(issue);
    const to = pull.reviewComments.find(({ id }) => id === numberParam(c, 'comment'));
    if (to === undefined) throw notFound();
    if (to.inReplyTo !== null) throw unprocessable('Replies to replies are not supported.');
    const { review, comment } = addReply(site.store, pull, to, { user: site.bot, body });
    const at = { issue, pull };
    sendEventInBackground(site, repository, site.bot, {
      ...at,
      kind: 'pull_request_review.submitted',
      review,
    });
    sendEventInBackground(site, repository, site.bot, {
      ...at,
      kind: 'pull_request_review_comment.created',
      comment,
    });
    return c.json(await reviewCommentDocument(site, repository, issue, pull, comment), 201);
  });

  api.get('/repos/:owner/:repo/pulls/comments/:comment', async (c) => {
    const { comment, ...at } = reviewCommentOf(c, site, read);
    return c.json(await commentAt(c, at, comment));
  });

  api.patch('/repos/:owner/:repo/pulls/comments/:comment', async (c) => {
    const { comment, ...at } = reviewCommentOf(c, site, write);
    const { body } = await bodyOf(c, bodySchema);
    checkBody(body);
    const previousBody = comment.body;
    editComment(comment, body);
    sendEventInBackground(site, at.repository, site.bot, {
      kind: 'pull_request_review_comment.edited',
      ...at,
      comment,
      previousBody,
    });
    return c.json(await commentAt(c, at, comment));
  });

  api.delete('/repos/:owner/:repo/pulls/comments/:comment', (c) => {
    const { comment, ...at } = reviewCommentOf(c, site, write);
    at.pull.reviewComments.splice(at.pull.reviewComments.indexOf(comment), 1);
    sendEventInBackground(site, at.repository, site.bot, {
      kind: 'pull_request_review_comment.deleted',
      ...at,
      comment,
    });
    return c.body(null, 204);
  });

  return api;
}

async function reviewOf(c: Context<ApiEnv>, site: Site) {
  const at = await pullOf(c, site, read);
  const review = at.pull.reviews.find(({ id }) => id === numberParam(c, 'review'));
  if (review === undefined) throw notFound();
  return { ...at, review };
}

export function reviewCommentOf(
  c: Context<ApiEnv>,
  site: Site,
  need: Parameters<typeof repositoryOf>[2],
): { repository: Repository; issue: Issue; pull: Pull; comment: ReviewComment } {
  const repository = repositoryOf(c, site, need);
  const id = numberParam(c, 'comment');
  for (const { issue, pull } of pullsOf(repository)) {
    const comment = pull.reviewComments.find((one) => one.id === id);
    if (comment !== undefined) return { repository, issue, pull, comment };
  }
  throw notFound();
}
