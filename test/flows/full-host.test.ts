/** People ask for more than the machine has room for: a task waits, and can be cancelled while it waits. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import {
  api,
  ask,
  scriptsByName,
  startFlow,
  until,
  untilCommand,
  untilEnded,
  untilNothingIsLeft,
  untilPhase,
  viewOf,
  type FlowWorld,
} from './ask.ts';

let flow: FlowWorld;

beforeAll(async () => {
  const mend = applyPatch(splitBillPatch);
  const answer = finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' });
  flow = await startFlow({
    maxSandboxes: 1,
    script: scriptsByName({ long: [shell('sleep 5'), mend, answer], short: [mend, answer] }),
  });
});
afterAll(async () => await flow.close());

it('a task waits for room on the machine, and never starts if it is cancelled meanwhile', async () => {
  const { world } = flow;
  const first = await ask(world, '@airlock fix the rounding [long]');
  await untilCommand(world, first.taskId, 'sleep 5');
  const second = await ask(world, '@airlock fix the rounding [short]');
  const third = await ask(world, '@airlock fix the rounding [short]');
  await Promise.all([second, third].map(async ({ taskId }) => await untilPhase(world, taskId, 'slot')));
  expect(world.bot.sandboxes()).toHaveLength(1);
  // Who came first is next, and both know where they stand.
  await until('places in the queue', async () => (await viewOf(world, third.taskId)).queuePosition === 2);
  expect((await viewOf(world, second.taskId)).queuePosition).toBe(1);
  expect((await api(world, `/api/tasks/${third.taskId}/cancel`, { method: 'POST' })).status).toBe(202);

  const [one, two, three] = await Promise.all(
    [first, second, third].map(async ({ taskId }) => await untilEnded(world, taskId)),
  );
  expect(one?.outcome).toMatchObject({ kind: 'pull-request' });
  expect(two?.outcome).toMatchObject({ kind: 'pull-request' });
  expect(three?.outcome).toEqual({ kind: 'cancelled', by: 'the API' });
  expect(flow.logged('sandbox.started')).toHaveLength(2);
  await untilNothingIsLeft(flow);
});
