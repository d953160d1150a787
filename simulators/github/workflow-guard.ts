/**
 * Enforces GitHub's rule that an App without the `workflows` permission cannot add, change or delete a file
 * under `.github/workflows/`.
 *
 * - REST: the Git Data API refuses the tree, and likewise the ref, with 403 "Resource not accessible by
 *   integration" (seen with installation tokens in anthropics/claude-code-action#29). OAuth tokens without
 *   the `workflow` scope get 404 instead (gr2m/octokit-plugin-create-pull-request#104).
 * - Push: GitHub refuses each ref with the message below (repo-sync/github-sync#23). git shows the message,
 *   then `hook declined`.
 */

/** Environment variable of `git http-backend`; `refuse` if the pusher lacks the permission. */
export const workflowGuardVariable = 'GITHUB_SIMULATOR_WORKFLOWS';

/** The `update` hook. Its arguments are the ref, the old and the new object id. */
export const workflowGuardHook = `#!/bin/sh
[ "$${workflowGuardVariable}" = refuse ] || exit 0
case "$3" in *[!0]*) ;; *) exit 0 ;; esac
path=$(git log --format= --name-only -c --no-renames "$3" --not --branches -- .github/workflows | head -n 1)
[ -z "$path" ] && exit 0
echo "refusing to allow a GitHub App to create or update workflow \\\`$path\\\` without \\\`workflows\\\` permission" >&2
exit 1
`;

/** Whether a tree entry at this path can change a file under `.github/workflows/`. */
export function reachesWorkflows(path: string): boolean {
  return path === '.github' || path === '.github/workflows' || path.startsWith('.github/workflows/');
}
