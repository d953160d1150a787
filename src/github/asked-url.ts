/** Builds the address of what asked for a task: a comment, a line comment, a review or an issue. */
import type { RoutedRequest } from '../core/task.ts';

/** `githubUrl`: the web address, such as `https://github.com`. Returns null for a task from elsewhere. */
export function askedUrl(githubUrl: string, { repository, trigger }: RoutedRequest): string | null {
  if (trigger.kind !== 'github') return null;
  const { issueNumber, onPullRequest, event, commentId, reviewId } = trigger;
  const page = `${onPullRequest ? 'pull' : 'issues'}/${issueNumber}`;
  const comment = commentId === null ? '' : `#issuecomment-${commentId}`;
  const review = reviewId === undefined ? '' : `#pullrequestreview-${reviewId}`;
  const fragment =
    event === 'review_comment' ? `#discussion_r${commentId}` : event === 'review' ? review : comment;
  return `${githubUrl.replace(/\/+$/, '')}/${repository.owner}/${repository.name}/${page}${fragment}`;
}
