/** Copies of the simulator's state for assertions. */
import type {
  CommentView,
  IssueView,
  PullView,
  RepositoryName,
  ReviewCommentView,
  TokenView,
} from './contract.ts';
import { issuePageUrl } from './documents/issue-document.ts';
import { repositoriesOf, type InstallationToken } from './installation-tokens.ts';
import { requireRepository } from './user-actions.ts';
import { refreshPull } from './pull-state.ts';
import { pullsOf } from './routes/pull-routes.ts';
import type { Comment, Issue, ReviewComment } from './store.ts';
import type { Site } from './site.ts';

export function issueView(issue: Issue): IssueView {
  return {
    id: issue.id,
    number: issue.number,
    title: issue.title,
    body: issue.body ?? '',
    author: issue.user.login,
    state: issue.state,
    labels: issue.labels.map((label) => label.name),
    isPullRequest: issue.pull !== null,
  };
}

export async function pullViews(site: Site, of: RepositoryName): Promise<readonly PullView[]> {
  const repository = requireRepository(site, of);
  const views: PullView[] = [];
  for (const { issue, pull } of pullsOf(repository)) {
    await refreshPull(repository, issue, pull);
    views.push({
      ...issueView(issue),
      draft: pull.draft,
      headRef: pull.headRef,
      headSha: pull.headSha,
      baseRef: pull.baseRef,
      baseSha: pull.baseSha,
      url: issuePageUrl(site, repository, issue),
      requestedReviewers: pull.requestedReviewers.map((user) => user.login),
      requestedTeams: pull.requestedTeams,
    });
  }
  return views;
}

export function reviewCommentView(comment: ReviewComment): ReviewCommentView {
  const { path, line, inReplyTo, reactions } = comment;
  return {
    ...commentView(comment),
    path,
    line,
    inReplyTo,
    reactions: reactions.map(({ content }) => content),
  };
}

export function commentView(comment: Comment | ReviewComment): CommentView {
  return {
    id: comment.id,
    author: comment.user.login,
    authorType: comment.user.type,
    body: comment.body,
    versions: [...comment.versions],
    createdAt: comment.createdAt,
    updatedAt: comment.updatedAt,
  };
}

export function tokenView(token: InstallationToken): TokenView {
  return {
    token: token.token,
    installationId: token.installation.id,
    permissions: token.permissions,
    repositories: repositoriesOf(token).map((one) => `${one.owner.login}/${one.name}`),
    createdAt: token.createdAt,
    expiresAt: token.expiresAt,
    revoked: token.revoked,
    used: token.used,
  };
}
