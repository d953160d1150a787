/** Builds GitHub's JSON for reviews and for comments in a diff. */
import { changedSince } from '../reviews.ts';
import type { Issue, Pull, Repository, Review, ReviewComment } from '../store.ts';
import type { Site } from '../site.ts';
import { nodeId, userDocument, type Json } from './account-document.ts';
import { authorAssociation, issuePageUrl, reactionRollup } from './issue-document.ts';
import { repositoryApiUrl } from './repository-document.ts';

const pullUrl = (site: Site, repository: Repository, issue: Issue): string =>
  `${repositoryApiUrl(site, repository)}/pulls/${issue.number}`;

export function reviewDocument(site: Site, repository: Repository, issue: Issue, review: Review): Json {
  const page = `${issuePageUrl(site, repository, issue)}#pullrequestreview-${review.id}`;
  const pull = pullUrl(site, repository, issue);
  return {
    id: review.id,
    node_id: nodeId('PullRequestReview', review.id),
    user: userDocument(site, review.user),
    body: review.body,
    state: review.state,
    html_url: page,
    pull_request_url: pull,
    author_association: authorAssociation(repository, review.user),
    _links: { html: { href: page }, pull_request: { href: pull } },
    submitted_at: review.submittedAt,
    commit_id: review.commitId,
  };
}

/** `line` and `position` are null once the file has changed. */
export async function reviewCommentDocument(
  site: Site,
  repository: Repository,
  issue: Issue,
  pull: Pull,
  comment: ReviewComment,
): Promise<Json> {
  const url = `${repositoryApiUrl(site, repository)}/pulls/comments/${comment.id}`;
  const page = `${issuePageUrl(site, repository, issue)}#discussion_r${comment.id}`;
  const isOutdated = (await changedSince(repository, pull, comment.commitId)).has(comment.path);
  const { startLine, side } = comment;
  return {
    url,
    pull_request_review_id: comment.reviewId,
    id: comment.id,
    node_id: nodeId('PullRequestReviewComment', comment.id),
    diff_hunk: comment.diffHunk,
    path: comment.path,
    position: isOutdated ? null : comment.position,
    original_position: comment.position,
    commit_id: isOutdated ? comment.commitId : pull.headSha,
    original_commit_id: comment.commitId,
    ...(comment.inReplyTo === null ? {} : { in_reply_to_id: comment.inReplyTo }),
    user: userDocument(site, comment.user),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    html_url: page,
    pull_request_url: pullUrl(site, repository, issue),
    author_association: authorAssociation(repository, comment.user),
    _links: {
      self: { href: url },
      html: { href: page },
      pull_request: { href: pullUrl(site, repository, issue) },
    },
    start_line: isOutdated ? null : startLine,
    original_start_line: startLine,
    start_side: startLine === null ? null : side,
    line: isOutdated ? null : comment.line,
    original_line: comment.line,
    side,
    subject_type: 'line',
    reactions: reactionRollup(url, comment.reactions),
  };
}
