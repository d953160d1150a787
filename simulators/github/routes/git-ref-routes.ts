/** The Git Data API for refs. Updates compare and swap: of concurrent writers one succeeds. */
import { Hono } from 'hono';
import { z } from 'zod';
import { emptyRepository, forbidden, notFound, unprocessable } from '../api-errors.ts';
import type { Caller } from '../access.ts';
import { nodeId, type Json } from '../documents/account-document.ts';
import { repositoryApiUrl } from '../documents/repository-document.ts';
import { isRefName } from '../git-refs.ts';
import { objectIdAt } from '../git-trees.ts';
import { covers } from '../installation-tokens.ts';
import { checkRefUpdate } from '../rulesets.ts';
import { bodyOf, pageOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import type { Repository } from '../store.ts';

const read = { anyOf: ['contents'], level: 'read' } as const;
const write = { anyOf: ['contents'], level: 'write' } as const;

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const createSchema = z.object({ ref: z.string(), sha });
const updateSchema = z.object({ sha, force: z.boolean().default(false) });

export function gitRefRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.get('/repos/:owner/:repo/git/ref/:ref{.+}', async (c) => {
    const repository = repositoryOf(c, site, read);
    const ref = `refs/${c.req.param('ref')}`;
    const found = isRefName(ref) ? await repository.git.describe(ref) : null;
    if (found === null)
      throw (await repository.git.refs('refs/')).length === 0 ? emptyRepository() : notFound();
    return c.json(refDocument(site, repository, ref, found.sha, found.type));
  });

  api.get('/repos/:owner/:repo/git/matching-refs/:ref{.+}', async (c) => {
    const repository = repositoryOf(c, site, read);
    const refs = await repository.git.refs(`refs/${c.req.param('ref')}`);
    return c.json(
      pageOf(c, site, refs).map((one) => refDocument(site, repository, one.ref, one.sha, one.type)),
    );
  });

  api.post('/repos/:owner/:repo/git/refs', async (c) => {
    const repository = repositoryOf(c, site, write);
    const wanted = await bodyOf(c, createSchema);
    if (!/^refs\/[^/]+\/./.test(wanted.ref))
      throw unprocessable("Reference name must start with 'refs' and contain at least two slashes.");
    if (!isRefName(wanted.ref)) throw unprocessable(`${wanted.ref} is not a valid ref name.`);
    const object = await repository.git.describe(wanted.sha);
    if (object === null) throw unprocessable('Object does not exist');
    if (wanted.ref.startsWith('refs/heads/') && object.type !== 'commit')
      throw unprocessable('Reference update failed');
    if ((await repository.git.resolveRef(wanted.ref)) !== null)
      throw unprocessable('Reference already exists');
    await checkRefUpdate(repository, { ref: wanted.ref, from: null, to: wanted.sha });
    await checkWorkflowPermission(c.get('caller'), repository, wanted.sha, object.type);
    if (!(await repository.git.moveRef(wanted.ref, null, wanted.sha)))
      throw unprocessable('Reference already exists');
    return c.json(refDocument(site, repository, wanted.ref, wanted.sha, object.type), 201);
  });

  api.patch('/repos/:owner/:repo/git/refs/:ref{.+}', async (c) => {
    const repository = repositoryOf(c, site, write);
    const { git } = repository;
    const ref = `refs/${c.req.param('ref')}`;
    const wanted = await bodyOf(c, updateSchema);
    const current = await git.resolveRef(ref);
    if (current === null) throw unprocessable('Reference does not exist');
    const object = await git.describe(wanted.sha);
    if (object === null) throw unprocessable('Object does not exist');
    if (ref.startsWith('refs/heads/') && object.type !== 'commit')
      throw unprocessable('Reference update failed');
    const forced = !(await git.isAncestor(current, wanted.sha));
    if (forced && !wanted.force) throw unprocessable('Update is not a fast forward');
    await checkRefUpdate(repository, { ref, from: current, to: wanted.sha, force: forced });
    await checkWorkflowPermission(c.get('caller'), repository, wanted.sha, object.type);
    if (!(await git.moveRef(ref, current, wanted.sha))) throw unprocessable('Reference cannot be updated');
    return c.json(refDocument(site, repository, ref, wanted.sha, object.type));
  });

  api.delete('/repos/:owner/:repo/git/refs/:ref{.+}', async (c) => {
    const repository = repositoryOf(c, site, write);
    const ref = `refs/${c.req.param('ref')}`;
    const current = await repository.git.resolveRef(ref);
    if (current === null) throw unprocessable('Reference does not exist');
    await checkRefUpdate(repository, { ref, from: current, to: null });
    if (ref === `refs/heads/${repository.defaultBranch}`)
      throw unprocessable('Cannot delete the default branch');
    if (!(await repository.git.deleteRef(ref))) throw unprocessable('Reference does not exist');
    return c.body(null, 204);
  });

  return api;
}

/** Enforces `workflow-guard.ts`. */
async function checkWorkflowPermission(
  caller: Caller,
  repository: Repository,
  to: string,
  type: string,
): Promise<void> {
  if (caller.kind === 'installation' && covers(caller.token.permissions, 'workflows', 'write')) return;
  if (type !== 'commit' || (await isSingleCommitWithoutWorkflows(repository, to))) return;
  if ((await repository.git.newWorkflowChanges(to)).length > 0) throw forbidden();
}

/** Whether `to` is one commit, on a branch's head or on a root, without workflow changes: usually. */
async function isSingleCommitWithoutWorkflows({ git }: Repository, to: string): Promise<boolean> {
  const [refs, commit] = await Promise.all([git.refs('refs/heads/'), git.commit(to)]);
  const [parent] = commit?.parents ?? [];
  if (commit === null || parent === undefined || commit.parents.length > 1) return false;
  const onHead = refs.some(({ sha }) => sha === parent);
  const before = await git.commit(parent);
  if (before === null || (!onHead && before.parents.length > 0)) return false;
  const [one, other] = await Promise.all(
    [before.tree, commit.tree].map((tree) => objectIdAt(git, tree, '.github/workflows')),
  );
  return one === other && (onHead || one === null);
}

function refDocument(site: Site, repository: Repository, ref: string, object: string, type: string): Json {
  const url = `${repositoryApiUrl(site, repository)}/git`;
  return {
    ref,
    node_id: nodeId('Ref', `${repository.id}:${ref}`),
    url: `${url}/${ref}`,
    object: { sha: object, type, url: `${url}/${type}s/${object}` },
  };
}
