/** Builds the address of the comment or issue that asked for a task. */
import type { RoutedRequest } from '../core/task.ts';

/** `githubUrl`: the web address, such as `https://github.com`. Returns null for a task from elsewhere. */
export function askedUrl(githubUrl: string, { repository, trigger }: RoutedRequest): string | null {
  if (trigger.kind !== 'github') return null;
  const { issueNumber, onPullRequest, commentId } = trigger;
  const page = `${onPullRequest ? 'pull' : 'issues'}/${issueNumber}`;
  const fragment = commentId === null ? '' : `#issuecomment-${commentId}`;
  return `${githubUrl.replace(/\/+$/, '')}/${repository.owner}/${repository.name}/${page}${fragment}`;
}
