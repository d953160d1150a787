/**
 * What one person may use from one channel. Who the person is, is asked of Slack; the verdict is `core/slack-access.ts`'s. Nothing that is not
 * expressly allowed is named to anybody.
 */
import type { ChatPerson } from '../core/chat.ts';
import { sameRepository } from '../core/ids.ts';
import { groupsAskedAbout, maySlackUse, outsiderReason } from '../core/access/slack-access.ts';
import type { Reason, RepositoryRef } from '../core/task.ts';
import type { Intake } from './intake.ts';

export interface Who {
  readonly userId: string;
  readonly channelId: string;
}

export interface Usable {
  readonly person: ChatPerson | null;
  /** Why this person may use nothing at all; null for a full member. */
  readonly outsider: Reason | null;
  /** Those named in the configuration first, in its order, then those below its patterns by name. */
  readonly repositories: readonly RepositoryRef[];
}

/** Of these repositories those that the person may use there, in the same order. Rejects when Slack does not say who it is. */
export async function usableOf(
  { deps, slack }: Pick<Intake, 'deps' | 'slack'>,
  who: Who,
  repositories: readonly RepositoryRef[],
): Promise<Usable> {
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

/** Everything that the person may use there. */
export async function candidates(intake: Pick<Intake, 'deps' | 'slack'>, who: Who): Promise<Usable> {
  const { policy } = intake.deps;
  const installed = policy.hasPatterns ? await intake.deps.installedRepositories() : [];
  const others = installed.filter(
    (repository) => !policy.named.some((named) => sameRepository(named, repository)),
  );
  return await usableOf(intake, who, [...policy.named, ...others]);
}

/** Of many those that somebody means who has typed so far: each word has to occur, in any case. */
export function matching(repositories: readonly RepositoryRef[], typed: string): readonly RepositoryRef[] {
  const words = typed.toLowerCase().split(/\s+/).slice(0, 10);
  return repositories.filter(({ owner, name }) => {
    const text = `${owner}/${name}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
