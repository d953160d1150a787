/** Defines the Slack parts of `airlock.config.jsonc`. It holds ids, never names: names change hands. */
import * as z from 'zod';
import type { SlackAccess } from '../core/policy.ts';

/** One kind of Slack id. The pattern is for editors; the check has the better message. */
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
  'open Slack in a browser and copy the part of the address after "/client/"',
);
const channelId = idOf(
  /^[CDG][A-Z0-9]{1,30}$/,
  'the id of a channel, such as "C0123456789"',
  "click the channel's name in Slack and copy the id at the end of its details",
);
const userId = idOf(
  /^[UW][A-Z0-9]{1,30}$/,
  'the id of a person, such as "U0123456789"',
  'open the profile in Slack and choose "Copy member ID" in the menu "⋮"',
);
const groupId = idOf(
  /^S[A-Z0-9]{1,30}$/,
  'the id of a user group, such as "S0123456789"',
  "call the method usergroups.list of Slack's API to see it",
);

/** Refuses an empty list, which one person reads as “nobody” and another as “everybody”. */
const listOf = (id: typeof channelId, most: number) =>
  z
    .array(id)
    .max(most)
    .superRefine((ids, context) => {
      if (ids.length > 0) return;
      const hint = 'leave out the key for no limit, or write "slack": "none" for nobody';
      context.addIssue({ code: 'custom', message: 'at least one id', params: { hint } });
    })
    .meta({ minItems: 1 });

const listsSchema = z
  .strictObject({
    channels: listOf(channelId, 100).optional().meta({
      description:
        'Ids of the channels in which people may use it. Default: all channels and direct messages.',
    }),
    users: listOf(userId, 500).optional().meta({
      description: 'Ids of people who may use it. Default: every full member, unless `groups` is set.',
    }),
    // Each group costs a call to Slack before a task can start.
    groups: listOf(groupId, 20)
      .optional()
      .meta({ description: 'Ids of user groups whose members may use it, in addition to `users`.' }),
  })
  .superRefine((lists, context) => {
    // An unknown key gets its own message.
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
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/, 'a GitHub login without "@", such as "mona"');

export const slackSchema = z
  .strictObject({
    team: teamId.meta({
      description:
        'Id of the workspace ("T…") or organization ("E…") that Airlock serves. It serves no other.',
    }),
    channels: z.record(channelId, z.string()).optional().meta({
      description:
        'Channel id to "owner/name" or alias: the repository of a task from this channel that names none.',
    }),
    people: z.record(userId, githubLogin).optional().meta({
      description: 'User id to GitHub login, for the co-author and the review request. It grants no access.',
    }),
    replies: z.enum(['all', 'mentions']).optional().meta({
      description:
        'Which replies in a task thread are follow-ups: all of them, or those that mention the bot. Default "all".',
    }),
  })
  .meta({ description: 'The Slack workspace, its channels and its people.' });

export const slackKeys = Object.keys(slackSchema.shape);
export const slackAccessKeys = Object.keys(listsSchema.shape);

/** Nobody may by default. `users` and `groups` form one list of people. */
export function slackAccessOf(access: z.infer<typeof slackAccessSchema> | undefined): SlackAccess {
  if (access === undefined || access === 'none') return { kind: 'none' };
  if (access === 'workspace') return { kind: 'workspace' };
  const { channels = null, users, groups } = access;
  const people =
    users === undefined && groups === undefined ? null : { users: users ?? [], groups: groups ?? [] };
  return { kind: 'listed', channels, people };
}
