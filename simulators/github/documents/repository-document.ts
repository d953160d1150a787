/** Builds GitHub's JSON for a repository, as in `GET /repos/{owner}/{repo}`, webhooks and lists. */
import type { Repository, User } from '../store.ts';
import type { Site } from '../site.ts';
import { nodeId, userDocument, type Json } from './account-document.ts';

/** URL templates below the repository's API address, by field. */
const templates = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
} as const;

export function repositoryApiUrl(site: Site, repository: Repository): string {
  return `${site.apiUrl}/repos/${repository.owner.login}/${repository.name}`;
}

export function repositoryPageUrl(site: Site, repository: Repository): string {
  return `${site.url}/${repository.owner.login}/${repository.name}`;
}

export function repositoryDocument(site: Site, repository: Repository): Json {
  const url = repositoryApiUrl(site, repository);
  const page = repositoryPageUrl(site, repository);
  const open = [...repository.issues.values()].filter((issue) => issue.state === 'open').length;
  return {
    id: repository.id,
    node_id: nodeId('Repository', repository.id),
    name: repository.name,
    full_name: `${repository.owner.login}/${repository.name}`,
    private: repository.private,
    owner: userDocument(site, repository.owner),
    html_url: page,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(templates).map(([field, template]) => [field, url + template])),
    git_url: `git://${new URL(site.url).host}/${repository.owner.login}/${repository.name}.git`,
    ssh_url: `git@${new URL(site.url).hostname}:${repository.owner.login}/${repository.name}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    mirror_url: null,
    created_at: repository.createdAt,
    updated_at: repository.createdAt,
    pushed_at: repository.createdAt,
    homepage: null,
    size: 1,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: false,
    forks_count: 0,
    archived: false,
    disabled: false,
    open_issues_count: open,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repository.private ? 'private' : 'public',
    forks: 0,
    open_issues: open,
    watchers: 0,
    default_branch: repository.defaultBranch,
    custom_properties: {},
  };
}

/** The fork in the head of a pull request. Only id and owner differ from the base repository. */
export function forkDocument(site: Site, repository: Repository, owner: User): Json {
  const fork = {
    ...repository,
    id: owner.id * 1_000_000 + repository.id,
    owner,
    issues: new Map<number, never>(),
  };
  return { ...repositoryDocument(site, fork), fork: true };
}

/** The document of `GET /repos/{owner}/{repo}`, which has more fields than the embedded one. */
export function fullRepositoryDocument(site: Site, repository: Repository): Json {
  return { ...repositoryDocument(site, repository), network_count: 0, subscribers_count: 0 };
}
