/**
 * Who somebody in Slack is: a member, or one of those who are never served. Decides nothing about repositories; `core/slack-access.ts` does.
 * What cannot be told apart counts as the less trusted.
 */
import type { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { ChatPerson } from '../core/chat.ts';
import type { SlackPolicy } from '../core/policy.ts';
import { plainLine } from './mrkdwn.ts';
import { slackCall, SlackRefusal } from './web-api.ts';

/** https://docs.slack.dev/reference/objects/user-object. Flags that are false are often not sent. */
const userSchema = z.object({
  id: z.string(),
  team_id: z.string().optional(),
  deleted: z.boolean().optional(),
  is_bot: z.boolean().optional(),
  is_app_user: z.boolean().optional(),
  is_workflow_bot: z.boolean().optional(),
  is_restricted: z.boolean().optional(),
  is_ultra_restricted: z.boolean().optional(),
  is_stranger: z.boolean().optional(),
  enterprise_user: z.object({ enterprise_id: z.string().optional() }).optional(),
  name: z.string().optional(),
  real_name: z.string().optional(),
  profile: z.object({ display_name: z.string().optional(), real_name: z.string().optional() }).optional(),
});
type SlackUser = z.infer<typeof userSchema>;

const maxName = 80;
/** Slack's own account is no bot by its flag. */
const slackbot = 'USLACKBOT';

function kindOf(user: SlackUser, team: string): ChatPerson['kind'] {
  if (user.is_bot === true || user.is_workflow_bot === true || user.id === slackbot) return 'bot';
  if (user.deleted === true) return 'deactivated';
  const home = user.team_id === team || user.enterprise_user?.enterprise_id === team;
  if (!home || user.is_stranger === true) return 'stranger';
  return user.is_restricted === true || user.is_ultra_restricted === true ? 'guest' : 'member';
}

/** `data` is the `user` of `users.info`. Throws when it is none. */
function personOf(data: unknown, team: string): ChatPerson {
  const user = userSchema.parse(data);
  const names = [user.profile?.display_name, user.profile?.real_name, user.real_name, user.name];
  return {
    userId: user.id,
    teamId: user.team_id ?? '',
    name: names.map((name) => plainLine(name ?? '', maxName)).find((name) => name !== '') ?? user.id,
    kind: kindOf(user, team),
    groups: [],
  };
}

const unknownUser: ReadonlySet<string> = new Set(['user_not_found', 'users_not_found', 'user_not_visible']);

/** null when Slack knows no such user, or shows them to nobody. */
export async function findPerson(
  client: WebClient,
  policy: SlackPolicy,
  userId: string,
): Promise<ChatPerson | null> {
  try {
    const { user } = await slackCall('users.info', () => client.users.info({ user: userId }));
    return personOf(user, policy.team);
  } catch (error) {
    if (error instanceof SlackRefusal && unknownUser.has(error.code)) return null;
    throw error;
  }
}

const groupUsersSchema = z.array(z.string());

/**
 * Whether somebody is in a user group. A group that is not there, or that we may not read, has nobody in it: a missing answer never
 * lets anybody in.
 */
export async function isInGroup(
  client: WebClient,
  groupId: string,
  userId: string,
  log: (event: string, fields: Record<string, unknown>) => void,
): Promise<boolean> {
  try {
    const { users } = await slackCall('usergroups.users.list', () =>
      client.usergroups.users.list({ usergroup: groupId }),
    );
    return groupUsersSchema.parse(users ?? []).includes(userId);
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error;
    log('slack.group_refused', { group: groupId, code: error.code });
    return false;
  }
}
