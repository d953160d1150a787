/** GitHub may deliver an event more than once, also at once; one human act stays one task. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import {
  ask,
  botComments,
  splitBill,
  startFlow,
  untilEnded,
  untilNothingIsLeft,
  viewOf,
  type Asked,
  type FlowWorld,
} from './ask.ts';

const answer = finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' });

let flow: FlowWorld;

beforeAll(async () => {
  // Long enough for deliveries to fall into the run as well.
  flow = await startFlow({
    deliveries: 'auto',
    script: [shell('sleep 1'), applyPatch(splitBillPatch), answer],
  });
});
afterAll(async () => await flow.close());

/** Statuses of the answers, each delivery made with the same body and id. */
async function redeliver(delivery: string, times: number): Promise<readonly (number | null)[]> {
  const sent = Array.from({ length: times }, async () => await flow.world.github.redeliver(delivery));
  return (await Promise.all(sent)).map(({ status }) => status);
}

describe('the same webhook delivered twenty times at once', () => {
  let asked: Asked;

  beforeAll(async () => {
    const { github, bot } = flow.world;
    // Not sent yet, so that all of them arrive together: there is no first one.
    asked = await ask(flow.world, '@airlock fix the rounding');
    github.setWebhookUrl(`${bot.url}/github/webhooks`);
  });

  it('is accepted each time', async () => {
    expect(await redeliver(asked.delivery, 20)).toEqual(Array.from({ length: 20 }, () => 202));
  });

  it('is one task with one sandbox, one comment and one pull request', async () => {
    expect((await untilEnded(flow.world, asked.taskId)).outcome).toMatchObject({ kind: 'pull-request' });
    expect(await flow.world.github.pulls(splitBill)).toHaveLength(1);
    expect(botComments(flow.world, { ...splitBill, issue: asked.issue })).toHaveLength(1);
    expect(flow.logged('sandbox.started')).toHaveLength(1);
    expect(flow.logged('agent.ended')).toHaveLength(1);
    const at = { ...splitBill, issue: asked.issue, comment: asked.comment };
    await expect.poll(() => flow.world.github.reactions(at)).toMatchObject([{ content: 'rocket' }]);
  });

  it('changes nothing after the task has ended', async () => {
    await untilNothingIsLeft(flow);
    const before = await viewOf(flow.world, asked.taskId);
    const [comment] = botComments(flow.world, { ...splitBill, issue: asked.issue });
    const requests = () =>
      flow.world.github.requests().filter(({ path }) => !path.includes('/app/hook/deliveries')).length;
    const requestsBefore = requests();
    expect(await redeliver(asked.delivery, 5)).toEqual([202, 202, 202, 202, 202]);
    // Whatever a second life would do begins with a call to GitHub, and that within a few milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(requests()).toBe(requestsBefore);
    expect(await viewOf(flow.world, asked.taskId)).toEqual(before);
    expect(botComments(flow.world, { ...splitBill, issue: asked.issue })).toEqual([comment]);
    expect(flow.logged('sandbox.started')).toHaveLength(1);
  });
});

describe('a mention that no webhook brought', () => {
  const way = () => flow.logged('deliveries.mode').at(-1)?.['way'];
  const looks = () =>
    flow.world.github.requests().filter(({ path }) => /\/app\/hook\/deliveries(?:\?|$)/.test(path)).length;

  it('is found in GitHub’s log where no webhook arrives, also after an outage, and is one task', async () => {
    const { github } = flow.world;
    let asked: Asked | null = null;
    await flow.world.restartBot(async () => {
      github.setWebhookUrl('http://127.0.0.1:9/github/webhooks');
      asked = await ask(flow.world, '@airlock fix the rounding');
    });
    const { taskId, issue } = asked ?? { taskId: '', issue: 0 };
    await expect
      .poll(() => flow.logged('webhook.accepted'))
      .toContainEqual(expect.objectContaining({ taskId }));
    expect((await untilEnded(flow.world, taskId)).outcome).toMatchObject({ kind: 'pull-request' });
    expect(botComments(flow.world, { ...splitBill, issue })).toHaveLength(1);
    expect(way()).toBe('poll');
    const before = looks();
    await expect.poll(looks).toBeGreaterThan(before);
    // Comments of the bot are in the log as well.
    const read = flow.logged('delivery.read').map(({ guid }) => guid);
    expect(new Set(read).size).toBe(read.length);
  });

  it('is looked for only now and then where webhooks arrive', async () => {
    const { github, bot } = flow.world;
    await flow.world.restartBot(async () => {
      github.setWebhookUrl(`${bot.url}/github/webhooks`);
      await Promise.resolve();
    });
    await expect.poll(way).toBe('webhooks');
    const asked = await ask(flow.world, '@airlock fix the rounding');
    expect((await untilEnded(flow.world, asked.taskId)).outcome).toMatchObject({ kind: 'pull-request' });
    await untilNothingIsLeft(flow);
    expect(botComments(flow.world, { ...splitBill, issue: asked.issue })).toHaveLength(1);
  });
});
