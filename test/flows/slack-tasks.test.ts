/** From Slack to a pull request: the command, the form, a mention, its replies, a choice, and refusals. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import { png } from '../fixtures/images.ts';
import type { SlackSimulator } from '../../simulators/slack/contract.ts';
import { scriptsByName, splitBill, steered, until, untilNothingIsLeft, type FlowWorld } from './ask.ts';
import { cloneBranch } from './clone-branch.ts';
import {
  botMessages,
  mend,
  mendAndTest,
  startedTasks,
  startSlackFlow,
  taken,
  untilPosted,
  untilReplied,
  untilShows,
} from './slack-world.ts';

let flow: FlowWorld;
let slack: SlackSimulator;
const prompts: string[] = [];

beforeAll(async () => {
  const scripts = scriptsByName({
    ...steered,
    'and-a-note': [
      shell('git log --oneline -3'),
      applyPatch(`*** Begin Patch\n*** Add File: NOTES.md\n+Cents are whole.\n*** End Patch`),
      finish({ title: 'Write it down', summary: 'A note on cents.' }),
    ],
    waits: [shell('sleep 3600'), ...mend],
    tested: mendAndTest,
    mend,
  });
  flow = await startSlackFlow({
    script: (conversation) => {
      prompts.push(conversation.prompt);
      return typeof scripts === 'function' ? scripts(conversation) : scripts;
    },
  });
  ({ slack } = flow.world);
  await flow.world.github.createRepository({ owner: 'acme', name: 'menu', files: splitBillFiles });
});
afterAll(async () => await flow.close());

const pulls = async (repository: { owner: string; name: string } = splitBill) =>
  await flow.world.github.pulls(repository);

describe('a slash command', () => {
  it('is accepted at once, followed in one message, and becomes a pull request', async () => {
    const asked = taken(
      await slack.slashCommand({
        user: 'maria',
        channel: 'dev',
        text: 'acme/split-bill command [tested] it',
      }),
    );
    expect(await asked.reply()).toMatch(/[0-9a-f]{8}/);
    const message = await untilPosted(slack, 'dev', /pull request \d+/i);
    const [pull] = (await pulls()).toReversed();
    expect(message.shown).toContain('Hand out every cent');
    expect(message.versions[0]?.text).not.toContain('ull request');
    const live = message.versions.map(({ blocks }) => JSON.stringify(blocks)).join('\n');
    expect(live).toContain('acme/split-bill');
    expect(live).toContain('Cancel');
    expect(message.buttons).toContain('Retry');
    expect(message.buttons).not.toContain('Cancel');
    // Diff, tests and cost.
    expect(message.shown).toMatch(/\+4/);
    expect(message.shown).toMatch(/node --test/);
    expect(message.shown).toMatch(/\$0\.\d+/);
    expect(slack.messages('dev').filter(({ fromBot }) => fromBot)).toHaveLength(1);
    expect(pull?.body).toContain('requested by @maria');
    expect(pull?.requestedReviewers).toEqual(['maria']);
  });

  it('with nothing after it opens a form, which becomes a pull request', async () => {
    const before = (await pulls()).length;
    const { view } = await slack.openForm({ user: 'omar', channel: 'dev' });
    const { options } = await slack.choose({
      user: 'omar',
      viewId: view.id,
      blockId: 'repository',
      query: 'split',
      pick: 'acme/split-bill',
    });
    expect(options.map(({ text }) => text)).toEqual(['acme/split-bill']);
    const sent = await slack.submitView({
      user: 'omar',
      viewId: view.id,
      values: { instruction: 'form [mend] it', branch: 'main' },
    });
    expect(sent.outcome).toBe('closed');
    await until('the pull request', async () => (await pulls()).length === before + 1);
  });

  it('says at the field what cannot be sent', async () => {
    const { view } = await slack.openForm({ user: 'omar', channel: 'dev' });
    await slack.choose({
      user: 'omar',
      viewId: view.id,
      blockId: 'repository',
      query: '',
      pick: 'acme/menu',
    });
    const sent = await slack.submitView({
      user: 'omar',
      viewId: view.id,
      values: { instruction: 'x', branch: 'no such..branch' },
    });
    expect(sent.outcome).toBe('errors');
    expect(Object.keys(sent.errors)).toEqual(['branch']);
  });
});

describe('a mention in a thread', () => {
  it('brings what people said, and a reply adds a second commit to the same branch', async () => {
    const before = (await pulls()).length;
    const root = await slack.say({
      user: 'omar',
      channel: 'dev',
      text: `People say they are short of a cent. Ask ${slack.user('maria').mention} about <https://example.org/a|the docs>`,
    });
    await slack.say({
      user: 'fremd',
      channel: 'dev',
      threadTs: root.ts,
      text: 'A stranger says &lt;!channel&gt; hello',
    });
    const bot = `<@${slack.botUserId}>`;
    const asked = await slack.say({
      user: 'maria',
      channel: 'dev',
      threadTs: root.ts,
      text: `${bot} thread [mend] it`,
    });
    for (const answer of asked.answers) taken(answer);
    const first = await untilReplied({ slack, channel: 'dev', threadTs: root.ts }, /pull request \d+/i);
    expect(slack.reactions('dev', asked.ts)).toEqual([{ name: 'eyes', userIds: [slack.botUserId] }]);
    const prompt = prompts.findLast((text) => text.includes('thread [mend] it')) ?? '';
    expect(prompt).toContain('People say they are short of a cent.');
    expect(prompt).toContain('Omar');
    // Names for ids, and the stranger left out.
    expect(prompt).toContain('Ask @Maria');
    expect(prompt).toContain('https://example.org/a');
    expect(prompt).not.toContain('A stranger says');
    expect(prompt).toMatch(/1 message|left out/);
    const [pull] = (await pulls()).toReversed();
    if (pull === undefined) throw new Error('no pull request');

    const reply = await slack.say({
      user: 'maria',
      channel: 'dev',
      threadTs: root.ts,
      text: '[and-a-note] please write that down',
      files: [
        { name: 'screen.png', content: png(64, 48) },
        { name: 'numbers.txt', content: '0.005 became 0.01', mode: 'snippet' },
        { name: 'drawing.svg', content: '<svg/>' },
      ],
    });
    for (const answer of reply.answers) taken(answer);
    await untilReplied({ slack, channel: 'dev', threadTs: root.ts }, /added to pull request/i, 2);
    expect(await pulls()).toHaveLength(before + 1);
    await using clone = await cloneBranch(flow.world, pull.headRef);
    const subjects = (await clone.git('log', '--format=%s', 'origin/main..HEAD')).split('\n');
    expect(subjects).toEqual(['Write it down', 'Hand out every cent']);
    // The first message is left as it was.
    expect(slack.message('dev', first.ts)?.shown).toBe(first.shown);
    expect(botMessages(slack, 'dev', root.ts)).toHaveLength(2);
    const second = prompts.findLast((text) => text.includes('please write that down')) ?? '';
    expect(second).toContain('thread [mend] it');
    expect(second).toContain('already in the checkout');
    expect(second).toContain('You worked on this conversation before');
    expect(second).toMatch(/numbers\.txt, from [^\n]*, attached to the request/);
    expect(second).toContain('0.005 became 0.01');
    const image = `data:image/png;base64,${Buffer.from(png(64, 48)).toString('base64')}`;
    expect(JSON.stringify(flow.world.openai?.requests().at(-1)?.body)).toContain(image);
    expect(botMessages(slack, 'dev', root.ts).at(-1)?.shown).toContain('drawing.svg is an SVG drawing');
    expect(botMessages(slack, 'dev', root.ts).at(-1)?.shown).toMatch(/continues `[0-9a-f]{8}`/);

    const tasks = startedTasks(flow).length;
    for (const text of ['thanks! :tada:', 'LGTM, I’ll merge it tomorrow', 'hm, who wrote the test?']) {
      const said = await slack.say({ user: 'maria', channel: 'dev', threadTs: root.ts, text });
      for (const answer of said.answers) taken(answer);
    }
    expect(startedTasks(flow)).toHaveLength(tasks);
  });

  it('does what a reply adds while a long command runs, and marks the reply', async () => {
    const before = (await pulls()).length;
    const bot = `<@${slack.botUserId}>`;
    const root = await slack.say({ user: 'maria', channel: 'dev', text: `${bot} steer it [listen]` });
    const first = await untilReplied({ slack, channel: 'dev', threadTs: root.ts }, 'until grep');
    const reply = await slack.say({
      user: 'omar',
      channel: 'dev',
      threadTs: root.ts,
      text: `${bot} please write that down as well [heed]`,
    });
    const done = await untilShows(slack, first, /pull request \d+/i);
    expect(done.shown).toContain('Write it down');
    await until('the mark on the reply', () => slack.reactions('dev', reply.ts).length === 2);
    expect(slack.reactions('dev', reply.ts).map(({ name }) => name)).toEqual(['eyes', 'white_check_mark']);
    expect(botMessages(slack, 'dev', root.ts)).toHaveLength(1);
    const [pull] = (await pulls()).toReversed();
    expect(await pulls()).toHaveLength(before + 1);
    expect(pull?.body).toMatch(/Omar added while Codex worked:\n\n> please write that down as well/);
    await using clone = await cloneBranch(flow.world, pull?.headRef ?? '');
    expect((await clone.git('ls-tree', '--name-only', 'HEAD')).split('\n')).toContain('NOTES.md');
  });

  it('starts nothing when a message is edited or deleted, or when people talk to each other', async () => {
    const before = startedTasks(flow).length;
    const said = await slack.say({ user: 'maria', channel: 'dev', text: 'Only a remark.' });
    await slack.edit({ user: 'maria', channel: 'dev', ts: said.ts, text: `<@${slack.botUserId}> [mend] it` });
    await slack.say({ user: 'omar', channel: 'dev', threadTs: said.ts, text: 'And another one.' });
    await slack.delete({ user: 'maria', channel: 'dev', ts: said.ts });
    expect(startedTasks(flow)).toHaveLength(before);
  });
});

describe('a task whose repository is not clear', () => {
  it('asks with buttons, says which was chosen, and goes on in the same message', async () => {
    const asked = taken(
      await slack.slashCommand({ user: 'maria', channel: 'ops', text: 'choose [mend] it' }),
    );
    await asked.reply();
    const question = await untilPosted(slack, 'ops', 'acme/menu');
    expect(question.buttons).toEqual(expect.arrayContaining(['acme/menu', 'acme/split-bill']));
    // Omar's alone.
    expect(question.buttons).not.toContain('acme/till');
    expect((await pulls({ owner: 'acme', name: 'menu' })).length).toBe(0);
    taken(
      await slack.click({ user: 'omar', channel: 'ops', ts: question.ts, button: 'acme/menu', times: 2 }),
    );
    const done = await untilShows(slack, question, /pull request \d+/i);
    expect(done.shown).toContain('acme/menu');
    expect((await pulls({ owner: 'acme', name: 'menu' })).length).toBe(1);
    expect(slack.messages('ops').filter(({ fromBot }) => fromBot)).toHaveLength(1);
  });
});

describe('people who cannot use a repository', () => {
  it.each([
    ['a guest', 'gast', 'dev', 'acme/split-bill [mend] it'],
    ['a member who is not on the list', 'maria', 'ops', 'acme/till [mend] it'],
    ['anybody, when it is not listed', 'maria', 'ops', 'acme/other [mend] it'],
  ])('get a refusal that only they see: %s', async (_, user, channel, text) => {
    const messages = slack.messages(channel).length;
    const sandboxes = flow.logged('sandbox.started').length;
    const told = slack.ephemerals(user).length;
    taken(await slack.slashCommand({ user, channel, text }));
    await until('the refusal', () =>
      slack
        .ephemerals(user)
        .slice(told)
        .some(({ shown, text: words }) => /not|only|cannot/i.test(`${words} ${shown}`)),
    );
    await until('its end', () => flow.logged('task.ended').length === startedTasks(flow).length);
    expect(slack.messages(channel)).toHaveLength(messages);
    expect(flow.logged('sandbox.started')).toHaveLength(sandboxes);
  });
});

describe('somebody of another workspace', () => {
  it('starts nothing with a mention, and gets the reason', async () => {
    const before = startedTasks(flow).length;
    const told = slack.ephemerals('fremd').length;
    await slack.say({
      user: 'fremd',
      channel: 'dev',
      text: `<@${slack.botUserId}> acme/split-bill [mend] it`,
    });
    await until('the refusal', () => slack.ephemerals('fremd').length > told);
    expect(startedTasks(flow)).toHaveLength(before);
  });
});

it('leaves no sandbox and no token behind', async () => {
  await untilNothingIsLeft(flow);
  expect(flow.world.bot.sandboxes()).toEqual([]);
});
