/**
 * The parts of `airlock.config.jsonc` that are about Slack: ids, the workspace, and who may use a repository from there.
 * Ids and never names: anybody may take a name that became free. Whether an id exists is Slack's to say.
 */
import * as z from 'zod';
import type { SlackAccess } from '../core/policy.ts';

/** One kind of Slack's ids. The pattern is that of `core/task.ts`, for editors; the check has the better words. */
const idOf = (pattern: RegExp, expected: string, shownAt: string) =>
  z
    .string()
    .superRefine((id, context) => {
      if (!pattern.test(id))
        context.addIssue({ code: 'custom', message: expected, params: { hint: shownAt } });
    })
    .meta({ pattern: pattern.source });

const teamId = idOf(
  /^[TE][A-Z0-9]{1,30}$/,
  'the id of a workspace, such as "T0123456789"',
  'open Slack in a browser: the id stands in the address, after "/client/"',
);
const channelId = idOf(
  /^[CDG][A-Z0-9]{1,30}$/,
  'the id of a channel, such as "C0123456789"',
  "click the channel's name in Slack: the id stands at the very end of its details",
);
const userId = idOf(
  /^[UW][A-Z0-9]{1,30}$/,
  'the id of a person, such as "U0123456789"',
  'open the profile in Slack: the menu "⋮" has "Copy member ID"',
);
const groupId = idOf(
  /^S[A-Z0-9]{1,30}$/,
  'the id of a user group, such as "S0123456789"',
  "the method usergroups.list of Slack's API shows it",
);

/** An empty list is refused rather than read as “nobody” by one person and as “everybody” by the next. */
const listOf = (id: typeof channelId, most: number) =>
  z
    .array(id)
    .max(most)
    .superRefine((ids, context) => {
      if (ids.length > 0) return;
      const hint = 'leave the key out for no such limit, or write "slack": "none" for nobody';
      context.addIssue({ code: 'custom', message: 'at least one id', params: { hint } });
    })
    .meta({ minItems: 1 });

const listsSchema = z
  .strictObject({
    channels: listOf(channelId, 100).optional().meta({
      description: 'Ids of the channels that it may be used from. Default: from everywhere, also directly.',
    }),
    users: listOf(userId, 500).optional().meta({
      description: 'Ids of people who may use it. Default: every full member, unless `groups` are given.',
    }),
    // Each group is one more question to Slack before a task may start.
    groups: listOf(groupId, 20)
      .optional()
      .meta({ description: 'Ids of user groups whose members may use it as well as the `users`.' }),
  })
  .superRefine((lists, context) => {
    // An unknown key has its own message.
    if (Object.keys(lists).length > 0 || context.issues.length > 0) return;
    const hint = 'write "workspace" for every full member, or "none" for nobody';
    context.addIssue({ code: 'custom', message: '"channels", "users" or "groups"', params: { hint } });
  })
  .meta({ minProperties: 1 });

export const slackAccessSchema = z
  .union([z.enum(['workspace', 'none']), listsSchema], {
    error: '"workspace", "none", or an object with "channels", "users" or "groups"',
  })
  .meta({
    description:
      'Who may use the repository from Slack: "workspace" for every full member, lists of ids, or "none". Guests, bots and other workspaces never may. Default "none".',
  });

const githubLogin = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'a login on GitHub without "@", such as "mona"');

export const slackSchema = z
  .strictObject({
    team: teamId.meta({
      description: 'Id of the workspace that is served ("T…"), or of the organization ("E…"). No other is.',
    }),
    channels: z.record(channelId, z.string()).optional().meta({
      description:
        'Channel id to "owner/name" or alias: what tasks from there are about when nothing else says.',
    }),
    people: z.record(userId, githubLogin).optional().meta({
      description:
        'User id to GitHub login: who is named as co-author and asked for the review. Gives no access to anything.',
    }),
    replies: z.enum(['all', 'mentions']).optional().meta({
      description:
        'Which replies in the thread of a task go on with it: all, or those that mention the bot. Default "all".',
    }),
  })
  .meta({ description: 'The Slack workspace, and what its channels and people are.' });

export const slackKeys = Object.keys(slackSchema.shape);
export const slackAccessKeys = Object.keys(listsSchema.shape);

/** The default is that nobody may. `users` and `groups` are one list of people. */
export function slackAccessOf(access: z.infer<typeof slackAccessSchema> | undefined): SlackAccess {
  if (access === undefined || access === 'none') return { kind: 'none' };
  if (access === 'workspace') return { kind: 'workspace' };
  const { channels = null, users, groups } = access;
  const people =
    users === undefined && groups === undefined ? null : { users: users ?? [], groups: groups ?? [] };
  return { kind: 'listed', channels, people };
}
