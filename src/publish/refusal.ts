/**
 * Which of GitHub's answers end a publication for good, and what a person can do about each. What is not on the list
 * may pass (a timeout, a rate limit, GitHub's own trouble): that is thrown, and the caller tries again.
 */
import type { Reason, RepositoryFacts } from '../core/task.ts';
import { GithubMovedError, GithubRefusal } from '../github/client.ts';

/** The reason of a final refusal; null when another attempt may end differently. */
export function finalRefusal(
  error: unknown,
  facts: Pick<RepositoryFacts, 'owner' | 'name'>,
  branch: string,
): Reason | null {
  const repository = `${facts.owner}/${facts.name}`;
  if (error instanceof GithubMovedError) {
    return {
      code: 'repository-moved',
      message: `${repository} was moved while the task ran, and is out of the GitHub App’s reach. Install the App where it is now.`,
    };
  }
  if (!(error instanceof GithubRefusal)) return null;
  const said = ` GitHub says: ${error.details === '' ? `status ${error.status}` : error.details}`;
  if (error.call.endsWith('/access_tokens')) {
    if (error.status !== 403 && error.status !== 404 && error.status !== 422) return null;
    return {
      code: 'installation-permissions',
      message: `The GitHub App is no longer installed on ${repository}, or its installation lacks the permission “Contents: write” or “Pull requests: write”.${said}`,
    };
  }
  switch (error.status) {
    case 403:
      return { code: 'permission-missing', message: `${missingPermission(error.call, repository)}${said}` };
    case 404:
      return {
        code: 'repository-unreachable',
        message: `${repository}, or the commit the task started from, is no longer there for the GitHub App.${said}`,
      };
    case 409:
    case 410:
    case 413:
    case 422:
    case 451:
      return rejectedContent(error, branch, said);
    default:
      return null;
  }
}

function missingPermission(call: string, repository: string): string {
  if (call.endsWith('/pulls'))
    return `The GitHub App may not open pull requests in ${repository}: it needs “Pull requests: write”.`;
  return `The GitHub App may not write this to ${repository}: it needs “Contents: write”, and for files under .github/workflows “Workflows: write”, which it is not given.`;
}

function rejectedContent(error: GithubRefusal, branch: string, said: string): Reason {
  if (error.call.endsWith('/pulls')) {
    if (error.fields.includes('base')) {
      return {
        code: 'base-branch-gone',
        message: `The branch the pull request should go to was deleted while the task ran. The change is on the branch ${branch}.`,
      };
    }
    if (/no commits between/i.test(error.details)) {
      return {
        code: 'nothing-to-merge',
        message: 'The base branch already has this very change: there is nothing to open a pull request for.',
      };
    }
    return {
      code: 'pull-request-refused',
      message: `GitHub does not open the pull request; the change is on the branch ${branch}.${said}`,
    };
  }
  return { code: 'change-refused', message: `GitHub does not take the change.${said}` };
}
