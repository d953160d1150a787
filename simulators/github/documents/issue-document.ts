/** Builds GitHub's JSON for issues, comments, labels and reactions. */
import type { Comment, Issue, Label, Reaction, Repository, User } from '../store.ts';
import type { Site } from '../site.ts';
import { appDocument, nodeId, userDocument, type Json } from './account-document.ts';
import { repositoryApiUrl, repositoryPageUrl } from './repository-document.ts';

export function labelDocument(site: Site, repository: Repository, label: Label): Json {
  return {
    id: label.id,
    node_id: nodeId('Label', label.id),
    url: `${repositoryApiUrl(site, repository)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: null,
  };
}

export function reactionDocument(site: Site, reaction: Reaction): Json {
  return {
    id: reaction.id,
    node_id: nodeId('Reaction', reaction.id),
    user: userDocument(site, reaction.user),
    content: reaction.content,
    created_at: reaction.createdAt,
  };
}

export function reactionRollup(url: string, reactions: readonly Reaction[]): Json {
  const count = (content: Reaction['content']): number =>
    reactions.filter((one) => one.content === content).length;
  return {
    url: `${url}/reactions`,
    total_count: reactions.length,
    '+1': count('+1'),
    '-1': count('-1'),
    laugh: count('laugh'),
    hooray: count('hooray'),
    confused: count('confused'),
    heart: count('heart'),
    rocket: count('rocket'),
    eyes: count('eyes'),
  };
}

export function authorAssociation(repository: Repository, user: User): string {
  if (user.id === repository.owner.id) return 'OWNER';
  return repository.collaborators.has(user.login.toLowerCase()) ? 'COLLABORATOR' : 'NONE';
}

export function issueApiUrl(site: Site, repository: Repository, number: number): string {
  return `${repositoryApiUrl(site, repository)}/issues/${number}`;
}

export function issuePageUrl(site: Site, repository: Repository, issue: Issue): string {
  return `${repositoryPageUrl(site, repository)}/${issue.pull === null ? 'issues' : 'pull'}/${issue.number}`;
}

export function issueDocument(site: Site, repository: Repository, issue: Issue): Json {
  const url = issueApiUrl(site, repository, issue.number);
  const page = issuePageUrl(site, repository, issue);
  return {
    id: issue.id,
    node_id: nodeId('Issue', issue.id),
    url,
    repository_url: repositoryApiUrl(site, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: page,
    number: issue.number,
    state: issue.state,
    title: issue.title,
    body: issue.body,
    user: userDocument(site, issue.user),
    labels: issue.labels.map((label) => labelDocument(site, repository, label)),
    assignee: null,
    assignees: [],
    milestone: null,
    locked: issue.locked,
    active_lock_reason: null,
    comments: issue.comments.length,
    closed_at: issue.closedAt,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    author_association: authorAssociation(repository, issue.user),
    reactions: reactionRollup(url, issue.reactions),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: issue.byApp ? appDocument(site) : null,
    state_reason: null,
    ...(issue.pull === null
      ? {}
      : {
          draft: issue.pull.draft,
          pull_request: {
            url: `${repositoryApiUrl(site, repository)}/pulls/${issue.number}`,
            html_url: page,
            diff_url: `${page}.diff`,
            patch_url: `${page}.patch`,
            merged_at: issue.pull.merged?.at ?? null,
          },
        }),
  };
}

export function commentDocument(site: Site, repository: Repository, issue: Issue, comment: Comment): Json {
  const url = `${repositoryApiUrl(site, repository)}/issues/comments/${comment.id}`;
  return {
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    url,
    html_url: `${issuePageUrl(site, repository, issue)}#issuecomment-${comment.id}`,
    issue_url: issueApiUrl(site, repository, issue.number),
    user: userDocument(site, comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    author_association: authorAssociation(repository, comment.user),
    reactions: reactionRollup(url, comment.reactions),
    performed_via_github_app: comment.byApp ? appDocument(site) : null,
  };
}
