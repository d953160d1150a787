/**
 * The reasons that GitHub's answers give, for `github/status-meaning.ts`. `{repository}` and `{status}` are
 * the call's. GitHub’s own words are added to what happened.
 */
import type { ReasonRow } from './reasons.ts';

const bypass = 'Let the GitHub App bypass it (Settings → Rules → Rulesets → Bypass list)';
const bypassRule = 'let the GitHub App bypass the rule (Settings → Rules → Rulesets → Bypass list)';

// One row a line: whose doing, what happened, what to do next.
// prettier-ignore
export const githubReasons = {
  'app-refused': ['operator', 'GitHub does not accept the signature of the GitHub App, so nothing can be done there.', 'The operator of this bot can run `npm run doctor`, which says whether the App’s id, its key or the clock is wrong.'],
  'token-refused': ['github', 'GitHub no longer accepts the token of this task.', 'Ask again; a new task gets a new token.'],
  'installation-suspended': ['repository', 'The installation of the GitHub App on {repository} is suspended.', 'Unsuspend it (Settings → GitHub Apps → Configure), then retry.'],
  'ip-allow-list': ['repository', 'The owner of {repository} has an IP allow list that does not contain the address of this bot.', 'Add the address there, or allow those of installed GitHub Apps, then retry.'],
  'single-sign-on': ['repository', 'The owner of {repository} requires single sign-on, and GitHub refused the GitHub App for it.', 'An owner of the organization can approve the App, then retry.'],
  'repository-archived': ['repository', '{repository} is archived, so GitHub takes no change and no comment there.', 'Unarchive it, then retry.'],
  'repository-locked': ['repository', '{repository} is locked while it is migrated.', 'Wait for the end of the migration, then retry at its new place.'],
  'repository-blocked': ['github', 'GitHub has disabled {repository}.', 'Its owner can ask GitHub Support.'],
  'repository-empty': ['repository', '{repository} is empty: it has no commit yet, so there is nothing to start from.', 'Push a first commit (a README is enough), then ask again.'],
  'interaction-limit': ['repository', '{repository} limits interactions, for example to collaborators, and the GitHub App is not among them.', 'Lift the limit (Settings → Moderation options → Interaction limits), then retry.'],
  'conversation-locked': ['repository', 'The conversation in {repository} is locked, so GitHub takes no comment there.', 'Unlock it, then ask again.'],
  blocked: ['repository', 'The owner of {repository} has blocked the GitHub App’s account, or the person that it names.', 'Unblock it (Settings → Moderation → Blocked users), then retry.'],
  'taken-for-spam': ['github', 'GitHub took this for spam and did not publish it.', 'Ask GitHub Support to clear the GitHub App’s account.'],
  'issues-disabled': ['repository', 'Issues are disabled in {repository}.', 'Enable them (Settings → General → Features), then retry.'],
  'issue-deleted': ['people', 'The issue was deleted in {repository}, so it can be neither read nor answered.', 'Ask in another issue.'],
  'ruleset-creation': ['repository', 'A ruleset of {repository} restricts who may create this branch.', `${bypass}, or set another \`branchPrefix\`, then retry.`],
  'ruleset-name': ['repository', 'A ruleset of {repository} does not allow the name of this branch.', 'Set a `branchPrefix` that matches its pattern, or let the GitHub App bypass the ruleset, then retry.'],
  'ruleset-message': ['repository', 'A ruleset of {repository} demands another form of commit messages.', `${bypass}, then retry; or ask again and give the form that the title must have.`],
  'ruleset-signatures': ['repository', '{repository} requires verified signatures, and a commit on this branch has none. GitHub signs Airlock’s commits if `commit.author` is not set.', `Remove that key, or ${bypassRule}, then retry.`],
  'ruleset-email': ['repository', 'A ruleset of {repository} allows only certain e-mail addresses in commits, and not that of the GitHub App.', `${bypass}, or set \`commit.author\`, then retry.`],
  'ruleset-files': ['repository', 'A ruleset or limit of {repository} does not allow a file of this change: its path, extension or size.', `${bypass}, or ask for a change without that file.`],
  'ruleset-history': ['repository', 'A ruleset of {repository} does not allow merge commits on this branch.', `${bypass}, then retry; or rebase the branch by hand.`],
  'push-protection': ['codex', 'GitHub’s push protection found a secret in this change.', 'Ask for a change without it, and revoke the secret if it is real. If it is none, allow it (Security → Secret scanning → Push protection), then retry.'],
  'branch-protected.queue': ['repository', 'The branch in {repository} takes changes only from its merge queue.', `${bypass}, then retry.`],
  'branch-protected.review': ['repository', 'The branch in {repository} takes changes only through a pull request onto it.', `${bypass}, then retry.`],
  'branch-protected.checks': ['repository', 'A rule of {repository} demands passed checks before a commit gets onto this branch.', 'Let the rule not apply to it, or not to its creation (“Do not require status checks on creation”), then retry.'],
  'branch-protected.frozen': ['repository', 'A rule of {repository} does not let the GitHub App change this branch: it is locked, or only certain people may push to it.', `${bypass}, then retry.`],
  'branch-protected.hook': ['repository', 'A pre-receive hook of the server refused this push to {repository}.', 'Do what its words demand, or ask the server’s administrator to let the GitHub App pass, then retry.'],
  'branch-protected.unnamed': ['repository', 'GitHub does not let the GitHub App create or move this branch of {repository}, and names no rule.', 'Look for one that matches the branch (Settings → Branches, Settings → Rules), and let the GitHub App bypass it or set another `branchPrefix`, then retry.'],
  'branch-protected': ['repository', 'A rule of {repository} does not let the GitHub App push this.', `${bypass}, then retry.`],
  'installation-permissions': ['repository', 'The GitHub App is no longer installed on {repository}, or its installation lacks a permission (“Contents: write”, “Issues: write”, “Pull requests: write”).', 'Install it or accept its permissions, then retry.'],
  'permission-missing.checks': ['repository', 'The GitHub App may not read the checks of {repository}.', 'Grant it “Checks: read”, “Commit statuses: read” and “Actions: read”, then ask again.'],
  'permission-missing.receipts': ['repository', 'The GitHub App may not write check runs in {repository}, which the receipt needs there.', 'Grant it “Checks: write” and accept it.'],
  'permission-missing.pulls': ['repository', 'The GitHub App may not open pull requests in {repository}.', 'Grant it “Pull requests: write”, then retry.'],
  'permission-missing.code': ['repository', 'The GitHub App may not read the code of {repository}.', 'Grant it “Contents: write”, then retry.'],
  'permission-missing.change': ['repository', 'The GitHub App may not write this change to {repository}.', 'Grant it “Contents: write”, then retry. It cannot write files under .github/workflows, because it does not have “Workflows: write”.'],
  'permission-missing.people': ['repository', 'The GitHub App may not ask who has access to {repository}.', 'Grant it “Metadata: read”, then retry.'],
  'permission-missing.conversation': ['repository', 'The GitHub App may not read or write this conversation in {repository}.', 'Grant it “Issues: write” and “Pull requests: write”, then retry.'],
  'permission-missing': ['repository', 'GitHub does not let the GitHub App do this in {repository}.', 'Check its permissions and where it is installed, then retry.'],
  'pull-requests-unavailable': ['repository', '{repository} takes no pull requests from the GitHub App: they are disabled there, or the App was removed.', 'Enable them (Settings → General → Features) or install the App, then retry.'],
  'checks-gone': ['people', 'The checks of this commit in {repository} no longer exist: its branch was rewritten, or they have expired.', 'Run the checks again, then ask again.'],
  'conversation-gone': ['people', 'The conversation in {repository} no longer exists for the GitHub App: it was deleted or transferred, or issues are disabled.', 'Ask again where the conversation is now.'],
  'line-comment-gone': ['people', 'The line comment in {repository} was deleted, so it takes no reply.', 'Ask in the conversation of the pull request.'],
  'repository-unreachable': ['people', '{repository}, or the commit that the task started from, no longer exists for the GitHub App.', 'Check that the App is still installed, then retry.'],
  'conversation-moved': ['people', 'The issue, or {repository} itself, was moved to another place.', 'Ask again there.'],
  'repository-moved': ['people', '{repository} moved while the task ran, and the GitHub App cannot reach it.', 'Install the App at its new place, then retry.'],
  'base-branch-gone': ['people', 'The base branch was deleted while the task ran.', 'Restore it and retry, or ask again with another `--base`.'],
  'nothing-to-merge': ['people', 'The base branch already has this change, so there is nothing to merge.', 'Nothing is left to do. Ask again if something is missing.'],
  'pull-request-refused': ['github', 'GitHub refused to open the pull request.', 'Do what its words demand, then retry.'],
  'change-refused': ['github', 'GitHub refused the change.', 'Do what its words demand, then retry, or ask for a smaller change.'],
  'request-refused': ['github', 'GitHub refused what the GitHub App asked of {repository}.', 'Do what its words demand, then retry.'],
  'github-unavailable': ['github', 'GitHub is not available: it answered with status {status}.', 'Ask again when GitHub is back.'],
  'github-rate-limited': ['github', 'GitHub’s rate limit is reached; it asks to wait {time}.', 'Ask again after that time.'],
  'github-unreachable': ['github', 'GitHub could not be reached ({why}).', 'Ask again in a few minutes. If it lasts, the operator of this bot can run `npm run doctor`.'],
  'request-invalid': ['airlock', 'GitHub did not understand a request of this bot (status {status}).', 'Please report this to its operator.'],
} as const satisfies Record<string, ReasonRow>;
