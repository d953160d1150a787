/** 200 commands of one second: all acknowledged, each one task, and the same 200 again are no new ones. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, until, viewOf, type FlowWorld } from './ask.ts';
import { sendAtOnce, signedCommands, type Acknowledged, type SignedCommand } from './slack-commands.ts';
import { mend, startSlackFlow } from './slack-world.ts';

const many = 200;

describe(`${many} signed commands at once`, () => {
  let flow: FlowWorld;
  let commands: readonly SignedCommand[];
  let answers: readonly Acknowledged[];
  const accepted = (outcome: string) =>
    flow
      .logged('slack.accepted')
      .filter((line) => line['outcome'] === outcome)
      .map((line) => String(line['taskId']));

  beforeAll(async () => {
    // One sandbox at a time: what is measured is taking orders, not carrying them out.
    flow = await startSlackFlow({ script: mend, maxSandboxes: 1 });
    commands = signedCommands(flow.world.slack, many, (index) => `acme/split-bill mend it (${index})`);
    answers = await sendAtOnce(`${flow.world.bot.url}/slack/events`, commands);
  });
  afterAll(async () => await flow.close());

  it('are all acknowledged, each with the id of its own task', () => {
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const ids = answers.map(({ body }) => /[0-9a-f]{8}/.exec(body)?.[0]);
    expect(new Set(ids).size).toBe(many);
  });

  it('are all recorded, none twice', async () => {
    await until('the log', () => accepted('started').length === many);
    const taskIds = accepted('started');
    expect(new Set(taskIds).size).toBe(many);
    const known = async (taskId: string) => (await api(flow.world, `/api/tasks/${taskId}`)).status === 200;
    // The last of them is started last.
    await until('the tasks', async () => await known(taskIds.at(-1) ?? ''));
    const views = await Promise.all(taskIds.map(async (taskId) => await viewOf(flow.world, taskId)));
    const instructions = new Set(views.map(({ instruction }) => instruction));
    expect(instructions.size).toBe(many);
  });

  it('start nothing when Slack sends them again', async () => {
    const again = await sendAtOnce(`${flow.world.bot.url}/slack/events`, commands);
    expect(again.map(({ status }) => status)).toEqual(answers.map(() => 200));
    await until('the log', () => accepted('exists').length === many);
    expect(accepted('started')).toHaveLength(many);
    expect(new Set(accepted('exists'))).toEqual(new Set(accepted('started')));
  });
});
