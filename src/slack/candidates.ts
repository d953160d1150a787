/** Lists the repositories that a user can use from a channel; others are never named. */
import type { ChatPerson } from '../core/chat.ts';
import { sameRepository } from '../core/ids.ts';
import { groupsAskedAbout, maySlackUse, outsiderReason } from '../core/access/slack-access.ts';
import type { Reason, RepositoryRef } from '../core/task.ts';
import type { Intake } from './intake.ts';

export interface Asker {
  readonly userId: string;
  readonly channelId: string;
}

export interface UsableRepositories {
  readonly person: ChatPerson | null;
  /** The reason why the user cannot use any repository; null for a full member. */
  readonly outsider: Reason | null;
  /** Repositories named in the configuration in its order, then those that match its patterns, by name. */
  readonly repositories: readonly RepositoryRef[];
}

/** In the same order. Rejects if the lookup of the user fails. */
export async function filterUsable(
  { deps, slack }: Pick<Intake, 'deps' | 'slack'>,
  who: Asker,
  repositories: readonly RepositoryRef[],
): Promise<UsableRepositories> {
  const allowed = repositories.flatMap((repository) => {
    const policy = deps.policy.forRepository(repository);
    return policy.allowed && policy.slack.kind !== 'none' ? [{ repository, access: policy.slack }] : [];
  });
  const groups = groupsAskedAbout(allowed.map(({ access }) => access));
  const person = await deps.chat.person(who.userId, groups);
  const at = { channelId: who.channelId, person, team: slack.team };
  return {
    person,
    outsider: outsiderReason(person, slack.team),
    repositories: allowed
      .filter(({ access }) => maySlackUse(access, at).allowed)
      .map(({ repository }) => repository),
  };
}

/** All repositories that the user can use from the channel. */
export async function candidates(
  intake: Pick<Intake, 'deps' | 'slack'>,
  who: Asker,
): Promise<UsableRepositories> {
  const { policy } = intake.deps;
  const installed = policy.hasPatterns ? await intake.deps.installedRepositories() : [];
  const others = installed.filter(
    (repository) => !policy.named.some((named) => sameRepository(named, repository)),
  );
  return await filterUsable(intake, who, [...policy.named, ...others]);
}

/** Filters repositories to those whose name contains every typed word, ignoring case. */
export function filterByText(
  repositories: readonly RepositoryRef[],
  typed: string,
): readonly RepositoryRef[] {
  const words = typed.toLowerCase().split(/\s+/).slice(0, 10);
  return repositories.filter(({ owner, name }) => {
    const text = `${owner}/${name}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
