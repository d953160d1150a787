/**
 * Decides who may use a repository from Slack, and from where. Pure; the caller looks the person up.
 *
 * Only full members of the one workspace are ever allowed, whatever the configuration says: members invite
 * guests and people of other workspaces into channels, and that must not give access to repositories.
 * Refusals for outsiders therefore do not depend on the configuration. Members learn what is missing and who
 * can change it, but not who else is allowed: not everybody may read a list of private channels.
 */
import type { ChatPerson } from '../chat.ts';
import type { SlackAccess } from '../policy.ts';
import { reasonOf } from '../reason.ts';
import type { Reason } from '../task.ts';

export type SlackVerdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: Reason };

const refused = (reason: Reason): SlackVerdict => ({ allowed: false, reason });

/** Says why this person may use no repository at all; null for a full member of the workspace. */
export function outsiderReason(person: ChatPerson | null, team: string): Reason | null {
  if (person === null) return reasonOf('slack-person-unknown');
  switch (person.kind) {
    case 'bot':
      return reasonOf('slack-bot');
    case 'deactivated':
      return reasonOf('slack-deactivated');
    case 'stranger':
      return reasonOf('slack-other-workspace');
    case 'guest':
      return reasonOf('slack-guest');
    case 'member':
      return person.teamId === team ? null : reasonOf('slack-other-workspace');
  }
}

const outsiderCodes: ReadonlySet<string> = new Set([
  'slack-other-workspace',
  'slack-bot',
  'slack-deactivated',
  'slack-guest',
]);

/** Whether a refusal is one that neither a retry nor the configuration changes. */
export const isOutsiderReason = ({ code }: Reason): boolean => outsiderCodes.has(code);

/** `team` is the configured workspace. Refuses what is not expressly allowed. */
export function maySlackUse(
  access: SlackAccess,
  at: { readonly channelId: string; readonly person: ChatPerson | null; readonly team: string },
): SlackVerdict {
  const { channelId, person, team } = at;
  const outsider = outsiderReason(person, team);
  if (person === null || outsider !== null) return refused(outsider ?? reasonOf('slack-person-unknown'));
  const people = access.kind === 'listed' ? access.people : null;
  if (people !== null && !people.users.includes(person.userId)) {
    const inGroup = people.groups.some((group) => person.groups.includes(group));
    if (!inGroup) return refused(reasonOf('slack-person-not-listed'));
  }
  // Checked after the people: only people who may use the repository learn from where.
  return mayAnswerIn(access, channelId);
}

/** Whether words about the repository may go to a channel at all. */
export function mayAnswerIn(access: SlackAccess, channelId: string): SlackVerdict {
  if (access.kind === 'none') return refused(reasonOf('slack-not-enabled'));
  const isListed = access.kind === 'workspace' || (access.channels?.includes(channelId) ?? true);
  return isListed ? { allowed: true } : refused(reasonOf('slack-channel-not-listed'));
}

/** The user groups to look up before any of these can be decided, each once, sorted. */
export function groupsAskedAbout(accesses: readonly SlackAccess[]): readonly string[] {
  const groups = accesses.flatMap((access) =>
    access.kind === 'listed' ? (access.people?.groups ?? []) : [],
  );
  return [...new Set(groups)].toSorted();
}
