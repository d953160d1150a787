/**
 * May this request be worked on, and with which base, model and effort? Pure; the facts are fetched by the caller.
 *
 * What cannot be checked is refused. The order of the checks is the order of what may be told: until somebody is known
 * to be allowed, a refusal says nothing about the configuration, only what anybody can see where they asked. From
 * GitHub that includes the repository itself; from Slack it does not, since its name is only typed there: a repository
 * that is not listed, not installed or does not exist gets one and the same answer.
 */
import type { ChatPerson } from '../chat.ts';
import type { RepositoryPolicy, RepositoryRefusal } from '../policy.ts';
import { maySlackUse } from './slack-access.ts';
import type { Effort, Reason, RepositoryFacts, RoutedRequest, SlackTrigger } from '../task.ts';

export interface AuthorizeInput {
  readonly request: RoutedRequest;
  readonly policy: RepositoryPolicy | RepositoryRefusal;
  /** null: the App is not installed there, or there is no such repository. */
  readonly facts: RepositoryFacts | null;
  /** Of the requester, from the collaborator permission API; `unknown` when it could not be asked. For triggers on GitHub only. */
  readonly canWrite: boolean | 'unknown';
  /** Who asked in Slack, with the groups of the policy looked up, and the workspace that is served. For triggers in Slack only. */
  readonly chat: { readonly person: ChatPerson | null; readonly team: string } | null;
}

type Authorized = {
  readonly kind: 'allowed';
  /** null: the repository's default branch. */
  readonly base: { readonly branch: string | null };
  readonly model: string;
  readonly effort: Effort;
};
export type AuthorizeVerdict = Authorized | { readonly kind: 'refused'; readonly reason: Reason };

const refused = (code: string, message: string): AuthorizeVerdict => ({
  kind: 'refused',
  reason: { code, message },
});

export function authorize({ request, policy, facts, canWrite, chat }: AuthorizeInput): AuthorizeVerdict {
  const name = `${request.repository.owner}/${request.repository.name}`;
  if (request.trigger.kind === 'slack') {
    const refusal = slackRefusal(request.trigger, name, policy, chat);
    if (refusal !== null) return { kind: 'refused', reason: refusal };
  }
  if (facts === null) {
    const message = `The GitHub App is not installed on \`${name}\`, or there is no such repository. Install it on the repository and ask again.`;
    const fromSlack = request.trigger.kind === 'slack';
    return refused('not-installed', fromSlack ? `${message} ${repositoryFirst(name)}` : message);
  }
  if (request.trigger.kind === 'github') {
    if (request.requester === null) return refused('no-requester', 'Nobody is known to have asked for this.');
    // A repository that was deleted and made anew, or transferred, keeps its name but is another one.
    if (request.trigger.repositoryId !== facts.repositoryId) {
      return refused(
        'repository-changed',
        `\`${name}\` is no longer the repository that this was asked in. Ask again there.`,
      );
    }
    if (canWrite === 'unknown') {
      return refused(
        'permission-unknown',
        'GitHub could not say whether you may write to this repository, so that nothing was started. Ask again in a while.',
      );
    }
    if (!canWrite) {
      return refused(
        'no-write-access',
        'Only people with write access to this repository can start a task. Somebody who has it can ask here instead.',
      );
    }
  }
  if (!policy.allowed) return { kind: 'refused', reason: policy.reason };
  // Help, status and cancelling change no code: they work wherever the bot is spoken to, and take no options.
  if (request.ask.kind === 'run' && request.trigger.kind === 'github' && request.trigger.onPullRequest) {
    return refused(
      'pull-request-unsupported',
      'Working on the branch of an existing pull request is not supported yet. Mention me in an issue that says what to do, with `--base` and the branch if it should build on one.',
    );
  }

  const { base, model, effort } = request.options;
  if (model !== undefined && !policy.models.includes(model)) {
    const models = policy.models.map((known) => `\`${known}\``).join(', ');
    return refused(
      'model-not-allowed',
      `The model \`${model}\` is not allowed on this repository. \`--model\` takes one of: ${models}. Leave it out for \`${policy.model}\`.`,
    );
  }
  return {
    kind: 'allowed',
    base: { branch: base ?? policy.baseBranch },
    model: model ?? policy.model,
    effort: effort ?? policy.effort,
  };
}

/** Somebody may have begun with a path, or with `and/or`: what has the form of a repository is taken for one. */
const repositoryFirst = (name: string): string =>
  `The words begin with the repository: if \`${name}\` was part of what is to be done, write the repository before it.`;

function slackRefusal(
  trigger: SlackTrigger,
  name: string,
  policy: AuthorizeInput['policy'],
  chat: AuthorizeInput['chat'],
): Reason | null {
  if (chat === null) {
    return {
      code: 'slack-not-set-up',
      message: 'This bot is not set up for Slack, so that nothing was started.',
    };
  }
  const access = policy.allowed ? policy.slack : ({ kind: 'none' } as const);
  const verdict = maySlackUse(access, { channelId: trigger.channelId, ...chat });
  if (verdict.allowed) return null;
  const { code, message } = verdict.reason;
  return code === 'slack-not-enabled'
    ? { code, message: `${message} ${repositoryFirst(name)}` }
    : verdict.reason;
}
