/** Routes of the Git Data API for blobs, trees and commits, which are real git objects. */
import { Hono } from 'hono';
import { z } from 'zod';
import { forbidden, notFound, unprocessable } from '../api-errors.ts';
import { covers } from '../installation-tokens.ts';
import { nodeId, type Json } from '../documents/account-document.ts';
import { gitCommitDocument, noreplyAddress } from '../documents/commit-document.ts';
import { repositoryApiUrl } from '../documents/repository-document.ts';
import type { Person } from '../git-repository.ts';
import {
  applyChanges,
  listTree,
  objectIdAt,
  malformedPath,
  treeModes,
  type TreeChange,
} from '../git-trees.ts';
import { checkBlob } from '../rulesets.ts';
import { bodyOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import { timestamp, type Repository } from '../store.ts';
import type { Caller } from '../access.ts';
import { reachesWorkflows } from '../workflow-guard.ts';

const read = { anyOf: ['contents'], level: 'read' } as const;
const write = { anyOf: ['contents'], level: 'write' } as const;

/** GitHub truncates a recursive tree at 100,000 entries. */
const maxTreeEntries = 100_000;

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const blobSchema = z.object({ content: z.string(), encoding: z.enum(['utf-8', 'base64']).default('utf-8') });
const treeSchema = z.object({
  base_tree: sha.optional(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.enum(treeModes).optional(),
      type: z.enum(['blob', 'tree', 'commit']).optional(),
      sha: sha.nullish(),
      content: z.string().optional(),
    }),
  ),
});
type RequestedEntry = z.output<typeof treeSchema>['tree'][number];
const personSchema = z.object({
  name: z.string().min(1),
  email: z.string().min(1),
  date: z.iso.datetime({ offset: true }).optional(),
});
const commitSchema = z.object({
  message: z.string().min(1),
  tree: sha,
  parents: z.array(sha).default([]),
  author: personSchema.optional(),
  committer: personSchema.optional(),
});

export function gitObjectRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.post('/repos/:owner/:repo/git/blobs', async (c) => {
    const repository = repositoryOf(c, site, write);
    const { content, encoding } = await bodyOf(c, blobSchema);
    const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
    checkBlob(repository, bytes.byteLength);
    const written = await repository.git.writeBlob(bytes);
    return c.json({ sha: written, url: `${repositoryApiUrl(site, repository)}/git/blobs/${written}` }, 201);
  });

  api.get('/repos/:owner/:repo/git/blobs/:sha{[0-9a-f]+}', async (c) => {
    const repository = repositoryOf(c, site, read);
    const blob = await repository.git.read(c.req.param('sha'));
    if (blob === null || blob.type !== 'blob') throw notFound();
    return c.json({
      sha: blob.sha,
      node_id: nodeId('Blob', `${repository.id}:${blob.sha}`),
      size: blob.size,
      url: `${repositoryApiUrl(site, repository)}/git/blobs/${blob.sha}`,
      // GitHub breaks base64 lines after 60 characters.
      content: blob.content.toString('base64').replaceAll(/.{1,60}/g, '$&\n'),
      encoding: 'base64',
    });
  });

  api.post('/repos/:owner/:repo/git/trees', async (c) => {
    const repository = repositoryOf(c, site, write);
    const wanted = await bodyOf(c, treeSchema);
    const base =
      wanted.base_tree === undefined ? null : await repository.git.describe(`${wanted.base_tree}^{tree}`);
    if (wanted.base_tree !== undefined && base === null) throw notFound();
    if (wanted.tree.length === 0 && base === null) throw unprocessable('Invalid tree info');
    const changes = await Promise.all(wanted.tree.map((entry) => prepareEntry(repository, entry)));
    const result = await applyChanges(repository.git, base?.sha ?? null, changes);
    if (result.kind === 'refused') throw unprocessable(result.message);
    await checkWorkflowPermission(c.get('caller'), repository, changes, base?.sha ?? null, result.sha);
    return c.json(await treeDocument(site, repository, result.sha, false), 201);
  });

  api.get('/repos/:owner/:repo/git/trees/:sha{.+}', async (c) => {
    const repository = repositoryOf(c, site, read);
    const name = c.req.param('sha');
    const ref = /^[0-9a-f]{40}$/.test(name) ? name : await repository.git.headOf(name);
    const tree = ref === null ? null : await repository.git.describe(`${ref}^{tree}`);
    if (tree === null) throw notFound();
    // GitHub documents that any value, even `false`, means recursive.
    return c.json(await treeDocument(site, repository, tree.sha, c.req.query('recursive') !== undefined));
  });

  api.post('/repos/:owner/:repo/git/commits', async (c) => {
    const repository = repositoryOf(c, site, write);
    const wanted = await bodyOf(c, commitSchema);
    const { git } = repository;
    if ((await git.describe(wanted.tree))?.type !== 'tree') throw unprocessable('Tree SHA does not exist');
    const parents = await Promise.all(wanted.parents.map((parent) => git.describe(parent)));
    if (parents.some((parent) => parent?.type !== 'commit'))
      throw unprocessable('Parent SHA does not exist or is not a commit object');
    const now = timestamp();
    const bot: Person = { name: site.bot.login, email: noreplyAddress(site.bot), date: now };
    const author: Person = wanted.author === undefined ? bot : withDate(wanted.author, now);
    // Without names GitHub is the committer of the App's commit, and signs it.
    const isGithubs = wanted.author === undefined && wanted.committer === undefined;
    const own: Person =
      wanted.author === undefined ? { ...bot, name: 'GitHub', email: 'noreply@github.com' } : author;
    const committer: Person = wanted.committer === undefined ? own : withDate(wanted.committer, now);
    const { tree, message } = wanted;
    const written = await git.writeCommit(
      { tree, parents: wanted.parents, author, committer, message },
      isGithubs && c.get('caller').kind === 'installation',
    );
    const commit = await git.commit(written);
    if (commit === null) throw new Error(`the commit ${written} was written but cannot be read`);
    return c.json(gitCommitDocument(site, repository, commit), 201);
  });

  api.get('/repos/:owner/:repo/git/commits/:sha{[0-9a-f]+}', async (c) => {
    const repository = repositoryOf(c, site, read);
    const commit = await repository.git.commit(c.req.param('sha'));
    if (commit === null) throw notFound();
    return c.json(gitCommitDocument(site, repository, commit));
  });

  return api;
}

function withDate(person: z.output<typeof personSchema>, now: string): Person {
  return { name: person.name, email: person.email, date: person.date ?? now };
}

async function prepareEntry(repository: Repository, entry: RequestedEntry): Promise<TreeChange> {
  const malformed = malformedPath(entry.path);
  if (malformed !== null) throw unprocessable(malformed);
  if (entry.sha === null) return { path: entry.path, mode: entry.mode ?? '100644', sha: null };
  if (entry.mode === undefined) throw unprocessable('Must supply a valid tree.mode');
  if (entry.content !== undefined) {
    if (entry.sha !== undefined) throw unprocessable('Must supply either tree.sha or tree.content, not both');
    return {
      path: entry.path,
      mode: entry.mode,
      sha: await repository.git.writeBlob(Buffer.from(entry.content)),
    };
  }
  if (entry.sha === undefined) throw unprocessable('Must supply tree.sha or tree.content');
  const expected = entry.mode === '040000' ? 'tree' : entry.mode === '160000' ? 'commit' : 'blob';
  // A submodule's commit is in another repository, so it cannot be checked.
  const found = expected === 'commit' ? 'commit' : (await repository.git.describe(entry.sha))?.type;
  if (found !== expected) throw unprocessable(`tree.sha ${entry.sha} is not a valid ${expected}`);
  return { path: entry.path, mode: entry.mode, sha: entry.sha };
}

/** Enforces `workflow-guard.ts`. A tree whose workflows equal those of its base is not a change. */
async function checkWorkflowPermission(
  caller: Caller,
  repository: Repository,
  changes: readonly TreeChange[],
  base: string | null,
  result: string,
): Promise<void> {
  if (caller.kind === 'installation' && covers(caller.token.permissions, 'workflows', 'write')) return;
  if (!changes.some((change) => reachesWorkflows(change.path))) return;
  const after = await objectIdAt(repository.git, result, '.github/workflows');
  if (base !== null && (await objectIdAt(repository.git, base, '.github/workflows')) === after) return;
  if (base === null && after === null) return;
  throw forbidden();
}

async function treeDocument(
  site: Site,
  repository: Repository,
  treeSha: string,
  recursive: boolean,
): Promise<Json> {
  const url = `${repositoryApiUrl(site, repository)}/git`;
  const all = await listTree(repository.git, treeSha, recursive);
  const entries = await Promise.all(
    all.slice(0, maxTreeEntries).map(async ({ path, mode, sha: object }) => {
      if (mode === '160000') return { path, mode, type: 'commit', sha: object };
      if (mode === '040000') return { path, mode, type: 'tree', sha: object, url: `${url}/trees/${object}` };
      const size = (await repository.git.describe(object))?.size ?? 0;
      return { path, mode, type: 'blob', sha: object, size, url: `${url}/blobs/${object}` };
    }),
  );
  return {
    sha: treeSha,
    url: `${url}/trees/${treeSha}`,
    tree: entries,
    truncated: all.length > maxTreeEntries,
  };
}
