/**
 * Decides whether a request may be worked on, and with which base, model and effort. Pure; the caller fetches
 * the facts.
 *
 * Refuses what cannot be checked. The order of the checks decides what a refusal reveals: until a person is
 * known to be allowed, a refusal says nothing about the configuration, only what anybody can see where they
 * asked. On GitHub that includes the repository itself. In Slack it does not, since people only type its name
 * there: a repository that is not listed, not installed or does not exist gets the same answer.
 */
import type { ChatPerson } from '../chat.ts';
import type { RepositoryPolicy, RepositoryRefusal } from '../policy.ts';
import { maySlackUse } from './slack-access.ts';
import type { Effort, Reason, RepositoryFacts, RoutedRequest, SlackTrigger } from '../task.ts';

export interface AuthorizeInput {
  readonly request: RoutedRequest;
  readonly policy: RepositoryPolicy | RepositoryRefusal;
  /** Null: the App is not installed there, or the repository does not exist. */
  readonly facts: RepositoryFacts | null;
  /** By the collaborator permission API, for triggers on GitHub; `unknown` if GitHub could not be asked. */
  readonly canWrite: boolean | 'unknown';
  /** The person with their groups looked up, and the configured workspace, for triggers in Slack. */
  readonly chat: { readonly person: ChatPerson | null; readonly team: string } | null;
}

type Authorized = {
  readonly kind: 'allowed';
  /** Null: the repository's default branch. */
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
    if (request.requester === null)
      return refused('no-requester', 'Airlock could not tell who asked for this.');
    // A repository that was deleted and created again, or transferred, keeps its name but is another one.
    if (request.trigger.repositoryId !== facts.repositoryId) {
      return refused(
        'repository-changed',
        `\`${name}\` is no longer the repository that this was asked in. Ask again there.`,
      );
    }
    if (canWrite === 'unknown') {
      return refused(
        'permission-unknown',
        'GitHub could not say whether you may write to this repository, so nothing was started. Ask again in a few minutes.',
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

/** The words may have begun with a path, or with `and/or`: whatever looks like a repository counts as one. */
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
      message: 'This bot is not set up for Slack, so nothing was started.',
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
