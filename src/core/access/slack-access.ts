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
import type { Reason } from '../task.ts';

export type SlackVerdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: Reason };

const refused = (code: string, message: string): SlackVerdict => ({
  allowed: false,
  reason: { code, message },
});

const whoCanChangeIt = 'The operator of this bot can change that in its configuration.';

const unknownPerson: Reason = {
  code: 'slack-person-unknown',
  message: 'Slack does not say who you are, so nothing was started.',
};
const otherWorkspace: Reason = {
  code: 'slack-other-workspace',
  message: 'Only members of the Slack workspace that this bot was set up for can ask for anything here.',
};

/** Says why this person may use no repository at all; null for a full member of the workspace. */
export function outsiderReason(person: ChatPerson | null, team: string): Reason | null {
  if (person === null) return unknownPerson;
  switch (person.kind) {
    case 'bot':
      return {
        code: 'slack-bot',
        message: 'Apps and workflows cannot ask for anything here. Only people can.',
      };
    case 'deactivated':
      return { code: 'slack-deactivated', message: 'This Slack account is deactivated.' };
    case 'stranger':
      return otherWorkspace;
    case 'guest':
      return {
        code: 'slack-guest',
        message: 'Guests cannot ask for anything here. A full member of this workspace can.',
      };
    case 'member':
      return person.teamId === team ? null : otherWorkspace;
  }
}

const outsiderCodes: ReadonlySet<string> = new Set([
  otherWorkspace.code,
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
  if (person === null) return { allowed: false, reason: unknownPerson };
  const outsider = outsiderReason(person, team);
  if (outsider !== null) return { allowed: false, reason: outsider };
  switch (access.kind) {
    case 'none':
      return refused('slack-not-enabled', `This repository may not be used from Slack. ${whoCanChangeIt}`);
    case 'workspace':
      return { allowed: true };
    case 'listed': {
      const { people, channels } = access;
      if (people !== null && !people.users.includes(person.userId)) {
        const inGroup = people.groups.some((group) => person.groups.includes(group));
        if (!inGroup) {
          return refused(
            'slack-person-not-listed',
            `You are not among the people who may use this repository from Slack. ${whoCanChangeIt}`,
          );
        }
      }
      // Checked after the people: only people who may use the repository learn from where.
      if (channels !== null && !channels.includes(channelId)) {
        return refused(
          'slack-channel-not-listed',
          `This repository may only be used from certain channels, and this is not one of them. Ask there. ${whoCanChangeIt}`,
        );
      }
      return { allowed: true };
    }
  }
}

/** The user groups to look up before any of these can be decided, each once, sorted. */
export function groupsAskedAbout(accesses: readonly SlackAccess[]): readonly string[] {
  const groups = accesses.flatMap((access) =>
    access.kind === 'listed' ? (access.people?.groups ?? []) : [],
  );
  return [...new Set(groups)].toSorted();
}
