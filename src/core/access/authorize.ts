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
import { reasonOf } from '../reason.ts';
import { authorityOf } from '../authority.ts';
import { mayAnswerIn, maySlackUse } from './slack-access.ts';
import type { Effort, Reason, RepositoryFacts, RoutedRequest, SlackTrigger } from '../task.ts';

export interface AuthorizeInput {
  readonly request: RoutedRequest;
  readonly policy: RepositoryPolicy | RepositoryRefusal;
  /** Null: the App is not installed there, or the repository does not exist. */
  readonly facts: RepositoryFacts | null;
  /** By the collaborator permission API, for people on GitHub; `unknown` if GitHub could not be asked. */
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

const refused = (reason: Reason): AuthorizeVerdict => ({ kind: 'refused', reason });

export function authorize({ request, policy, facts, canWrite, chat }: AuthorizeInput): AuthorizeVerdict {
  const { trigger, requester, onPage } = request;
  const name = `${request.repository.owner}/${request.repository.name}`;
  const authority = authorityOf(request);
  if (trigger.kind === 'slack' && authority === 'slack') {
    const refusal = slackRefusal(trigger, name, policy, chat);
    if (refusal !== null) return refused(refusal);
  }
  const repository = `\`${name}\``;
  if (facts === null) {
    const fromSlack = trigger.kind === 'slack';
    return refused(reasonOf(fromSlack ? 'not-installed.named' : 'not-installed', { repository }));
  }
  if (authority === 'github' && requester === null) return refused(reasonOf('no-requester'));
  // A repository that was deleted and created again, or transferred, keeps its name but is another one.
  const place = trigger.kind === 'github' ? trigger : (onPage?.place ?? facts);
  if (place.repositoryId !== facts.repositoryId)
    return refused(reasonOf('repository-changed', { repository }));
  if (authority === 'github') {
    if (canWrite === 'unknown') return refused(reasonOf('permission-unknown'));
    if (!canWrite) return refused(reasonOf('no-write-access'));
  }
  if (!policy.allowed) return refused(policy.reason);
  if (trigger.kind === 'slack' && authority !== 'slack') {
    const verdict = mayAnswerIn(policy.slack, trigger.channelId);
    if (!verdict.allowed) return refused(verdict.reason);
  }

  const { base, model, effort } = request.options;
  if (model !== undefined && !policy.models.includes(model)) {
    const models = policy.models.map((known) => `\`${known}\``).join(', ');
    const usual = `\`${policy.model}\``;
    return refused(reasonOf('model-not-allowed', { model: `\`${model}\``, models, usual }));
  }
  return {
    kind: 'allowed',
    base: { branch: base ?? policy.baseBranch },
    model: model ?? policy.model,
    effort: effort ?? policy.effort,
  };
}

function slackRefusal(
  trigger: SlackTrigger,
  name: string,
  policy: AuthorizeInput['policy'],
  chat: AuthorizeInput['chat'],
): Reason | null {
  if (chat === null) return reasonOf('slack-not-set-up');
  const access = policy.allowed ? policy.slack : ({ kind: 'none' } as const);
  const verdict = maySlackUse(access, { channelId: trigger.channelId, ...chat });
  if (verdict.allowed) return null;
  // The words may have begun with a path, or with `and/or`: whatever looks like a repository counts as one.
  return verdict.reason.code === 'slack-not-enabled'
    ? reasonOf('slack-not-enabled.named', { repository: `\`${name}\`` })
    : verdict.reason;
}
