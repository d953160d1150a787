import { describe, expect, it } from 'vitest';
import { authorization, facts, githubTrigger, slackTrigger } from '../../test/fixtures/sample-task.ts';
import {
  heardIn,
  isOfFork,
  mayResume,
  placesNamedIn,
  placesOf,
  type Readers,
  type TurnPlace,
} from './conversation.ts';
import type { RepositoryFacts, TaskOutcome, TaskRequest } from './task.ts';

const ref = { title: '', url: '', headRef: 'x', headSha: 'b'.repeat(40), draft: false };
const opened: TaskOutcome = { kind: 'pull-request', pullRequest: { ...ref, number: 9 } };
const pull = { ...ref, number: 8, author: 'a', baseBranch: 'main', baseSha: 'a'.repeat(40), fork: true };
const privately: RepositoryFacts = { ...facts, private: true };
const inChannel = (channelId: string, threadTs: string | null = slackTrigger.threadTs) => ({
  ...slackTrigger,
  channelId,
  threadTs,
});

describe('the places of a conversation', () => {
  const thread = 'slack:T1:C1:1700000000.000100';
  const slackPost = { channelId: 'C1', ts: '1700000000.000300' };
  it.each<[string, Partial<TurnPlace>, readonly string[]]>([
    ['are an issue', {}, ['#7']],
    ['are an issue and the pull request that it led to', { outcome: opened }, ['#7', '#9']],
    [
      'are a pull request alone, once',
      { authorization: { ...authorization, continues: { ...ref, number: 7 } } },
      ['#7'],
    ],
    [
      'are the issue and the pull request of a task that added a commit',
      { authorization: { ...authorization, continues: { ...ref, number: 8 } } },
      ['#7', '#8'],
    ],
    ['are a pull request from a fork', { authorization: { ...authorization, pull } }, ['#7', '#8']],
    ['are a Slack thread', { trigger: slackTrigger, slackPost }, [thread]],
    ['are a Slack thread and its pull request', { trigger: slackTrigger, outcome: opened }, [thread, '#9']],
    [
      'are the message below which a command is answered',
      { trigger: inChannel('C1', null), slackPost },
      ['slack:T1:C1:1700000000.000300'],
    ],
    [
      'are a direct message, if the channel took none',
      { trigger: slackTrigger, slackPost: { channelId: 'D1', ts: '1.2' } },
      [thread, 'slack:T1:D1:1.2'],
    ],
    ['are none for a task of the API', { trigger: { kind: 'api' } }, []],
    ['are the pull request of a task of the API', { trigger: { kind: 'api' }, outcome: opened }, ['#9']],
  ])('%s', (_, change, places) => {
    const place = { trigger: githubTrigger, authorization, outcome: null, slackPost: null, ...change };
    expect(placesOf(place).places).toEqual(places);
  });

  it.each<[TaskRequest['trigger'], RepositoryFacts, boolean]>([
    [githubTrigger, facts, true],
    [{ kind: 'api' }, facts, true],
    [slackTrigger, facts, false],
    [slackTrigger, privately, false],
    [inChannel('D1'), privately, false],
    [inChannel('G1'), privately, false],
  ])('are shared with people on GitHub only where they may read it (%#)', (trigger, of, shared) => {
    const place = { trigger, authorization: { ...authorization, facts: of }, outcome: null, slackPost: null };
    expect(placesOf(place).shared).toBe(shared);
  });
});

it.each<[string, readonly string[]]>([
  ['look at https://github.com/acme/app/issues/7 again', ['#7']],
  ['ACME/App#8, and <https://ghe.acme.example/acme/app/pull/9/files>', ['#8', '#9']],
  ['acme/app#7 acme/app#7', ['#7']],
  ['#7', []],
  ['acme/app-two#7', []],
  ['not-acme/app#7', []],
  ['acme/app/tree/7', []],
  ['acme/app#0', []],
])('the words %j name %j', (words, places) => {
  expect(placesNamedIn(words, { owner: 'acme', name: 'app' })).toEqual(places);
});

describe('a thread', () => {
  const secret = { owner: 'acme', name: 'secret', installationId: 1, repositoryId: 9 };
  const withSecret = { ...authorization, alsoRead: [secret] };
  const onGithub: Readers = { trigger: githubTrigger, authorization, heard: [] };
  const privateIssue: Readers = { ...onGithub, authorization: { ...authorization, facts: privately } };
  const inSlack = (channelId: string, of = authorization): Readers => ({
    trigger: inChannel(channelId),
    authorization: of,
    heard: [channelId],
  });
  it.each<[string, Readers, Readers, boolean]>([
    ['of an issue may continue in its pull request', onGithub, onGithub, true],
    ['of an issue may continue in Slack', onGithub, inSlack('C1'), true],
    ['of a Slack thread may continue in its channel', inSlack('C1'), inSlack('C1'), true],
    ['of a direct message may continue there', inSlack('D1'), inSlack('D1'), true],
    ['of a channel may not continue in another', inSlack('C1'), inSlack('C2'), false],
    ['of a channel may not continue in a public repository', inSlack('C1'), onGithub, false],
    // A channel with such an id can be private.
    ['of a channel may not continue in a private repository', inSlack('C1'), privateIssue, false],
    ['of a direct message may not continue in a private repository', inSlack('D1'), privateIssue, false],
    ['of a private group may not continue in a private repository', inSlack('G1'), privateIssue, false],
    [
      'that heard two channels may not continue in one',
      { ...onGithub, heard: ['C1', 'C2'] },
      inSlack('C1'),
      false,
    ],
    [
      'of another repository may not be resumed',
      { ...onGithub, authorization: { ...authorization, facts: { ...facts, repositoryId: 2 } } },
      onGithub,
      false,
    ],
    [
      'that could read a further repository may not continue without it',
      { ...onGithub, authorization: withSecret },
      onGithub,
      false,
    ],
    [
      'that could read a further repository may continue where that is readable',
      { ...onGithub, authorization: withSecret },
      { ...onGithub, authorization: withSecret },
      true,
    ],
  ])('%s', (_, earlier, now, may) => {
    expect(mayResume(earlier, now)).toBe(may);
  });

  it.each([
    ['of a fork may continue in its pull request', pull, pull, false],
    ['of a fork may not continue in another pull request', pull, { ...pull, number: 9, fork: false }, true],
    ['of a fork may not continue in an issue or in Slack', pull, null, true],
    ['of a pull request of this repository may', { ...pull, fork: false }, null, false],
    ['of an issue may continue in the pull request of a fork', null, pull, false],
  ])('%s', (_, earlier, now, expected) => {
    expect(isOfFork({ pull: earlier }, { pull: now })).toBe(expected);
  });

  it('remembers every Slack channel that it heard', () => {
    expect(heardIn(githubTrigger, ['C1'])).toEqual(['C1']);
    expect(heardIn(slackTrigger, ['C2', 'C1'])).toEqual(['C2', 'C1']);
  });
});
