/** Reactions: an account has one of each kind, so a repeated POST answers 200 with the first. */
import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { notFound } from '../api-errors.ts';
import { reactionDocument } from '../documents/issue-document.ts';
import { bodyOf, numberParam, pageOf, type ApiEnv, type Site } from '../site.ts';
import { timestamp, type Reaction } from '../store.ts';
import { commentOf, issueOf } from './issue-routes.ts';
import { reviewCommentOf } from './review-routes.ts';

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

  const places: readonly [string, (c: Context<ApiEnv>, need: typeof read | typeof write) => Reaction[]][] = [
    ['issues/:number{[0-9]+}', (c, need) => issueOf(c, site, need).issue.reactions],
    ['issues/comments/:comment', (c, need) => commentOf(c, site, need).comment.reactions],
    [
      'pulls/comments/:comment',
      (c, need) => reviewCommentOf(c, site, { ...need, anyOf: ['pull_requests'] }).comment.reactions,
    ],
  ];
  for (const [place, reactionsOf] of places) {
    const path = `/repos/:owner/:repo/${place}/reactions`;
    api.get(path, (c) =>
      c.json(pageOf(c, site, reactionsOf(c, read)).map((one) => reactionDocument(site, one))),
    );
    api.post(path, async (c) => {
      const reactions = reactionsOf(c, write);
      const { content } = await bodyOf(c, reactionSchema);
      const { reaction, isNew } = add(reactions, content);
      return c.json(reactionDocument(site, reaction), isNew ? 201 : 200);
    });
    api.delete(`${path}/:reaction`, (c) => {
      remove(reactionsOf(c, write), numberParam(c, 'reaction'));
      return c.body(null, 204);
    });
  }

  return api;
}
