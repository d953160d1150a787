/** Reactions: an account has one of each kind, so a repeated POST answers 200 with the first. */
import { Hono } from 'hono';
import { z } from 'zod';
import { notFound } from '../api-errors.ts';
import { reactionDocument } from '../documents/issue-document.ts';
import { bodyOf, numberParam, pageOf, type ApiEnv, type Site } from '../site.ts';
import { timestamp, type Reaction } from '../store.ts';
import { commentOf, issueOf } from './issue-routes.ts';

const reactionContents = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'] as const;
const reactionSchema = z.object({ content: z.enum(reactionContents) });

const read = { anyOf: ['issues', 'pull_requests'], level: 'read' } as const;
const write = { anyOf: ['issues', 'pull_requests'], level: 'write' } as const;

export function reactionRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  const add = (
    reactions: Reaction[],
    content: Reaction['content'],
  ): { reaction: Reaction; isNew: boolean } => {
    const known = reactions.find((one) => one.user.id === site.bot.id && one.content === content);
    if (known !== undefined) return { reaction: known, isNew: false };
    const reaction = { id: site.store.nextId(), user: site.bot, content, createdAt: timestamp() };
    reactions.push(reaction);
    return { reaction, isNew: true };
  };
  const remove = (reactions: Reaction[], id: number): void => {
    const at = reactions.findIndex((one) => one.id === id);
    if (at < 0) throw notFound();
    reactions.splice(at, 1);
  };

  api.get('/repos/:owner/:repo/issues/:number{[0-9]+}/reactions', (c) => {
    const { reactions } = issueOf(c, site, read).issue;
    return c.json(pageOf(c, site, reactions).map((one) => reactionDocument(site, one)));
  });

  api.post('/repos/:owner/:repo/issues/:number{[0-9]+}/reactions', async (c) => {
    const { issue } = issueOf(c, site, write);
    const { content } = await bodyOf(c, reactionSchema);
    const { reaction, isNew } = add(issue.reactions, content);
    return c.json(reactionDocument(site, reaction), isNew ? 201 : 200);
  });

  api.delete('/repos/:owner/:repo/issues/:number{[0-9]+}/reactions/:reaction', (c) => {
    remove(issueOf(c, site, write).issue.reactions, numberParam(c, 'reaction'));
    return c.body(null, 204);
  });

  api.get('/repos/:owner/:repo/issues/comments/:comment/reactions', (c) => {
    const { reactions } = commentOf(c, site, read).comment;
    return c.json(pageOf(c, site, reactions).map((one) => reactionDocument(site, one)));
  });

  api.post('/repos/:owner/:repo/issues/comments/:comment/reactions', async (c) => {
    const { comment } = commentOf(c, site, write);
    const { content } = await bodyOf(c, reactionSchema);
    const { reaction, isNew } = add(comment.reactions, content);
    return c.json(reactionDocument(site, reaction), isNew ? 201 : 200);
  });

  api.delete('/repos/:owner/:repo/issues/comments/:comment/reactions/:reaction', (c) => {
    remove(commentOf(c, site, write).comment.reactions, numberParam(c, 'reaction'));
    return c.body(null, 204);
  });

  return api;
}
