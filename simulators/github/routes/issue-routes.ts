/** Routes of issues, labels and comments. As on GitHub, a pull request is also an issue. */
import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { ApiError, notFound, unprocessable, validationFailed } from '../api-errors.ts';
import { withSignedImages } from '../attachment-routes.ts';
import type { Json } from '../documents/account-document.ts';
import { bodyHtml } from '../body-html.ts';
import { commentDocument, issueDocument, labelDocument } from '../documents/issue-document.ts';
import { refusals } from '../known-refusals.ts';
import { labeled, sendEventInBackground } from '../events.ts';
import { bodyOf, numberParam, pageOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import { editComment, findComment, timestamp, type Comment, type Issue, type Repository } from '../store.ts';

/** The pull request permission also covers comments and labels of pull requests. */
const read = { anyOf: ['issues', 'pull_requests'], level: 'read' } as const;
const write = { anyOf: ['issues', 'pull_requests'], level: 'write' } as const;

/** GitHub's limit for the body of an issue or comment, in characters. */
const maxBodyCharacters = 65_536;

const commentSchema = z.object({ body: z.string() });
const labelsSchema = z.union([z.object({ labels: z.array(z.string()).min(1) }), z.array(z.string()).min(1)]);
const issueSchema = z.object({
  title: z.string().min(1),
  body: z.string().nullish(),
  labels: z.array(z.string()).optional(),
});
/** As Airlock asks: a text as in a comment of a repository, which mentions and references need. */
const markdownSchema = z.object({
  text: z.string().min(1),
  mode: z.literal('gfm'),
  context: z.string().regex(/^[^/]+\/[^/]+$/),
});
const issueUpdateSchema = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']).optional(),
});

/** https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types */
export function inMediaType(c: Context<ApiEnv>, site: Site, document: Json, markdown: string | null): Json {
  if (c.req.header('accept')?.includes('application/vnd.github.full+json') !== true) return document;
  const html = withSignedImages(site, bodyHtml(markdown ?? ''));
  return { ...document, body_html: html, body_text: html.replace(/<[^>]*>/g, '') };
}

export function issueRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.post('/markdown', async (c) =>
    c.html(withSignedImages(site, bodyHtml((await bodyOf(c, markdownSchema)).text))),
  );

  api.get('/repos/:owner/:repo/issues', (c) => {
    const repository = repositoryOf(c, site, read);
    const state = c.req.query('state') ?? 'open';
    const all = [...repository.issues.values()]
      .filter((one) => state === 'all' || one.state === state)
      .toReversed();
    return c.json(pageOf(c, site, all).map((one) => issueDocument(site, repository, one)));
  });

  api.post('/repos/:owner/:repo/issues', async (c) => {
    const repository = repositoryOf(c, site, { ...write, anyOf: ['issues'] });
    const { title, body, labels } = await bodyOf(c, issueSchema);
    const fields = { user: site.bot, title, body: body ?? null, labels: labels ?? [], byApp: true };
    const issue = site.store.addIssue(repository, fields);
    sendEventInBackground(site, repository, site.bot, { kind: 'issues.opened', issue });
    return c.json(issueDocument(site, repository, issue), 201);
  });

  api.get('/repos/:owner/:repo/issues/:number{[0-9]+}', (c) => {
    const { repository, issue } = issueOf(c, site, read);
    return c.json(inMediaType(c, site, issueDocument(site, repository, issue), issue.body));
  });

  api.patch('/repos/:owner/:repo/issues/:number{[0-9]+}', async (c) => {
    const { repository, issue } = issueOf(c, site, write);
    const change = await bodyOf(c, issueUpdateSchema);
    if (change.title !== undefined) issue.title = change.title;
    if (change.body !== undefined) issue.body = change.body;
    if (change.state !== undefined) {
      issue.state = change.state;
      issue.closedAt = change.state === 'closed' ? timestamp() : null;
    }
    issue.updatedAt = timestamp();
    return c.json(issueDocument(site, repository, issue));
  });

  api.get('/repos/:owner/:repo/issues/:number{[0-9]+}/comments', (c) => {
    const { repository, issue } = issueOf(c, site, read);
    const since = c.req.query('since');
    const shown = issue.comments.filter((one) => since === undefined || one.updatedAt >= since);
    return c.json(
      pageOf(c, site, shown).map((one) =>
        inMediaType(c, site, commentDocument(site, repository, issue, one), one.body),
      ),
    );
  });

  api.post('/repos/:owner/:repo/issues/:number{[0-9]+}/comments', async (c) => {
    const { repository, issue } = issueOf(c, site, write);
    const { body } = await bodyOf(c, commentSchema);
    checkBody(body);
    checkUnlocked(issue);
    const comment = site.store.addComment(issue, { user: site.bot, body, byApp: true });
    sendEventInBackground(site, repository, site.bot, { kind: 'issue_comment.created', issue, comment });
    return c.json(commentDocument(site, repository, issue, comment), 201);
  });

  api.get('/repos/:owner/:repo/issues/comments/:comment', (c) => {
    const { repository, issue, comment } = commentOf(c, site, read);
    return c.json(inMediaType(c, site, commentDocument(site, repository, issue, comment), comment.body));
  });

  api.patch('/repos/:owner/:repo/issues/comments/:comment', async (c) => {
    const { repository, issue, comment } = commentOf(c, site, write);
    const { body } = await bodyOf(c, commentSchema);
    checkBody(body);
    const previousBody = comment.body;
    editComment(comment, body);
    sendEventInBackground(site, repository, site.bot, {
      kind: 'issue_comment.edited',
      issue,
      comment,
      previousBody,
    });
    return c.json(commentDocument(site, repository, issue, comment));
  });

  api.delete('/repos/:owner/:repo/issues/comments/:comment', (c) => {
    const { repository, issue, comment } = commentOf(c, site, write);
    issue.comments.splice(issue.comments.indexOf(comment), 1);
    sendEventInBackground(site, repository, site.bot, { kind: 'issue_comment.deleted', issue, comment });
    return c.body(null, 204);
  });

  api.get('/repos/:owner/:repo/labels/:name', (c) => {
    const repository = repositoryOf(c, site, read);
    const label = repository.labels.get(c.req.param('name').toLowerCase());
    if (label === undefined) throw notFound();
    return c.json(labelDocument(site, repository, label));
  });

  api.get('/repos/:owner/:repo/issues/:number{[0-9]+}/labels', (c) => {
    const { repository, issue } = issueOf(c, site, read);
    return c.json(pageOf(c, site, issue.labels).map((one) => labelDocument(site, repository, one)));
  });

  api.post('/repos/:owner/:repo/issues/:number{[0-9]+}/labels', async (c) => {
    const { repository, issue } = issueOf(c, site, write);
    const wanted = await bodyOf(c, labelsSchema);
    for (const name of Array.isArray(wanted) ? wanted : wanted.labels) {
      const label = site.store.label(repository, name);
      if (issue.labels.includes(label)) continue;
      issue.labels.push(label);
      issue.updatedAt = timestamp();
      sendEventInBackground(site, repository, site.bot, labeled(issue, label));
    }
    return c.json(issue.labels.map((one) => labelDocument(site, repository, one)));
  });

  return api;
}

type RequiredPermission = Parameters<typeof repositoryOf>[2];

export function issueOf(
  c: Context<ApiEnv>,
  site: Site,
  need: RequiredPermission,
): { repository: Repository; issue: Issue } {
  const repository = repositoryOf(c, site, need);
  const issue = repository.issues.get(numberParam(c, 'number'));
  if (issue === undefined) throw notFound();
  return { repository, issue };
}

export function commentOf(
  c: Context<ApiEnv>,
  site: Site,
  need: RequiredPermission,
): { repository: Repository; issue: Issue; comment: Comment } {
  const repository = repositoryOf(c, site, need);
  const found = findComment(repository, numberParam(c, 'comment'));
  if (found === null) throw notFound();
  return { repository, ...found };
}

export function checkUnlocked({ locked }: Issue): void {
  if (locked) throw new ApiError(refusals.locked.status, refusals.locked.message);
}

export function checkBody(body: string): void {
  if (body.trim() === '')
    throw validationFailed({
      resource: 'IssueComment',
      code: 'unprocessable',
      field: 'data',
      message: 'Body cannot be blank',
    });
  if (body.length > maxBodyCharacters)
    throw unprocessable(`Body is too long (maximum is ${maxBodyCharacters} characters)`);
}
