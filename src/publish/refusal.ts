/**
 * Decides which of GitHub's answers end a publication, and names the remedy for each. All other errors are
 * transient (a time-out, a rate limit, an outage): they are thrown, and the caller retries.
 */
import type { Reason, RepositoryFacts } from '../core/task.ts';
import { GithubMovedError, GithubRefusal } from '../github/client.ts';

/** Returns the reason of a final refusal; null if the error is transient. */
export function finalRefusal(
  error: unknown,
  facts: Pick<RepositoryFacts, 'owner' | 'name'>,
  branch: string,
): Reason | null {
  const repository = `${facts.owner}/${facts.name}`;
  if (error instanceof GithubMovedError) {
    return {
      code: 'repository-moved',
      message: `${repository} moved while the task ran, and the GitHub App cannot reach it. Install the App at its new place, then retry.`,
    };
  }
  if (!(error instanceof GithubRefusal)) return null;
  const said = ` GitHub says: ${error.details === '' ? `status ${error.status}` : error.details}`;
  if (error.call.endsWith('/access_tokens')) {
    if (error.status !== 403 && error.status !== 404 && error.status !== 422) return null;
    return {
      code: 'installation-permissions',
      message: `The GitHub App is no longer installed on ${repository}, or its installation lacks the permission “Contents: write” or “Pull requests: write”. Install it or accept its permissions, then retry.${said}`,
    };
  }
  switch (error.status) {
    case 403:
      return { code: 'permission-missing', message: `${missingPermission(error.call, repository)}${said}` };
    case 404:
      return {
        code: 'repository-unreachable',
        message: `${repository}, or the commit that the task started from, no longer exists for the GitHub App. Check that the App is still installed, then retry.${said}`,
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
    return `The GitHub App may not open pull requests in ${repository}. Grant it “Pull requests: write”, then retry.`;
  return `The GitHub App may not write this change to ${repository}. Grant it “Contents: write”, then retry. It cannot write files under .github/workflows, because it does not have “Workflows: write”.`;
}

function rejectedContent(error: GithubRefusal, branch: string, said: string): Reason {
  if (error.call.endsWith('/pulls')) {
    if (error.fields.includes('base')) {
      return {
        code: 'base-branch-gone',
        message: `The base branch was deleted while the task ran. The change is on the branch ${branch}: open a pull request from it.`,
      };
    }
    if (/no commits between/i.test(error.details)) {
      return {
        code: 'nothing-to-merge',
        message: 'The base branch already has this change, so there is nothing to merge.',
      };
    }
    return {
      code: 'pull-request-refused',
      message: `GitHub refused to open the pull request. The change is on the branch ${branch}.${said}`,
    };
  }
  return { code: 'change-refused', message: `GitHub refused the change.${said}` };
}
