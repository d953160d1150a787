/** Slack without a public address: the same task over Socket Mode, from the command to the pull request. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { splitBill, until, untilNothingIsLeft, type FlowWorld } from './ask.ts';
import { channels, mend, people, startSlackFlow, taken, untilPosted, untilShows } from './slack-world.ts';
import { shell } from '../../simulators/openai/script.ts';

let flow: FlowWorld;

beforeAll(async () => {
  flow = await startSlackFlow({
    script: [shell('sleep 2'), ...mend],
    slack: { users: people, channels, deliverTo: 'socket' },
  });
  await until('the socket', () => flow.world.slack.socket.connections() > 0);
});
afterAll(async () => await flow.close());

it('takes commands, forms, clicks and mentions, and goes on after the connection was cut', async () => {
  const { slack, github } = flow.world;
  const asked = taken(await slack.slashCommand({ user: 'maria', channel: 'dev', text: 'bill mend it' }));
  expect(await asked.reply()).toContain('Received as');
  slack.socket.drop();
  const done = await untilPosted(slack, 'dev', /pull request \d+/i);
  await until('the socket again', () => slack.socket.connections() > 0);

  taken(await slack.click({ user: 'maria', channel: 'dev', ts: done.ts, button: 'task.log' }));
  await until('the log', () => slack.views('maria').length > 0);

  const { view } = await slack.openForm({ user: 'omar', channel: 'dev' });
  await slack.choose({
    user: 'omar',
    viewId: view.id,
    blockId: 'repository',
    query: 'bill',
    pick: 'acme/split-bill',
  });
  const sent = await slack.submitView({
    user: 'omar',
    viewId: view.id,
    values: { instruction: 'mend it again' },
  });
  expect(sent.outcome).toBe('closed');
  const running = await untilPosted(slack, 'dev', 'Codex is working');
  expect(running.ts).not.toBe(done.ts);
  taken(await slack.click({ user: 'omar', channel: 'dev', ts: running.ts, button: 'Cancel' }));
  await untilShows(slack, running, /cancelled/i);
  expect(await github.pulls(splitBill)).toHaveLength(1);

  const said = await slack.say({
    user: 'maria',
    channel: 'dev',
    threadTs: done.ts,
    text: `<@${slack.botUserId}> status`,
  });
  for (const answer of said.answers) taken(answer);
  await until('the answer', () =>
    slack.ephemerals('maria').some(({ shown, text }) => /has ended/.test(text + shown)),
  );
  await untilNothingIsLeft(flow);
});
