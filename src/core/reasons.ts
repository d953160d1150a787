/**
 * Every reason for an end without a published change, but those of GitHub's answers (`github-reasons.ts`) and
 * of the gate (`gate-rules.ts`): whose doing, what happened, what to do next. `{name}` is a value that the
 * caller gives; `reason.ts` fills it in.
 */
import type { CloneResult } from './checkout.ts';
import type { ChangeLine } from './change-set.ts';

/** Whose doing it is, to follow “Cause:”. */
export const causes = {
  request: 'what was asked for',
  access: 'missing access',
  people: 'what somebody did in the meantime',
  repository: 'the settings or the state of the repository',
  setup: 'the setup command of the repository',
  codex: 'the work of Codex',
  limits: 'a limit of the configuration',
  configuration: 'the configuration of this bot',
  operator: 'the set-up of this bot',
  airlock: 'an error in Airlock',
  machine: 'the machine that runs the sandbox',
  github: 'GitHub',
  slack: 'Slack',
} as const;
export type Cause = keyof typeof causes;

export type ReasonRow = readonly [cause: Cause, what: string, next: string];

const notCloned = '{repository} could not be cloned: {error}.';
const notCollected = 'The change could not be collected from the sandbox: {error}';
const operatorAllows = 'Ask the operator of this bot, who can change that in its configuration.';
const askAgain = 'Ask again to start over.';
const retryOrApply = 'Mention me with `retry`, or apply the patch';
const overload =
  'Ask again. If it happens often, the operator has to give the machine less to do or more room.';
const smaller = 'Ask for a smaller change.';
const logHasMore = 'Ask again. If it fails again, the operator of this bot finds the cause in its log.';

/** Exhaustive: the compiler misses a row for each new code of the collector and of the clone. */
type FromSandbox =
  | `collect-${Extract<ChangeLine, { type: 'failed' }>['code']}`
  | `clone-${Extract<CloneResult, { ok: false }>['code']}`;

// One row a line.
// prettier-ignore
const sandboxReasons = {
  'clone-not-found': ['people', notCloned, 'Check that the repository still exists and that the GitHub App is installed on it, then ask again.'],
  'clone-refused': ['github', notCloned, logHasMore],
  'clone-commit-not-found': ['people', notCloned, 'Its branch was rewritten in the meantime. Ask again, to start from its new head.'],
  'clone-unreachable': ['github', notCloned, 'Ask again in a few minutes.'],
  'clone-disk-full': ['machine', notCloned, 'The operator of this bot has to give sandboxes a larger disk.'],
  'clone-bad-tree': ['repository', notCloned, 'Remove from the repository what git cannot check out, then ask again.'],
  'clone-lfs-failed': ['repository', notCloned, 'Check its Git LFS objects and quota, or switch `lfs` off in the configuration, then ask again.'],
  'clone-bad-job': ['airlock', notCloned, logHasMore],
  'clone-git-failed': ['machine', notCloned, logHasMore],
  'collect-too-large': ['codex', notCollected, smaller],
  'collect-too-many-files': ['codex', notCollected, smaller],
  'collect-base-missing': ['codex', notCollected, askAgain],
  'collect-working-tree-missing': ['codex', notCollected, askAgain],
  'collect-processes-remain': ['codex', notCollected, askAgain],
  'collect-disk-full': ['machine', notCollected, 'Ask for less at once, or have the operator give sandboxes a larger disk.'],
  'collect-bad-job': ['airlock', notCollected, logHasMore],
  'collect-git-failed': ['machine', notCollected, logHasMore],
} as const satisfies Record<FromSandbox, ReasonRow>;

// prettier-ignore
export const ownReasons = {
  ...sandboxReasons,

  // Nothing was started: the request, its place, or the person.
  'mention-invalid': ['request', '{problem}', 'Mention me with `help` for what I understand.'],
  'mention-not-displayed': ['request', 'GitHub does not display the mention as words of the person who wrote the text.', 'Write the mention in a comment of your own.'],
  'model-not-allowed': ['request', 'The model {model} is not allowed on this repository.', '`--model` takes one of: {models}. Leave it out for {usual}.'],
  'base-missing': ['request', 'There is no branch “{branch}” in {repository}.', 'Name an existing one with `--base`.'],
  'base-in-pull-request': ['request', '`--base` has no place in a pull request: the work goes onto its branch.', 'Leave it out, or mention me in an issue.'],
  'no-pull-request': ['request', 'Conflicts are resolved in a pull request.', 'Ask for it in a comment there.'],
  'no-choice': ['request', 'Nobody chose a repository within 12 hours, so nothing was started.', 'Ask again and name the repository first.'],
  'asked-long-ago': ['operator', 'This was asked {age}, when Airlock could not be reached, so nothing was started.', 'If it is still wanted, mention me with `retry`.'],
  'no-requester': ['github', 'Airlock could not tell who asked for this.', 'Ask in a comment of your own.'],
  'no-write-access': ['access', 'Only people with write access to this repository can start a task.', 'Somebody who has it can ask here instead.'],
  'permission-unknown': ['github', 'GitHub could not say whether you may write to this repository, so nothing was started.', 'Ask again in a few minutes.'],
  'repository-changed': ['people', '{repository} is no longer the repository that this was asked in.', 'Ask again there.'],
  'repository-not-listed': ['configuration', '{repository} is not listed in `{file}`.', 'Ask the maintainer of this bot to add it there under `repositories`.'],
  'repository-excluded': ['configuration', '{repository} is switched off by the entry `{entry}` in `{file}`.', 'Ask the maintainer of this bot to change it.'],
  'not-allowed': ['configuration', 'This repository is not available.', operatorAllows],
  'budget-spent': ['limits', 'The budget of this month is used up: {whose} have spent {spent} of {cap}.', 'It is free again on {day} (UTC): ask again then. Until then the operator of this bot can raise `budget` in its configuration.'],
  'not-installed': ['operator', 'The GitHub App is not installed on {repository}, or there is no such repository.', 'Install it on the repository and ask again.'],
  'not-installed.named': ['operator', 'The GitHub App is not installed on {repository}, or there is no such repository.', 'Install it on the repository and ask again. The words begin with the repository: if {repository} was part of what is to be done, write the repository before it.'],
  'also-read-not-installed': ['operator', 'The GitHub App is not installed on {which} `alsoRead` names for this repository, so nothing was started.', 'The operator of this bot can install it there or remove the name from the configuration.'],

  // Slack: who may ask, and Slack's own refusals.
  'no-repository': ['access', 'You cannot use any repository from here.', 'Ask the operator of this bot, who decides who can use which repository from which channels.'],
  'slack-not-set-up': ['operator', 'This bot is not set up for Slack, so nothing was started.', 'Ask the operator of this bot to set it up, or ask on GitHub.'],
  'slack-not-configured': ['operator', 'Slack is not set up for this workspace here.', 'Ask the operator of this bot to set it up, or ask on GitHub.'],
  'slack-person-unknown': ['slack', 'Slack does not say who you are, so nothing was started.', 'Ask again in a few minutes, or ask on GitHub.'],
  'slack-other-workspace': ['access', 'Only members of the Slack workspace that this bot was set up for can ask for anything here.', 'Somebody of that workspace can ask instead.'],
  'slack-bot': ['access', 'Apps and workflows cannot ask for anything here.', 'Only people can: write the request yourself.'],
  'slack-deactivated': ['access', 'This Slack account is deactivated.', 'Ask with an active account.'],
  'slack-guest': ['access', 'Guests cannot ask for anything here.', 'A full member of this workspace can.'],
  'slack-not-enabled': ['access', 'This repository may not be used from Slack.', operatorAllows],
  'slack-not-enabled.named': ['access', 'This repository may not be used from Slack.', `${operatorAllows} The words begin with the repository: if {repository} was part of what is to be done, write the repository before it.`],
  'slack-person-not-listed': ['access', 'You are not among the people who may use this repository from Slack.', operatorAllows],
  'slack-channel-not-listed': ['access', 'This repository may only be used from certain channels, and this is not one of them.', `Ask there. ${operatorAllows}`],
  'slack-rate-limited': ['slack', 'Slack’s rate limit is reached; it asks to wait {time}.', 'Ask again after that time.'],
  'slack-refused.transient': ['slack', 'Slack answered {method} with {code}.', 'Try again later.'],
  'slack-refused.ours': ['operator', 'Slack answered {method} with {code}.', 'An operator has to check the app’s token and scopes: `npm run doctor` names them.'],
  'slack-refused.gone': ['people', 'Slack answered {method} with {code}: what was asked for no longer exists there.', 'Ask again in another message.'],
  'slack-refused.closed': ['people', 'Slack answered {method} with {code}.', 'Invite the app to the channel, or ask in another one.'],
  'slack-refused': ['slack', 'Slack answered {method} with {code}.', 'Ask again, or report it to an operator.'],

  // A pull request that takes no commit.
  'pull-request-gone': ['people', 'Pull request {number} does not exist any more.', 'Mention me in an issue.'],
  'pull-request-merged': ['people', 'Pull request {number} is merged.', 'Mention me in an issue that says what else to change.'],
  'pull-request-closed': ['people', 'Pull request {number} is closed.', 'Reopen it and ask again, or mention me in an issue.'],
  'branch-gone': ['people', 'The branch of pull request {number} was deleted.', 'Restore it and ask again, or mention me in an issue.'],
  'pull-request-read-only': ['repository', '{why}', 'The conflicts have to be resolved by somebody who may push to it.'],
  'conversation-locked.here': ['repository', '{why} The answer would be a comment, and this conversation is locked.', 'Unlock it and ask again.'],
  'read-only': ['repository', '{why}', 'Apply the patch, on a branch that somebody reviews.'],
  'pull-request-gone.meanwhile': ['people', '{said}', 'Apply the patch on another branch.'],
  'pull-request-from-fork.meanwhile': ['repository', '{said}', 'Apply the patch there.'],
  'pull-request-merged.meanwhile': ['people', '{said}', 'Apply the patch on a new branch, or ask for the change in an issue.'],
  'pull-request-closed.meanwhile': ['people', '{said}', `Reopen it. ${retryOrApply} on a new branch.`],
  'head-is-default-branch.meanwhile': ['repository', '{said}', 'Apply the patch on another branch, and open a pull request from it.'],
  'branch-deleted.meanwhile': ['people', '{said}', `Restore the branch. ${retryOrApply} on another branch.`],
  'branch-moved.meanwhile': ['people', '{said}', 'Mention me with `retry`, so that Codex starts from the new head, or apply the patch by hand.'],
  'auto-merge-enabled.meanwhile': ['people', '{said}', `Disable auto-merge. ${retryOrApply}.`],
  'branch-protected.meanwhile': ['repository', '{said}', `Let the GitHub App bypass the rule. ${retryOrApply}.`],

  // A merge.
  'merge-failed': ['repository', '{branch} could not be merged in the sandbox: {error}.', 'Merge it by hand.'],
  'merge-unresolved': ['codex', '{problem}', 'Say how to resolve it and ask again, or merge the base branch by hand.'],
  'merge-too-large': ['repository', 'Both sides changed too many folders.', 'Merge the base branch by hand.'],
  'merge-differs': ['codex', 'The sandbox merged something else than GitHub has, so nothing was published.', 'Mention me with `retry`, or merge the base branch by hand.'],
  'branch-moved.merge': ['people', 'The merge was not added to this pull request: somebody pushed to its branch in the meantime; nothing was overwritten.', 'Mention me with `retry`, so that Codex merges the new head.'],
  'pull-request-closed.merge': ['people', '{said}', 'Reopen it, then retry.'],
  'branch-deleted.merge': ['people', '{said}', 'Restore the branch, then retry.'],
  'auto-merge-enabled.merge': ['people', '{said}', 'Disable auto-merge, then retry.'],
  'merge-not-added': ['people', '{said}', 'Nothing is left to merge here.'],

  // The sandbox.
  'sandbox-unavailable': ['machine', 'No sandbox could be started: the platform aborted every attempt for three minutes.', 'Ask again later.'],
  'sandbox-not-intercepted': ['operator', 'The sandbox’s outbound interception is off, so nothing was started.', 'The operator’s log has the remedy.'],
  'sandbox-unsupported': ['configuration', 'There can be no sandbox as `sandbox` in the configuration says, so nothing was started.', 'The operator’s log has the remedy.'],
  'not-sealed': ['operator', 'The sandbox is not sealed as it has to be ({probes}); nothing was run in it.', 'The operator’s log says what each probe got.'],
  'sandbox-not-checked': ['machine', 'The sandbox could not be checked in time, so nothing was started.', overload],
  'sandbox-lost': ['machine', 'The sandbox was lost while the task ran: its machine was restarted, or it went over its limits.', askAgain],
  'sandbox-lost.unreachable': ['machine', 'The sandbox could not be reached for five minutes.', askAgain],
  'guidance-failed': ['airlock', 'The guidance for agents of the base branch could not be put in place, so Codex was not started.', logHasMore],
  'setup-failed': ['setup', '{failure} Codex was not started.{output}', 'Mend the command, or mark it as `optional` in the configuration, then ask again.'],
  'setup-timed-out': ['setup', '{failure} Codex was not started.{output}', 'Make it faster, or raise `limits.minutes` in the configuration, then ask again.'],
  'setup-overdue': ['machine', 'Setup did not end, though its time was over, and the task was given up.', askAgain],
  'setup-unknown': ['setup', 'Setup was ended before it could say how it went: something in it killed it, or the sandbox went over its limits.', askAgain],
  'setup-left-a-mess': ['setup', 'After setup the sandbox was not fit for work ({problem}), so Codex was not started.', 'Change the setup command so that it leaves the checkout as it is, then ask again.'],

  // Codex and its change.
  'codex-failed': ['codex', '{failure}', logHasMore],
  'codex-failed.limit': ['limits', '{failure}', 'Ask for less at once, or raise `limits` in the configuration.'],
  'change-too-large': ['codex', 'The change is too large to publish: {why}.', smaller],
  'change-too-large.slow': ['codex', 'The change is too large to be collected from the sandbox (20 MiB), or could not be read in time.', smaller],
  'change-malformed': ['airlock', 'The change from the sandbox cannot be used: {why}.', askAgain],
  'change-path-refused': ['codex', '{problem}', 'Ask again, and say how its files are to be named.'],

  // Publication.
  'access-lost': ['people', '{who} could use this repository when the task started and no longer can, so the change is not published.', 'Somebody who can use it has to approve the change.'],
  'branch-taken': ['people', 'The branch {branch} and its alternatives -2 to -{last} exist and belong to others.', 'Delete one of them and retry.'],
  'repository-renamed': ['people', '{before} was renamed or moved while this task ran; it is {now} now.', 'Make sure that the configuration allows the new name, then ask again.'],
  'repository-renamed.kept': ['people', '{before} was renamed or moved while this task ran; it is {now} now.', 'Make sure that the configuration allows the new name, then retry the publication.'],
  'renamed-not-allowed': ['configuration', '{before} was renamed or moved to {now}, which the configuration does not allow.', 'Allow it there, then retry the publication.'],

  // Ends that Airlock decides.
  overdue: ['airlock', 'The task did not end in its time and was given up.', askAgain],
  'queue-overdue': ['machine', 'No sandbox became free for this task within 24 hours.', 'Ask again. The operator can allow more sandboxes at once (`slots` in the configuration).'],
  'workflow-aborted': ['airlock', 'The work on this task was aborted by an internal error.', logHasMore],
  'step-failed': ['airlock', 'An internal error stopped the task ({phase}).', logHasMore],
  cancelled: ['people', 'Cancelled by {by}.', 'Retry it, or ask again, if it is still wanted.'],
  'nothing-changed': ['codex', 'Codex ended without a change.', 'If you expected one, ask again and say what is to be different.'],
  'nothing-published': ['codex', '{leftOut}', 'Ask again for a change without these files, or add them by hand.'],
} as const satisfies Record<string, ReasonRow>;
