/** Read-only routes of repositories: document, collaborator permissions, branches, commits, comparisons. */
import { Hono } from 'hono';
import { notFound } from '../api-errors.ts';
import { differences, type FileDifference } from '../differences.ts';
import { userDocument, type Json } from '../documents/account-document.ts';
import { commitDocument } from '../documents/commit-document.ts';
import {
  fullRepositoryDocument,
  repositoryApiUrl,
  repositoryPageUrl,
} from '../documents/repository-document.ts';
import type { CommitObject } from '../git-repository.ts';
import { numberParam, pageOf, requireAccess, repositoryOf, type ApiEnv, type Site } from '../site.ts';
import type { Repository } from '../store.ts';

const metadata = { anyOf: ['metadata'], level: 'read' } as const;
const contents = { anyOf: ['contents'], level: 'read' } as const;

/** Maps roles to the legacy `permission` field; `role_name` has the exact role. */
const legacyPermission = {
  admin: 'admin',
  maintain: 'write',
  write: 'write',
  triage: 'read',
  read: 'read',
} as const;

export function repositoryRoutes(site: Site): Hono<ApiEnv> {
  const api = new Hono<ApiEnv>();

  api.get('/repos/:owner/:repo', (c) =>
    c.json(fullRepositoryDocument(site, repositoryOf(c, site, metadata))),
  );

  // GitHub serves every repository route below this address; the simulator only the document.
  api.get('/repositories/:repository_id', (c) => {
    const repository = site.store.repositoryById(numberParam(c, 'repository_id'));
    return c.json(fullRepositoryDocument(site, requireAccess(c, repository, metadata)));
  });

  api.get('/repos/:owner/:repo/collaborators/:login/permission', (c) => {
    const repository = repositoryOf(c, site, metadata);
    const login = c.req.param('login');
    const held = repository.collaborators.get(login.toLowerCase());
    const user = held?.user ?? site.store.findUser(login);
    if (user === null) throw notFound();
    // Everyone can read a public repository.
    const role = held?.permission ?? (repository.private ? 'none' : 'read');
    return c.json({
      permission: role === 'none' ? 'none' : legacyPermission[role],
      role_name: role === 'none' ? '' : role,
      user: {
        ...userDocument(site, user),
        role_name: role === 'none' ? '' : role,
        permissions: {
          admin: role === 'admin',
          maintain: ['admin', 'maintain'].includes(role),
          push: ['admin', 'maintain', 'write'].includes(role),
          triage: ['admin', 'maintain', 'write', 'triage'].includes(role),
          pull: role !== 'none',
        },
      },
    });
  });

  api.get('/repos/:owner/:repo/branches', async (c) => {
    const repository = repositoryOf(c, site, contents);
    const refs = await repository.git.refs('refs/heads/');
    const url = `${repositoryApiUrl(site, repository)}/commits`;
    return c.json(
      pageOf(c, site, refs).map(({ ref, sha }) => ({
        name: ref.slice('refs/heads/'.length),
        commit: { sha, url: `${url}/${sha}` },
        protected: false,
      })),
    );
  });

  api.get('/repos/:owner/:repo/branches/:branch{.+}', async (c) => {
    const repository = repositoryOf(c, site, contents);
    const name = c.req.param('branch');
    const sha = await repository.git.headOf(name);
    const commit = sha === null ? null : await repository.git.commit(sha);
    if (commit === null) throw notFound();
    const url = `${repositoryApiUrl(site, repository)}/branches/${name}`;
    const required = repository.requiredChecks.get(name);
    return c.json({
      name,
      commit: commitDocument(site, repository, commit),
      _links: { self: url, html: `${repositoryPageUrl(site, repository)}/tree/${name}` },
      protected: required !== undefined,
      protection: {
        enabled: required !== undefined,
        required_status_checks:
          required === undefined
            ? { enforcement_level: 'off', contexts: [], checks: [] }
            : {
                enforcement_level: 'non_admins',
                contexts: [required],
                checks: [{ context: required, app_id: null }],
              },
      },
      protection_url: `${url}/protection`,
    });
  });

  api.get('/repos/:owner/:repo/commits', async (c) => {
    const repository = repositoryOf(c, site, contents);
    const start = await resolveCommit(repository, c.req.query('sha') ?? repository.defaultBranch);
    if (start === null) throw notFound();
    // Enough for every client of the simulator, so the rest of the history is not read.
    const commits = await repository.git.commits(start.sha, null, 250);
    return c.json(pageOf(c, site, commits).map((commit) => commitDocument(site, repository, commit)));
  });

  api.get('/repos/:owner/:repo/commits/:ref{.+}', async (c) => {
    const repository = repositoryOf(c, site, contents);
    const commit = await resolveCommit(repository, c.req.param('ref'));
    if (commit === null) throw notFound();
    const files = await differences(repository.git, commit.parents[0] ?? null, commit.sha);
    const sum = (field: 'additions' | 'deletions'): number =>
      files.reduce((total, file) => total + file[field], 0);
    return c.json({
      ...commitDocument(site, repository, commit),
      stats: {
        additions: sum('additions'),
        deletions: sum('deletions'),
        total: sum('additions') + sum('deletions'),
      },
      files: files.map((file) => fileDocument(site, repository, commit.sha, file)),
    });
  });

  api.get('/repos/:owner/:repo/compare/:basehead{.+}', async (c) => {
    const repository = repositoryOf(c, site, contents);
    const [baseName = '', headName = ''] = c.req.param('basehead').split('...');
    const [base, head] = await Promise.all([
      resolveCommit(repository, baseName),
      resolveCommit(repository, headName),
    ]);
    if (base === null || head === null) throw notFound();
    return c.json(await comparison(site, repository, base, head));
  });

  return api;
}

/** Resolves a branch, a tag, a full or abbreviated object id, or `owner:branch`. */
async function resolveCommit(repository: Repository, name: string): Promise<CommitObject | null> {
  const own = name.startsWith(`${repository.owner.login}:`)
    ? name.slice(repository.owner.login.length + 1)
    : name;
  const short = own.replace(/^(refs\/)?(heads|tags)\//, '');
  for (const ref of [`refs/heads/${short}`, `refs/tags/${short}`]) {
    const sha = await repository.git.resolveRef(ref);
    if (sha !== null) return repository.git.commit(sha);
  }
  return /^[0-9a-f]{7,40}$/.test(own) ? repository.git.commit(own) : null;
}

export function fileDocument(site: Site, repository: Repository, sha: string, file: FileDifference): Json {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  const page = repositoryPageUrl(site, repository);
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${page}/blob/${sha}/${path}`,
    raw_url: `${page}/raw/${sha}/${path}`,
    contents_url: `${repositoryApiUrl(site, repository)}/contents/${path}?ref=${sha}`,
    ...(file.patch === null ? {} : { patch: file.patch }),
    ...(file.previousPath === null ? {} : { previous_filename: file.previousPath }),
  };
}

async function comparison(
  site: Site,
  repository: Repository,
  base: CommitObject,
  head: CommitObject,
): Promise<Json> {
  const { git } = repository;
  const mergeBaseSha = await git.mergeBase(base.sha, head.sha);
  const mergeBase = mergeBaseSha === null ? null : await git.commit(mergeBaseSha);
  // GitHub also answers 404 for unrelated histories.
  if (mergeBase === null) throw notFound();
  const [ahead, behind, commits, files] = await Promise.all([
    git.countCommits(base.sha, head.sha),
    git.countCommits(head.sha, base.sha),
    git.commits(head.sha, base.sha, 250),
    differences(git, mergeBase.sha, head.sha),
  ]);
  const range = `${base.sha}...${head.sha}`;
  const page = `${repositoryPageUrl(site, repository)}/compare/${range}`;
  const status = ahead > 0 ? (behind > 0 ? 'diverged' : 'ahead') : behind > 0 ? 'behind' : 'identical';
  return {
    url: `${repositoryApiUrl(site, repository)}/compare/${range}`,
    html_url: page,
    permalink_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    base_commit: commitDocument(site, repository, base),
    merge_base_commit: commitDocument(site, repository, mergeBase),
    status,
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    commits: commits.toReversed().map((commit) => commitDocument(site, repository, commit)),
    files: files.map((file) => fileDocument(site, repository, head.sha, file)),
  };
}
