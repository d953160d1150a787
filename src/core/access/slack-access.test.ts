import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatPerson } from '../chat.ts';
import type { SlackAccess } from '../policy.ts';
import { groupsAskedAbout, maySlackUse, outsiderReason } from './slack-access.ts';

const team = 'T1';
const maria: ChatPerson = { userId: 'U1', teamId: team, name: 'Maria', kind: 'member', groups: ['S1'] };
const none: SlackAccess = { kind: 'none' };
const workspace: SlackAccess = { kind: 'workspace' };
const listed = (
  channels: readonly string[] | null,
  people: { users: readonly string[]; groups: readonly string[] } | null,
): SlackAccess => ({ kind: 'listed', channels, people });
const people = (users: readonly string[], groups: readonly string[] = []) => ({ users, groups });

const decide = (access: SlackAccess, person: ChatPerson | null = maria, channelId = 'C1'): string => {
  const verdict = maySlackUse(access, { channelId, person, team });
  return verdict.allowed ? 'allowed' : verdict.reason.code;
};

describe('the access of a full member', () => {
  it.each<[string, SlackAccess, string]>([
    ['a configuration without Slack access', none, 'slack-not-enabled'],
    ['the workspace', workspace, 'allowed'],
    ['this channel, everybody', listed(['C1'], null), 'allowed'],
    ['one of the channels', listed(['C0', 'C1'], null), 'allowed'],
    ['another channel', listed(['C2'], null), 'slack-channel-not-listed'],
    ['no channel at all', listed([], null), 'slack-channel-not-listed'],
    ['this user, everywhere', listed(null, people(['U0', 'U1'])), 'allowed'],
    ['another user', listed(null, people(['U2'])), 'slack-person-not-listed'],
    ['nobody at all', listed(null, people([])), 'slack-person-not-listed'],
    ['a group they are in', listed(null, people([], ['S0', 'S1'])), 'allowed'],
    ['a group they are not in', listed(null, people([], ['S2'])), 'slack-person-not-listed'],
    ['another user, or a group they are in', listed(null, people(['U2'], ['S1'])), 'allowed'],
    ['this user, or a group they are not in', listed(null, people(['U1'], ['S2'])), 'allowed'],
    ['this user in this channel', listed(['C1'], people(['U1'])), 'allowed'],
    ['this user in another channel', listed(['C2'], people(['U1'])), 'slack-channel-not-listed'],
    ['another user in this channel', listed(['C1'], people(['U2'])), 'slack-person-not-listed'],
    ['another user in another channel', listed(['C2'], people(['U2'])), 'slack-person-not-listed'],
    ['neither list', listed(null, null), 'allowed'],
    ['a user id that begins like theirs', listed(null, people(['U11', 'U'])), 'slack-person-not-listed'],
    ['a channel id in other letters', listed(['c1'], null), 'slack-channel-not-listed'],
  ])('decides about %s', (_, access, expected) => {
    expect(decide(access)).toBe(expected);
  });

  it('does not include repositories of channels in a direct message', () => {
    expect(decide(listed(['C1'], null), maria, 'D1')).toBe('slack-channel-not-listed');
    expect(decide(workspace, maria, 'D1')).toBe('allowed');
  });

  it.each<[string, SlackAccess]>([
    ['nothing', none],
    ['others', listed(null, people(['U2'], ['S2']))],
    ['another channel', listed(['C2'], null)],
  ])('says who can change it when the configuration allows only %s, and names no id', (_, access) => {
    const verdict = maySlackUse(access, { channelId: 'C1', person: maria, team });
    const { message = '', next = '' } = verdict.allowed ? {} : verdict.reason;
    expect(next).toContain('Ask the operator of this bot, who can change that');
    expect(message + next).not.toMatch(/[CUS]\d/);
  });
});

describe('the access of everybody else', () => {
  const outsiders: [string, ChatPerson | null, string][] = [
    ['somebody whom Slack does not know', null, 'slack-person-unknown'],
    ['a bot', { ...maria, kind: 'bot' }, 'slack-bot'],
    ['a deactivated account', { ...maria, kind: 'deactivated' }, 'slack-deactivated'],
    ['a guest', { ...maria, kind: 'guest' }, 'slack-guest'],
    ['somebody from another company', { ...maria, kind: 'stranger' }, 'slack-other-workspace'],
    ['a member of another workspace', { ...maria, teamId: 'T2' }, 'slack-other-workspace'],
    ['a member of no workspace', { ...maria, teamId: '' }, 'slack-other-workspace'],
  ];
  const access = fc.oneof(
    fc.constant(none),
    fc.constant(workspace),
    fc.record({
      kind: fc.constant('listed' as const),
      channels: fc.option(fc.subarray(['C1', 'C2'])),
      people: fc.option(fc.record({ users: fc.subarray(['U1', 'U2']), groups: fc.subarray(['S1', 'S2']) })),
    }),
  );

  it.each(outsiders)(
    '%s: never, and for a reason that the configuration has no part in',
    (_, person, code) => {
      expect(outsiderReason(person, team)?.code).toBe(code);
      fc.assert(
        fc.property(access, fc.constantFrom('C1', 'C3', 'D1'), (configured, channelId) => {
          expect(maySlackUse(configured, { channelId, person, team })).toEqual({
            allowed: false,
            reason: outsiderReason(person, team),
          });
        }),
      );
    },
  );
  it.each(outsiders)('answers %s the same with any configuration', (_, person) => {
    expect(outsiderReason(person, team)?.message).not.toMatch(/config|repositor/i);
  });
  it('has no reason against a full member', () => {
    expect(outsiderReason(maria, team)).toBeNull();
  });
});

describe('groupsAskedAbout', () => {
  it('returns each group of all lists once, in an order that does not depend on theirs', () => {
    const first = listed(null, people(['U1'], ['S2', 'S1']));
    const second = listed(['C1'], people([], ['S3', 'S1']));
    expect(groupsAskedAbout([first, none, second, workspace, listed(['C1'], null)])).toEqual([
      'S1',
      'S2',
      'S3',
    ]);
    expect(groupsAskedAbout([second, first])).toEqual(groupsAskedAbout([first, second]));
    expect(groupsAskedAbout([])).toEqual([]);
  });
});
