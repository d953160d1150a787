import { describe, expect, it } from 'vitest';
import {
  slackChannelIdSchema,
  slackGroupIdSchema,
  slackTeamIdSchema,
  slackUserIdSchema,
} from '../core/task.ts';
import { formatProblem, loadConfig } from './load-config.ts';

const problems = (text: string): string[] => {
  const read = loadConfig(text, 'c.jsonc');
  return read.ok ? [] : read.problems.map((problem) => formatProblem(problem));
};
const withTeam = (rest: string): string => `{ "slack": { "team": "T1" }, ${rest} }`;
const access = (value: string): string => withTeam(`"repositories": { "acme/a": { "slack": ${value} } }`);
const channel = (name: string, repositories: string): string =>
  `{ "slack": { "team": "T1", "channels": { "C1": ${name} } }, "repositories": ${repositories} }`;

describe('a mistake in the Slack configuration', () => {
  const team =
    'expected the id of a workspace, such as "T0123456789", got $ (open Slack in a browser and copy the part of the address after "/client/")';
  const channelId =
    'expected the id of a channel, such as "C0123456789", got $ (click the channel\'s name in Slack and copy the id at the end of its details)';
  const person =
    'expected the id of a person, such as "U0123456789", got $ (open the profile in Slack and choose "Copy member ID" in the menu "⋮")';
  const group =
    'expected the id of a user group, such as "S0123456789", got $ (call the method usergroups.list of Slack\'s API to see it)';
  const anyAccess = 'expected "workspace", "none", or an object with "channels", "users" or "groups", got $';
  const noTeam =
    'expected "slack.team" at the top of the file: without it Airlock serves no workspace (add "slack": { "team": "T0123456789" } with the id of your workspace)';
  const notThere =
    'expected a repository that may be used from this channel, and "acme/a" may not (allow it with "slack" in its entry "$")';

  // `¦` marks the reported position; `$` in a message is replaced by the written value.
  it.each<[string, string, string, string?]>([
    ['{ "slack": ¦{} }', 'slack.team', 'expected a text in quotes, which is missing'],
    ['{ "slack": { "team": ¦"acme" } }', 'slack.team', team, '"acme"'],
    ['{ "slack": { "team": ¦"C1" } }', 'slack.team', team, '"C1"'],
    [
      '{ "slack": { "team": "T1", ¦"chanels": {} } }',
      'slack.chanels',
      'unknown key (did you mean "channels"?)',
    ],
    [
      '{ "slack": { "team": "T1", "replies": ¦"mention" } }',
      'slack.replies',
      'expected one of "all", "mentions", got "mention" (did you mean "mentions"?)',
    ],
    [
      '{ "slack": { "team": "T1", "channels": { ¦"#dev": "acme/a" } } }',
      'slack.channels["#dev"]',
      channelId,
      '"#dev"',
    ],
    [
      '{ "slack": { "team": "T1", "people": { ¦"@maria": "mona" } } }',
      'slack.people["@maria"]',
      person,
      '"@maria"',
    ],
    [
      '{ "slack": { "team": "T1", "people": { "U1": ¦"@mona" } } }',
      'slack.people.U1',
      'expected a GitHub login without "@", such as "mona", got "@mona"',
    ],
    [
      access('¦"workspce"'),
      'repositories["acme/a"].slack',
      `${anyAccess} (did you mean "workspace"?)`,
      '"workspce"',
    ],
    [access('¦["C1"]'), 'repositories["acme/a"].slack', anyAccess, 'a list'],
    [access('¦null'), 'repositories["acme/a"].slack', anyAccess, 'null'],
    [access('¦true'), 'repositories["acme/a"].slack', anyAccess, 'true'],
    [
      access('{ ¦"user": ["U1"] }'),
      'repositories["acme/a"].slack.user',
      'unknown key (did you mean "users"?)',
    ],
    [
      access('¦{}'),
      'repositories["acme/a"].slack',
      'expected "channels", "users" or "groups", got an object (write "workspace" for every full member, or "none" for nobody)',
    ],
    [
      access('{ "users": ¦[] }'),
      'repositories["acme/a"].slack.users',
      'expected at least one id, got an empty list (leave out the key for no limit, or write "slack": "none" for nobody)',
    ],
    [access('{ "users": ¦"U1" }'), 'repositories["acme/a"].slack.users', 'expected a list, got "U1"'],
    [
      access('{ "channels": ["C1", ¦"dev"] }'),
      'repositories["acme/a"].slack.channels[1]',
      channelId,
      '"dev"',
    ],
    [access('{ "channels": [¦"c1"] }'), 'repositories["acme/a"].slack.channels[0]', channelId, '"c1"'],
    [access('{ "users": [¦"@maria"] }'), 'repositories["acme/a"].slack.users[0]', person, '"@maria"'],
    [access('{ "users": [¦"S1"] }'), 'repositories["acme/a"].slack.users[0]', person, '"S1"'],
    [access('{ "groups": [¦"@devs"] }'), 'repositories["acme/a"].slack.groups[0]', group, '"@devs"'],
    [
      withTeam('"defaults": { "slack": { "channels": [¦"#dev"] } }'),
      'defaults.slack.channels[0]',
      channelId,
      '"#dev"',
    ],
    ['{ "repositories": { "acme/a": { "slack": ¦"workspace" } } }', 'repositories["acme/a"].slack', noTeam],
    ['{ "defaults": { "slack": ¦{ "users": ["U1"] } } }', 'defaults.slack', noTeam],
    [
      channel('¦"shpo"', '{ "acme/a": { "aliases": ["shop"], "slack": "workspace" } }'),
      'slack.channels.C1',
      'expected "owner/name" or an alias from "repositories", got "shpo" (did you mean "shop"?)',
    ],
    [
      channel('¦"https://github.com/acme/a"', '{ "acme/a": { "slack": "workspace" } }'),
      'slack.channels.C1',
      'expected "owner/name" or an alias from "repositories", got "https://github.com/acme/a"',
    ],
    [
      channel('¦["acme/a"]', '{ "acme/a": { "slack": "workspace" } }'),
      'slack.channels.C1',
      'expected a text in quotes, got a list',
    ],
    [
      channel('¦"acme/b"', '{ "acme/a": { "slack": "workspace" } }'),
      'slack.channels.C1',
      'expected a repository that "repositories" allows, and "acme/b" is not one (add "acme/b" there, or remove the channel)',
    ],
    [
      channel('¦"acme/a"', '{ "acme/a": { "enabled": false, "slack": "workspace" } }'),
      'slack.channels.C1',
      'expected a repository that "repositories" allows, and "acme/a" is not one (add "acme/a" there, or remove the channel)',
    ],
    [channel('¦"acme/a"', '{ "acme/*": {} }'), 'slack.channels.C1', notThere, 'acme/*'],
    [
      channel('¦"acme/a"', '{ "acme/a": { "slack": { "channels": ["C2"] } } }'),
      'slack.channels.C1',
      notThere,
      'acme/a',
    ],
  ])('is reported with its position and a remedy: %s at %s', (marked, key, message, written = '') => {
    const column = marked.indexOf('¦') + 1;
    expect(problems(marked.replace('¦', ''))).toEqual([
      `c.jsonc:1:${column}: ${key}: ${message.replace('$', () => written)}`,
    ]);
  });

  it('is reported together with every other mistake', () => {
    const text = access('{ "channels": ["#a"], "users": ["@b", "U1", "@c"] }');
    expect(problems(text)).toHaveLength(3);
  });
});

describe('the Slack configuration', () => {
  it.each([
    channel('"acme/a"', '{ "acme/a": { "slack": "workspace" } }'),
    channel('"ACME/A"', '{ "acme/*": { "slack": { "users": ["U1"] } } }'),
    channel(
      '"shop"',
      '{ "acme/a": { "aliases": ["shop"], "slack": { "channels": ["C1"], "groups": ["S1"] } } }',
    ),
    access('{ "channels": ["C1", "G1", "D1"], "users": ["U1", "W1"], "groups": ["S1"] }'),
    '{ "defaults": { "slack": "none" }, "repositories": { "acme/a": { "slack": "none" } } }',
  ])('accepts %s', (text) => {
    expect(problems(text)).toEqual([]);
  });

  it('accepts exactly the ids that the rest of the program accepts', () => {
    const kinds = ['C', 'D', 'G', 'U', 'W', 'S', 'T', 'E', 'B'];
    const rests = ['', '1', '0AZ9', 'a', '-', ' 1', '1\n', 'A'.repeat(30), 'A'.repeat(31)];
    const ids = kinds.flatMap((kind) => rests.map((rest) => kind + rest));
    const taken = (wrap: (id: string) => unknown): string[] =>
      ids.filter((id) => problems(JSON.stringify(wrap(id))).length === 0);
    const inList = (key: string) => (id: string) => ({
      slack: { team: 'T1' },
      defaults: { slack: { [key]: [id] } },
    });
    expect(taken((id) => ({ slack: { team: id } }))).toEqual(
      ids.filter((id) => slackTeamIdSchema.safeParse(id).success),
    );
    for (const [key, schema] of [
      ['channels', slackChannelIdSchema],
      ['users', slackUserIdSchema],
      ['groups', slackGroupIdSchema],
    ] as const)
      expect(taken(inList(key))).toEqual(ids.filter((id) => schema.safeParse(id).success));
  });
});
