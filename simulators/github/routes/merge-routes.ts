/** Merging one branch or commit into a branch, which GitHub does itself where there is no conflict. */
import { Hono } from 'hono';
import { z } from 'zod';
import { ApiError, forbidden, notFound } from '../api-errors.ts';
import { commitDocument, noreplyAddress } from '../documents/commit-document.ts';
import { covers } from '../installation-tokens.ts';
import { checkRefUpdate } from '../rulesets.ts';
import { bodyOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import { timestamp } from '../store.ts';

const write = { anyOf: ['contents'], level: 'write' } as const;
const mergeSchema = z.object({ base: z.string(), head: z.string(), commit_message: z.string().optional() });

export function mergeRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.post('/repos/:owner/:repo/merges', async (c) => {
    const repository = repositoryOf(c, site, write);
    const { git } = repository;
    const wanted = await bodyOf(c, mergeSchema);
    const ours = await git.headOf(wanted.base);
    if (ours === null) throw new ApiError(404, 'Base does not exist');
    const theirs = (await git.headOf(wanted.head)) ?? (await git.commit(wanted.head))?.sha ?? null;
    if (theirs === null) throw new ApiError(404, 'Head does not exist');
    if (await git.isAncestor(theirs, ours)) return c.body(null, 204);
    const tree = await git.mergedTree(ours, theirs);
    if (tree === null) throw new ApiError(409, 'Merge conflict');
    const own = { name: site.bot.login, email: noreplyAddress(site.bot), date: timestamp() };
    const committer = { ...own, name: 'GitHub', email: 'noreply@github.com' };
    const message = wanted.commit_message ?? `Merge ${wanted.head} into ${wanted.base}`;
    const merge = { tree, parents: [ours, theirs], author: own, committer, message };
    const sha = await git.writeCommit(merge, true);
    await checkRefUpdate(repository, { ref: `refs/heads/${wanted.base}`, from: ours, to: sha }, 409);
    const caller = c.get('caller');
    const mayWorkflows =
      caller.kind !== 'installation' || covers(caller.token.permissions, 'workflows', 'write');
    if (!mayWorkflows && (await git.newWorkflowChanges(sha)).length > 0) throw forbidden();
    if (!(await git.moveRef(`refs/heads/${wanted.base}`, ours, sha))) throw new ApiError(409, 'Base moved');
    const commit = await git.commit(sha);
    if (commit === null) throw notFound();
    return c.json(commitDocument(site, repository, commit), 201);
  });

  return api;
}
