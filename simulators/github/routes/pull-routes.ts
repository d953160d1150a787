/** Pull requests: create within one repository, read also from forks. No merges. */
import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { notFound, unprocessable, validationFailed } from '../api-errors.ts';
import { commitDocument } from '../documents/commit-document.ts';
import { fullPullDocument, pullDocument } from '../documents/pull-document.ts';
import { covers } from '../installation-tokens.ts';
import { pullCommits, pullFiles, pullTotals, refreshPull } from '../pull-state.ts';
import { bodyOf, numberParam, pageOf, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import { timestamp, type Issue, type Pull, type Repository } from '../store.ts';
import { fileDocument } from './repository-routes.ts';

const read = { anyOf: ['pull_requests'], level: 'read' } as const;
const write = { anyOf: ['pull_requests'], level: 'write' } as const;

const createSchema = z.object({
  title: z.string().optional(),
  head: z.string(),
  base: z.string(),
  body: z.string().nullish(),
  draft: z.boolean().default(false),
  maintainer_can_modify: z.boolean().default(true),
});
const updateSchema = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']).optional(),
  base: z.string().optional(),
});
const reviewersSchema = z.object({
  reviewers: z.array(z.string()).default([]),
  team_reviewers: z.array(z.string()).default([]),
});

export function pullRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.post('/repos/:owner/:repo/pulls', async (c) => {
    const repository = repositoryOf(c, site, write);
    const wanted = await bodyOf(c, createSchema);
    const { issue, pull } = await openPull(site, repository, wanted);
    return c.json(await fullDocument(site, repository, issue, pull), 201);
  });

  api.get('/repos/:owner/:repo/pulls', async (c) => {
    const repository = repositoryOf(c, site, read);
    const { state = 'open', head, base, direction = 'desc' } = c.req.query();
    const shown: { issue: Issue; pull: Pull }[] = [];
    for (const one of pullsOf(repository)) {
      await refreshPull(repository, one.issue, one.pull);
      if (state !== 'all' && one.issue.state !== state) continue;
      // GitHub ignores a head filter that is not `owner:branch`.
      const { fork, headRef } = one.pull;
      if (head?.includes(':') && head !== `${(fork ?? repository.owner).login}:${headRef}`) continue;
      if (base !== undefined && base !== one.pull.baseRef) continue;
      shown.push(one);
    }
    if (direction === 'desc') shown.reverse();
    return c.json(
      pageOf(c, site, shown).map(({ issue, pull }) => pullDocument(site, repository, issue, pull)),
    );
  });

  api.get('/repos/:owner/:repo/pulls/:number', async (c) => {
    const { repository, issue, pull } = await pullOf(c, site, read);
    return c.json(await fullDocument(site, repository, issue, pull));
  });

  api.patch('/repos/:owner/:repo/pulls/:number', async (c) => {
    const { repository, issue, pull } = await pullOf(c, site, write);
    const change = await bodyOf(c, updateSchema);
    if (change.base !== undefined) {
      const sha = await repository.git.headOf(change.base);
      if (sha === null) throw validationFailed({ resource: 'PullRequest', code: 'invalid', field: 'base' });
      Object.assign(pull, { baseRef: change.base, baseSha: sha });
    }
    if (change.state === 'open' && pull.fork === null && (await repository.git.headOf(pull.headRef)) === null)
      throw validationFailed({ resource: 'PullRequest', code: 'invalid', field: 'state' });
    if (change.title !== undefined) issue.title = change.title;
    if (change.body !== undefined) issue.body = change.body;
    if (change.state !== undefined) {
      issue.state = change.state;
      issue.closedAt = change.state === 'closed' ? timestamp() : null;
    }
    issue.updatedAt = timestamp();
    return c.json(await fullDocument(site, repository, issue, pull));
  });

  api.get('/repos/:owner/:repo/pulls/:number/files', async (c) => {
    const { repository, pull } = await pullOf(c, site, read);
    const files = await pullFiles(repository, pull);
    return c.json(pageOf(c, site, files).map((file) => fileDocument(site, repository, pull.headSha, file)));
  });

  api.get('/repos/:owner/:repo/pulls/:number/commits', async (c) => {
    const { repository, pull } = await pullOf(c, site, read);
    const commits = await pullCommits(repository, pull);
    return c.json(pageOf(c, site, commits).map((commit) => commitDocument(site, repository, commit)));
  });

  api.post('/repos/:owner/:repo/pulls/:number/requested_reviewers', async (c) => {
    const { repository, issue, pull } = await pullOf(c, site, write);
    const { reviewers, team_reviewers: teams } = await bodyOf(c, reviewersSchema);
    const users = reviewers.map((login) => repository.collaborators.get(login.toLowerCase())?.user);
    if (reviewers.some((login) => login.toLowerCase() === issue.user.login.toLowerCase()))
      throw unprocessable('Review cannot be requested from pull request author.');
    const known = users.filter((user) => user !== undefined);
    if (known.length < users.length || teams.some((slug) => !repository.teams.includes(slug)))
      throw unprocessable(
        `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the ${repository.owner.login}/${repository.name} repository.`,
      );
    const caller = c.get('caller');
    // GitHub documents no permission for this, and answers so without it.
    const seesTeams = caller.kind === 'installation' && covers(caller.token.permissions, 'members', 'read');
    if (teams.length > 0 && !seesTeams)
      throw unprocessable("Could not resolve to a node with the global id of 'T_kwDOAAAAAA4AAAAA'.");
    for (const slug of teams) {
      if (pull.requestedTeams.includes(slug)) continue;
      pull.requestedTeams.push(slug);
      issue.updatedAt = timestamp();
    }
    for (const user of known) {
      if (pull.requestedReviewers.includes(user)) continue;
      pull.requestedReviewers.push(user);
      issue.updatedAt = timestamp();
    }
    return c.json(pullDocument(site, repository, issue, pull), 201);
  });

  return api;
}

export function pullsOf(repository: Repository): { issue: Issue; pull: Pull }[] {
  return [...repository.issues.values()].flatMap((issue) =>
    issue.pull === null ? [] : [{ issue, pull: issue.pull }],
  );
}

export async function pullOf(
  c: Context<ApiEnv>,
  site: Site,
  need: Parameters<typeof repositoryOf>[2],
): Promise<{ repository: Repository; issue: Issue; pull: Pull }> {
  const repository = repositoryOf(c, site, need);
  const issue = repository.issues.get(numberParam(c, 'number'));
  if (issue === undefined || issue.pull === null) throw notFound();
  await refreshPull(repository, issue, issue.pull);
  return { repository, issue, pull: issue.pull };
}

async function openPull(
  site: Site,
  repository: Repository,
  wanted: z.output<typeof createSchema>,
): Promise<{ issue: Issue; pull: Pull }> {
  const { git, owner } = repository;
  const { title } = wanted;
  if (title === undefined || title.trim() === '')
    throw validationFailed({ resource: 'PullRequest', code: 'missing_field', field: 'title' });
  const headRef = wanted.head.startsWith(`${owner.login}:`)
    ? wanted.head.slice(owner.login.length + 1)
    : wanted.head;
  const [headSha, baseSha] = await Promise.all([git.headOf(headRef), git.headOf(wanted.base)]);
  const invalid = (['head', 'base'] as const).filter(
    (field) => (field === 'head' ? headSha : baseSha) === null,
  );
  if (headSha === null || baseSha === null)
    throw validationFailed(...invalid.map((field) => ({ resource: 'PullRequest', field, code: 'invalid' })));
  if ((await git.countCommits(baseSha, headSha)) === 0) {
    const message = `No commits between ${wanted.base} and ${headRef}`;
    throw validationFailed({ resource: 'PullRequest', code: 'custom', message });
  }
  // No await between this check and the creation, so of two concurrent requests only one succeeds.
  const duplicate = pullsOf(repository).some(
    ({ issue, pull }) =>
      issue.state === 'open' &&
      pull.fork === null &&
      pull.headRef === headRef &&
      pull.baseRef === wanted.base,
  );
  if (duplicate) {
    const message = `A pull request already exists for ${owner.login}:${headRef}.`;
    throw validationFailed({ resource: 'PullRequest', code: 'custom', message });
  }
  const pull: Pull = {
    id: site.store.nextId(),
    headRef,
    headSha,
    baseRef: wanted.base,
    baseSha,
    draft: wanted.draft,
    maintainerCanModify: wanted.maintainer_can_modify,
    requestedReviewers: [],
    requestedTeams: [],
    fork: null,
    autoMergeBy: null,
    reviews: [],
    reviewComments: [],
    merged: null,
  };
  const fields = { user: site.bot, title, body: wanted.body ?? null, byApp: true, pull };
  return { issue: site.store.addIssue(repository, fields), pull };
}

async function fullDocument(
  site: Site,
  repository: Repository,
  issue: Issue,
  pull: Pull,
): Promise<Record<string, unknown>> {
  return fullPullDocument(site, repository, issue, pull, await pullTotals(repository, pull));
}
