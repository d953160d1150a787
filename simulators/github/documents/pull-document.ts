/** GitHub's JSON for pull requests, short and full. `pull-state.ts` computes their content. */
import type { Issue, Pull, Repository, User } from '../store.ts';
import type { Site } from '../site.ts';
import { nodeId, userDocument, type Json } from './account-document.ts';
import { authorAssociation, issueApiUrl, issuePageUrl, labelDocument } from './issue-document.ts';
import { forkDocument, repositoryApiUrl, repositoryDocument } from './repository-document.ts';

export interface PullTotals {
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changedFiles: number;
  readonly mergeable: boolean;
}

export function pullDocument(site: Site, repository: Repository, issue: Issue, pull: Pull): Json {
  const url = `${repositoryApiUrl(site, repository)}/pulls/${issue.number}`;
  const page = issuePageUrl(site, repository, issue);
  const issueUrl = issueApiUrl(site, repository, issue.number);
  const statuses = `${repositoryApiUrl(site, repository)}/statuses/${pull.headSha}`;
  const side = (owner: User, repo: Json, ref: string, sha: string): Json => ({
    label: `${owner.login}:${ref}`,
    ref,
    sha,
    user: userDocument(site, owner),
    repo,
  });
  const own = repositoryDocument(site, repository);
  return {
    url,
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issueUrl,
    number: issue.number,
    state: issue.state,
    locked: issue.locked,
    title: issue.title,
    user: userDocument(site, issue.user),
    body: issue.body,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    merged_at: pull.merged?.at ?? null,
    merge_commit_sha: pull.merged?.sha ?? null,
    assignee: null,
    assignees: [],
    requested_reviewers: pull.requestedReviewers.map((user) => userDocument(site, user)),
    requested_teams: pull.requestedTeams.map((slug) => teamDocument(site, repository, slug)),
    labels: issue.labels.map((label) => labelDocument(site, repository, label)),
    milestone: null,
    draft: pull.draft,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${repositoryApiUrl(site, repository)}/pulls/comments{/number}`,
    comments_url: `${issueUrl}/comments`,
    statuses_url: statuses,
    head:
      pull.fork === null
        ? side(repository.owner, own, pull.headRef, pull.headSha)
        : side(pull.fork, forkDocument(site, repository, pull.fork), pull.headRef, pull.headSha),
    base: side(repository.owner, own, pull.baseRef, pull.baseSha),
    _links: {
      self: { href: url },
      html: { href: page },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: `${repositoryApiUrl(site, repository)}/pulls/comments{/number}` },
      commits: { href: `${url}/commits` },
      statuses: { href: statuses },
    },
    author_association: authorAssociation(repository, issue.user),
    auto_merge:
      pull.autoMergeBy === null
        ? null
        : {
            enabled_by: userDocument(site, pull.autoMergeBy),
            merge_method: 'squash',
            commit_title: issue.title,
            commit_message: '',
          },
    active_lock_reason: null,
  };
}

function teamDocument(site: Site, { id, owner }: Repository, slug: string): Json {
  const url = `${site.apiUrl}/organizations/${owner.id}/team/${id}`;
  return {
    id,
    node_id: nodeId('Team', slug),
    name: slug,
    slug,
    description: null,
    privacy: 'closed',
    notification_setting: 'notifications_enabled',
    permission: 'push',
    url,
    html_url: `${site.url}/orgs/${owner.login}/teams/${slug}`,
    members_url: `${url}/members{/member}`,
    repositories_url: `${url}/repos`,
    parent: null,
    type: 'organization',
    organization_id: owner.id,
  };
}

export function fullPullDocument(
  site: Site,
  repository: Repository,
  issue: Issue,
  pull: Pull,
  totals: PullTotals,
): Json {
  return {
    ...pullDocument(site, repository, issue, pull),
    merged: pull.merged !== null,
    mergeable: totals.mergeable,
    rebaseable: totals.mergeable,
    mergeable_state: totals.mergeable ? (pull.draft ? 'draft' : 'clean') : 'dirty',
    merged_by: pull.merged === null ? null : userDocument(site, pull.merged.by),
    comments: issue.comments.length,
    review_comments: pull.reviewComments.length,
    maintainer_can_modify: pull.maintainerCanModify,
    commits: totals.commits,
    additions: totals.additions,
    deletions: totals.deletions,
    changed_files: totals.changedFiles,
  };
}
