/** Controls of a task in Slack: cancel, retry, approve, change; and failures of Slack. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyPatch, fail, finish, shell } from '../../simulators/openai/script.ts';
import type { MessageView } from '../../simulators/slack/contract-views.ts';
import type { SlackSimulator } from '../../simulators/slack/contract.ts';
import { scriptsByName, splitBill, until, untilNothingIsLeft, viewOf, type FlowWorld } from './ask.ts';
import {
  botMessages,
  mend,
  mendAndTest,
  startedTasks,
  startSlackFlow,
  taken,
  untilReplied,
  untilShows,
} from './slack-world.ts';

let flow: FlowWorld;
let slack: SlackSimulator;
let modelIsAway = true;
const prompts: string[] = [];

beforeAll(async () => {
  const scripts = scriptsByName({
    waits: [shell('sleep 3600'), ...mend],
    leaks: [
      applyPatch(
        `*** Begin Patch\n*** Add File: key.pem\n+-----BEGIN RSA PRIVATE KEY-----\n+${randomBytes(72).toString('base64')}\n+-----END RSA PRIVATE KEY-----\n*** End Patch`,
      ),
      finish({ title: 'Add a key', summary: 'For the tests.' }),
    ],
    slowly: [shell('sleep 2'), ...mend],
    tested: mendAndTest,
    mend,
  });
  flow = await startSlackFlow({
    script: (conversation) => {
      prompts.push(conversation.prompt);
      if (conversation.prompt.includes('[recovers]'))
        return modelIsAway ? [fail(400, { message: 'the model is on holiday' })] : mend;
      return typeof scripts === 'function' ? scripts(conversation) : scripts;
    },
  });
  ({ slack } = flow.world);
});
afterAll(async () => await flow.close());

const pulls = async () => await flow.world.github.pulls(splitBill);
/** Asks in a thread of its own, so that tests do not meet. */
async function ask(text: string, user = 'maria', channel = 'dev') {
  const said = await slack.say({ user, channel, text: `<@${slack.botUserId}> ${text}` });
  for (const answer of said.answers) taken(answer);
  return { ...said, at: { slack, channel, threadTs: said.ts } };
}

describe('Cancel', () => {
  it('is refused to a guest; from a member it stops the run, names them and ends the sandbox', async () => {
    const { at } = await ask('cancel [waits]');
    const running = await untilReplied(at, 'sleep 3600');
    const refused = taken(
      await slack.click({ user: 'gast', channel: 'dev', ts: running.ts, button: 'Cancel' }),
    );
    expect(await refused.reply()).toMatch(/guest/i);
    expect(slack.message('dev', running.ts)?.buttons).toContain('Cancel');
    taken(await slack.click({ user: 'omar', channel: 'dev', ts: running.ts, button: 'Cancel' }));
    const cancelled = await untilShows(slack, running, /cancelled/i);
    expect(cancelled.shown).toContain('Omar');
    expect(cancelled.buttons).toContain('Retry');
    await until('the sandbox is gone', () => flow.world.bot.sandboxes().length === 0);
  });

  it('is also ❌ by who asked, and by nobody else', async () => {
    const { at, ts } = await ask('cross [waits]');
    const running = await untilReplied(at, 'sleep 3600');
    await slack.react({ user: 'omar', channel: 'dev', ts, name: 'x' });
    expect(slack.message('dev', running.ts)?.shown).not.toMatch(/cancelled/i);
    await slack.react({ user: 'maria', channel: 'dev', ts: running.ts, name: 'x' });
    await untilShows(slack, running, /cancelled/i);
  });

  it('is also Slack’s own Stop button, on the status that the thread shows while the task runs', async () => {
    const { at } = await ask('stop button [waits]');
    const running = await untilReplied(at, 'sleep 3600');
    expect(slack.session('dev', at.threadTs)).toEqual({ status: 'processing', title: 'stop button [waits]' });
    for (const answer of await slack.stopSession({ user: 'omar', channel: 'dev', threadTs: at.threadTs }))
      taken(answer);
    expect((await untilShows(slack, running, /cancelled/i)).shown).toContain('Omar');
    await until('the status is off', () => slack.session('dev', at.threadTs)?.status === 'active');
  });

  it('works by the short id from anywhere', async () => {
    const { at } = await ask('by id [waits]');
    const running = await untilReplied(at, 'sleep 3600');
    const list = taken(await slack.slashCommand({ user: 'maria', channel: 'ops', text: 'list' }));
    const id = /`([0-9a-f]{8})`/.exec(await list.reply())?.[1] ?? '';
    const cancel = taken(await slack.slashCommand({ user: 'maria', channel: 'ops', text: `cancel ${id}` }));
    expect(await cancel.reply()).toContain(id);
    await untilShows(slack, running, /cancelled/i);
  });
});

describe('Retry', () => {
  it('pressed twice runs the task once more, and makes another pull request when pressed again', async () => {
    const before = (await pulls()).length;
    const { at } = await ask('retry what [recovers]');
    const failed = await untilReplied(at, /holiday/);
    modelIsAway = false;
    const started = startedTasks(flow).length;
    taken(await slack.click({ user: 'maria', channel: 'dev', ts: failed.ts, button: 'Retry', times: 2 }));
    const done = await untilReplied(at, /pull request \d+/i, 2);
    expect(startedTasks(flow)).toHaveLength(started + 1);
    expect(botMessages(slack, 'dev', at.threadTs)).toHaveLength(2);
    expect(done.shown).toContain("the earlier task's repository");
    expect(await pulls()).toHaveLength(before + 1);

    taken(await slack.click({ user: 'maria', channel: 'dev', ts: done.ts, button: 'Retry' }));
    const second = await untilReplied(at, /pull request \d+/i, 3);
    expect(second.shown).not.toContain('continues');
    const made = (await pulls()).slice(before);
    expect(made).toEqual([
      expect.objectContaining({ title: 'Hand out every cent', baseRef: 'main' }),
      expect.objectContaining({ title: 'Hand out every cent', baseRef: 'main' }),
    ]);
    expect(new Set(made.map(({ headRef }) => headRef)).size).toBe(2);

    const told = new Set(prompts.filter((prompt) => prompt.includes('[recovers]')));
    expect([...told].join('\n')).not.toMatch(/earlier task|already in the checkout/);
  });
});

describe('a change that the gate holds', () => {
  it('becomes a draft pull request once somebody approves it, and one only', async () => {
    const before = (await pulls()).length;
    const { at } = await ask('hold [leaks]');
    const held = await untilReplied(at, /key\.pem/);
    expect(held.buttons).toContain('Approve');
    expect(await pulls()).toHaveLength(before);
    taken(await slack.click({ user: 'omar', channel: 'dev', ts: held.ts, button: 'Approve', times: 2 }));
    await untilShows(slack, held, /pull request \d+/i);
    const made = (await pulls()).slice(before);
    expect(made).toEqual([expect.objectContaining({ draft: true, body: expect.stringContaining('Omar') })]);
  });
});

describe('Slack itself', () => {
  let done: MessageView | null = null;

  it('asks to wait: progress waits, the end is shown', async () => {
    const { at } = await ask('slow slack [tested]');
    await untilReplied(at, /./);
    slack.failNext({ method: 'chat.update', fails: { status: 429, retryAfterSeconds: 2 }, times: 3 });
    done = await untilReplied(at, /pull request \d+/i);
    const updates = slack.calls().filter(({ method }) => method === 'chat.update');
    const refusedAt = updates.filter(({ status }) => status === 429).map((call) => call.at);
    expect(refusedAt).toHaveLength(3);
    // Nothing was sent before the time that Slack named was over.
    for (const at of refusedAt) {
      const next = updates.find((call) => call.at > at);
      expect((next?.at ?? Infinity) - at).toBeGreaterThanOrEqual(1900);
    }
  });

  it('opens the log of that task as a form with what ran', async () => {
    taken(await slack.click({ user: 'omar', channel: 'dev', ts: done?.ts ?? '', button: 'task.log' }));
    await until('the log', () => slack.views('omar').length > 0);
    const [view] = slack.views('omar').toReversed();
    expect(JSON.stringify(view?.blocks)).toContain('node --test');
  });

  it('loses the answer to a message and sends the event again: nothing is done or posted twice', async () => {
    const before = startedTasks(flow).length;
    slack.failNext({ method: 'chat.postMessage', fails: 'reset', when: 'after' });
    const said = await ask('lost answer, again [mend]');
    for (const { delivery } of said.answers)
      taken(await slack.redeliver(delivery, { retryNum: 1, reason: 'http_timeout' }));
    await untilReplied(said.at, /pull request \d+/i);
    expect(startedTasks(flow)).toHaveLength(before + 1);
    expect(botMessages(slack, 'dev', said.at.threadTs)).toHaveLength(1);
  });

  it('does not let the bot into the channel: the requester gets a direct message', async () => {
    const asked = taken(
      await slack.slashCommand({ user: 'maria', channel: 'secret', text: 'acme/split-bill private [mend]' }),
    );
    await asked.reply();
    await until('the direct message', () =>
      slack.directMessages('maria').some(({ fromBot, shown }) => fromBot && /pull request \d+/i.test(shown)),
    );
    expect(slack.messages('secret').filter(({ fromBot }) => fromBot)).toEqual([]);
  });

  it('revokes the token: the change is kept, because nobody can say who still has access', async () => {
    const before = (await pulls()).length;
    const { at } = await ask('revoked [slowly]');
    await untilReplied(at, 'Codex is working');
    slack.revokeBotToken();
    await until('the log', () =>
      flow.logText.some((line) => /token_revoked|invalid_auth|account_inactive/.test(line)),
    );
    await untilNothingIsLeft(flow);
    const ended = flow.logged('task.ended').at(-1);
    expect(ended).toMatchObject({ outcome: 'failed' });
    expect((await viewOf(flow.world, String(ended?.['taskId']))).outcome).toMatchObject({
      reason: { code: 'slack-refused', message: expect.stringContaining('token_revoked') },
      changeKept: true,
    });
    expect(await pulls()).toHaveLength(before);
  });
});
