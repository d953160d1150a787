/** Classifies a Slack user as member, guest, stranger, bot or deactivated; in doubt the less trusted. */
import type { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { ChatPerson } from '../core/chat.ts';
import type { SlackPolicy } from '../core/policy.ts';
import { plainLine } from './mrkdwn.ts';
import { refusalOf, slackCall, SlackRefusal } from './web-api.ts';

/** https://docs.slack.dev/reference/objects/user-object. Slack often omits flags that are false. */
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
/** Slackbot's user id. Its `is_bot` flag is false. */
const slackbot = 'USLACKBOT';

function kindOf(user: SlackUser, team: string): ChatPerson['kind'] {
  if (user.is_bot === true || user.is_workflow_bot === true || user.id === slackbot) return 'bot';
  if (user.deleted === true) return 'deactivated';
  const home = user.team_id === team || user.enterprise_user?.enterprise_id === team;
  if (!home || user.is_stranger === true) return 'stranger';
  return user.is_restricted === true || user.is_ultra_restricted === true ? 'guest' : 'member';
}

/** Parses the `user` of a `users.info` answer. Throws if it is invalid. */
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

/** Looks up a user; null if they do not exist or are not visible to the app. Rejects like `slackCall`. */
export async function findPerson(
  client: WebClient,
  policy: SlackPolicy,
  userId: string,
): Promise<ChatPerson | null> {
  try {
    const { user } = await slackCall('users.info', () => client.users.info({ user: userId }));
    return personOf(user, policy.team);
  } catch (error) {
    if (refusalOf(error, 'gone') !== null) return null;
    throw error;
  }
}

const groupUsersSchema = z.array(z.string());

/** False if the group does not exist or cannot be read. Rejects on transient errors. */
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
