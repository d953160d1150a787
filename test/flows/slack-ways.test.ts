/** More ways to start and end a task in Slack: shortcut, direct message, Change, and channels that close. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { shell } from '../../simulators/openai/script.ts';
import type { SlackSimulator } from '../../simulators/slack/contract.ts';
import { callbackIds } from '../../src/slack/names.ts';
import { scriptsByName, splitBill, until, untilNothingIsLeft, type FlowWorld } from './ask.ts';
import {
  channels,
  config,
  mend,
  people,
  startedTasks,
  startSlackFlow,
  taken,
  untilReplied,
  untilShows,
} from './slack-world.ts';

let flow: FlowWorld;
let slack: SlackSimulator;

beforeAll(async () => {
  const script = scriptsByName({
    // First: the thread that a task is asked in names the other.
    menu: mend,
    waits: [shell('sleep 3600'), ...mend],
    slowly: [shell('sleep 2'), ...mend],
    mend,
  });
  flow = await startSlackFlow({
    slack: {
      users: people,
      channels: [...channels, { name: 'old', members: ['maria'] }, { name: 'gone', members: ['maria'] }],
      deliverTo: 'http',
    },
    configText: config,
    script,
  });
  ({ slack } = flow.world);
  await flow.world.github.createRepository({ owner: 'acme', name: 'menu', files: splitBillFiles });
});
afterAll(async () => await flow.close());

const pulls = async (repository: { owner: string; name: string } = splitBill) =>
  await flow.world.github.pulls(repository);

describe('the message shortcut', () => {
  it('opens the form on what somebody said, and the task answers in its thread', async () => {
    const before = (await pulls()).length;
    const said = await slack.say({
      user: 'omar',
      channel: 'dev',
      text: 'shortcut [mend]: a cent is missing',
    });
    taken(
      await slack.messageShortcut({
        user: 'maria',
        channel: 'dev',
        ts: said.ts,
        callbackId: callbackIds.shortcut,
      }),
    );
    await until('the form', () => slack.views('maria').length > 0);
    const view = slack.views('maria').at(-1);
    if (view === undefined) throw new Error('no form');
    expect(JSON.stringify(view.blocks)).toContain('a cent is missing');
    // The channel's own repository is filled in.
    const sent = await slack.submitView({ user: 'maria', viewId: view.id, values: {} });
    expect(sent.outcome).toBe('closed');
    await untilReplied({ slack, channel: 'dev', threadTs: said.ts }, /pull request \d+/i);
    expect(await pulls()).toHaveLength(before + 1);
    expect(slack.reactions('dev', said.ts).map(({ name }) => name)).toEqual(['eyes']);
  });
});

describe('a direct message', () => {
  it('starts a task, and replies continue it', async () => {
    const before = (await pulls()).length;
    const channel = slack.directChannel('maria');
    const said = await slack.say({ user: 'maria', channel, text: 'bill direct [mend]' });
    await untilReplied({ slack, channel, threadTs: said.ts }, /pull request \d+/i);
    expect(await pulls()).toHaveLength(before + 1);
    const status = await slack.say({ user: 'maria', channel, threadTs: said.ts, text: 'status' });
    for (const answer of status.answers) taken(answer);
    await until('the answer', () =>
      slack.ephemerals('maria').some(({ shown, text }) => /has ended/.test(text + shown)),
    );
  });
});

describe('Change', () => {
  it('cancels the task and starts another on the other repository', async () => {
    const said = await slack.say({
      user: 'maria',
      channel: 'dev',
      text: `<@${slack.botUserId}> change [waits]`,
    });
    const at = { slack, channel: 'dev', threadTs: said.ts };
    const running = await untilReplied(at, 'sleep 3600');
    expect(running.shown).toMatch(/channel/i);
    taken(await slack.click({ user: 'maria', channel: 'dev', ts: running.ts, button: 'Change' }));
    await until('the form', () => slack.views('maria').length > 0);
    const view = slack.views('maria').at(-1);
    if (view === undefined) throw new Error('no form');
    await slack.choose({
      user: 'maria',
      viewId: view.id,
      blockId: 'repository',
      query: 'menu',
      pick: 'acme/menu',
    });
    const sent = await slack.submitView({
      user: 'maria',
      viewId: view.id,
      values: { instruction: '[menu] instead' },
    });
    expect(sent.outcome).toBe('closed');
    await untilShows(slack, running, /cancelled/i);
    const second = await untilReplied(at, /pull request \d+/i, 2);
    expect(second.shown).toContain('acme/menu');
    expect(await pulls({ owner: 'acme', name: 'menu' })).toHaveLength(1);
  });
});

describe('Retry of what was not started', () => {
  it('works on the message that the requester alone was shown', async () => {
    const refusals = () => slack.ephemerals('maria').filter(({ shown }) => shown.includes('Not started'));
    const asked = await slack.slashCommand({
      user: 'maria',
      channel: 'ops',
      text: 'bill --model gpt-nobody-has again [mend]',
    });
    taken(asked);
    await until('the refusal', () => refusals().length === 1);
    const [refusal] = refusals();
    if (refusal === undefined) throw new Error('no refusal');
    const again = await slack.click({ user: 'maria', channel: 'ops', ts: refusal.ts, button: 'Retry' });
    expect(await taken(again).reply()).toContain('is being retried');
    await until('the second refusal', () => refusals().length === 2);
    expect(slack.messages('ops').filter(({ fromBot }) => fromBot)).toEqual([]);
  });
});

describe('a channel that closes while the task runs', () => {
  it.each([
    ['archived', 'old', async () => await slack.archiveChannel('old')],
    ['deleted', 'gone', async () => slack.deleteChannel('gone')],
  ])('%s: the requester gets the outcome as a direct message', async (what, channel, close) => {
    const before = (await pulls()).length;
    const told = slack.directMessages('maria').length;
    const said = await slack.say({
      user: 'maria',
      channel,
      text: `<@${slack.botUserId}> bill ${what} [slowly]`,
    });
    // What the message shows while the command runs may be over before it is seen.
    await untilReplied({ slack, channel, threadTs: said.ts }, /./);
    await close();
    await until('the pull request', async () => (await pulls()).length === before + 1);
    const direct = () =>
      slack
        .directMessages('maria')
        .slice(told)
        .filter(({ fromBot }) => fromBot);
    await until('the direct message', () => direct().some(({ shown }) => /pull request \d+/i.test(shown)));
    expect(direct()).toHaveLength(1);
  });
});

it('started what was asked for and nothing else', async () => {
  // Shortcut, direct message, Change twice, Retry twice, two channels, and a `status` request.
  expect(startedTasks(flow).length).toBeLessThanOrEqual(9);
  await untilNothingIsLeft(flow);
});
