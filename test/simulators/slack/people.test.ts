/** User actions: delivered once, signed and in Slack's format, or refused as Slack's client does. */
import { verifySlackRequest } from '@slack/bolt';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SlackSimulator } from '../../../simulators/slack/contract.ts';
import {
  button,
  caller,
  payloadIn,
  section,
  signingSecret,
  startWorkspace,
  TestApp,
  textIn,
} from './workspace.ts';

let slack: SlackSimulator;
let app: TestApp;
let call: ReturnType<typeof caller>;
beforeAll(async () => {
  app = await TestApp.start();
  slack = await startWorkspace({ requestUrl: `${app.url}/slack/events` });
  call = caller(slack);
});
afterAll(async () => {
  await slack.close();
  await app.stop();
});
beforeEach(() => {
  app.received.length = 0;
  app.answer = () => ({});
});

const kinds = () => app.received.map((one) => textIn(payloadIn(one), 'event', 'type'));
const channel = () => slack.channel('shop').id;
const postButtons = async () => {
  const elements = [button('Cancel', 'task.cancel', 'sl-1'), button('Log', 'task.log')];
  const { ts } = await call('chat.postMessage', {
    channel: channel(),
    text: 'a task',
    blocks: [section('a task'), { type: 'actions', block_id: 'controls', elements }],
  });
  // The app receives an event for its own message. The tests check only what follows.
  await expect.poll(() => kinds()).toEqual(['message']);
  app.received.length = 0;
  return String(ts);
};

describe('every request', () => {
  it('carries a signature that Bolt accepts', async () => {
    const ts = await postButtons();
    await slack.slashCommand({ user: 'ada', channel: 'shop', text: 'acme/shop do this' });
    await slack.say({ user: 'ada', channel: 'shop', text: `${slack.user('airlock').mention} do this` });
    await slack.click({ user: 'ada', channel: 'shop', ts, button: 'Cancel' });
    expect(app.received).toHaveLength(4);
    for (const { headers, body } of app.received)
      verifySlackRequest({
        signingSecret,
        body,
        headers: {
          'x-slack-signature': String(headers['x-slack-signature']),
          'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
        },
      });
  });

  it('is redelivered with the same body, a new signature and the retry number', async () => {
    const { answers } = await slack.say({ user: 'ada', channel: 'shop', text: 'hello' });
    const [first] = answers;
    if (first === undefined) throw new Error('nothing was delivered');
    await slack.redeliver(first.delivery, { retryNum: 1, reason: 'http_timeout' });
    const [one, two] = app.received;
    expect(two?.body).toBe(one?.body);
    expect(two?.headers).toMatchObject({ 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' });
    expect(one?.headers).not.toHaveProperty('x-slack-retry-num');
    expect(first.delivery.attempts.map(({ retryNum }) => retryNum)).toEqual([0, 1]);
  });

  it('fails with operation_timeout after three seconds without an answer', async () => {
    app.answer = () => new Promise((resolve) => setTimeout(() => resolve({}), 3_500));
    const command = await slack.slashCommand({ user: 'ada', channel: 'shop', text: 'x' });
    expect(command).toMatchObject({ status: null, error: 'operation_timeout' });
  });

  it('can have an arbitrary body and headers', async () => {
    const body = 'payload=%7B';
    await slack.sendRaw(body, slack.sign(body, { at: 1 }));
    expect(app.received[0]).toMatchObject({ body, headers: { 'x-slack-request-timestamp': '1' } });
  });
});

describe('a command', () => {
  it('delivers user, channel and text, even from a channel without the bot', async () => {
    await slack.slashCommand({ user: 'ada', channel: 'elsewhere', text: 'acme/shop do this' });
    expect(Object.fromEntries(new URLSearchParams(app.received[0]?.body))).toMatchObject({
      command: '/codex',
      text: 'acme/shop do this',
      user_id: slack.user('ada').id,
      user_name: 'ada',
      channel_id: slack.channel('elsewhere').id,
      channel_name: 'elsewhere',
      team_id: slack.teamId,
      api_app_id: slack.appId,
    });
  });

  it.each([
    ['text', 'working on it', 'working on it'],
    ['a message', { response_type: 'ephemeral', text: 'x', blocks: [section('in blocks')] }, 'in blocks'],
  ])('shows an answer with %s as an ephemeral message', async (_, body, shown) => {
    app.answer = () => ({ body });
    const command = await slack.slashCommand({ user: 'ada', channel: 'shop', text: 'x' });
    expect(await command.reply()).toBe(shown);
    expect(slack.ephemerals('ada').at(-1)).toMatchObject({ shown, via: 'answer' });
  });

  it('accepts up to five answers at its response URL', async () => {
    const command = await slack.slashCommand({ user: 'ada', channel: 'shop', text: 'x' });
    const url = new URLSearchParams(app.received[0]?.body).get('response_url') ?? '';
    const answer = async (body: object) =>
      (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).status;
    expect(await answer({ text: 'done' })).toBe(200);
    expect(await command.reply()).toBe('done');
    expect(await answer({ text: 'for all', response_type: 'in_channel' })).toBe(200);
    expect(slack.messages('shop').at(-1)).toMatchObject({ text: 'for all', fromBot: true });
    expect(await answer({ text: 'x', blocks: [section('')] })).toBe(400);
    expect([await answer({ text: '4' }), await answer({ text: '5' }), await answer({ text: '6' })]).toEqual([
      200, 200, 404,
    ]);
  });

  it('is refused to bots, to users of other workspaces, and to users outside the channel', async () => {
    const type = (user: string, where: string) => slack.slashCommand({ user, channel: where, text: 'x' });
    await expect(type('robo', 'shop')).rejects.toThrow('no commands');
    await expect(type('sam', 'shop')).rejects.toThrow('no commands');
    await expect(type('bob', 'back-room')).rejects.toThrow('is not in');
    expect(app.received).toEqual([]);
  });
});

describe('a message', () => {
  it.each([
    ['in a channel', 'shop', 'hello', ['message']],
    ['in a channel with a mention', 'shop', '<@U0AIRLOCK1> hello', ['message', 'app_mention']],
    ['in a channel without the bot', 'elsewhere', '<@U0AIRLOCK1> hello', []],
  ])('%s is delivered with the events that Slack sends', async (_, where, text, expected) => {
    await slack.say({ user: 'ada', channel: where, text });
    expect(new Set(kinds())).toEqual(new Set(expected));
    expect(kinds()).toHaveLength(expected.length);
  });

  it('in a direct message is delivered once, even if it mentions the bot', async () => {
    await slack.say({
      user: 'ada',
      channel: slack.directChannel('ada'),
      text: `${slack.user('airlock').mention} hi`,
    });
    expect(app.received.map((one) => payloadIn(one)['event'])).toMatchObject([
      { type: 'message', channel_type: 'im' },
    ]);
  });

  it('is delivered with the receiving bot, the thread, and a stranger’s own workspace', async () => {
    const root = await slack.say({ user: 'ada', channel: 'shop', text: 'root' });
    app.received.length = 0;
    await slack.say({ user: 'sam', channel: 'shop', text: 'reply', threadTs: root.threadTs });
    expect(app.received.map(payloadIn)).toMatchObject([
      {
        type: 'event_callback',
        team_id: slack.teamId,
        authorizations: [{ user_id: slack.botUserId, is_bot: true }],
        is_ext_shared_channel: true,
        event: { thread_ts: root.ts, parent_user_id: slack.user('ada').id, user_team: 'T0FOREIGN1' },
      },
    ]);
  });

  it.each([
    ['files', { files: ['log.txt'] }, { subtype: 'file_share', files: [{ name: 'log.txt' }] }],
    ['no attachment', {}, { text: 'look' }],
  ])('with %s is delivered with its subtype', async (_, more, event) => {
    await slack.say({ user: 'ada', channel: 'shop', text: 'look', ...more });
    expect(payloadIn(app.received[0] ?? { headers: {}, body: '{}' })).toMatchObject({ event });
  });

  it('is delivered with the subtypes for edits, deletions and messages of other bots', async () => {
    const { ts } = await slack.say({ user: 'ada', channel: 'shop', text: 'one' });
    await slack.edit({ user: 'ada', channel: 'shop', ts, text: 'two' });
    await slack.delete({ user: 'ada', channel: 'shop', ts });
    await slack.say({ user: 'robo', channel: 'shop', text: 'beep' });
    expect(app.received.map((one) => textIn(payloadIn(one), 'event', 'subtype'))).toEqual([
      undefined,
      'message_changed',
      'message_deleted',
      'bot_message',
    ]);
    expect(slack.message('shop', ts)).toMatchObject({ deleted: true, text: 'two' });
    expect(slack.messages('shop').map((message) => message.ts)).not.toContain(ts);
  });

  it('delivers reactions with the author of the message', async () => {
    const ts = await postButtons();
    await slack.react({ user: 'ada', channel: 'shop', ts, name: 'x' });
    expect(payloadIn(app.received[0] ?? { headers: {}, body: '{}' })).toMatchObject({
      event: {
        type: 'reaction_added',
        reaction: 'x',
        item_user: slack.botUserId,
        item: { channel: channel(), ts },
      },
    });
    expect(slack.reactions('shop', ts)).toEqual([{ name: 'x', userIds: [slack.user('ada').id] }]);
    await slack.unreact({ user: 'ada', channel: 'shop', ts, name: 'x' });
    expect(slack.reactions('shop', ts)).toEqual([]);
  });
});

describe('a button', () => {
  it('is pressed by label or id, and delivered with its value and its message', async () => {
    const ts = await postButtons();
    await slack.click({ user: 'bob', channel: 'shop', ts, button: 'Cancel' });
    expect(payloadIn(app.received[0] ?? { headers: {}, body: '' })).toMatchObject({
      type: 'block_actions',
      user: { id: slack.user('bob').id, team_id: slack.teamId },
      container: { type: 'message', message_ts: ts, channel_id: channel() },
      message: { ts, user: slack.botUserId },
      actions: [{ type: 'button', action_id: 'task.cancel', block_id: 'controls', value: 'sl-1' }],
    });
  });

  it('of an ephemeral message works only for its reader, and is delivered without the message', async () => {
    const { message_ts: ts } = await call('chat.postEphemeral', {
      channel: channel(),
      user: slack.user('bob').id,
      text: 'not started',
      blocks: [{ type: 'actions', block_id: 'controls', elements: [button('Retry', 'task.retry', 'sl-1')] }],
    });
    const press = { channel: 'shop', ts: String(ts), button: 'Retry' };
    await slack.click({ ...press, user: 'bob' });
    const payload = payloadIn(app.received[0] ?? { headers: {}, body: '' });
    expect(payload).toMatchObject({
      type: 'block_actions',
      container: { type: 'message', message_ts: ts, channel_id: channel(), is_ephemeral: true },
      channel: { id: channel() },
      actions: [{ action_id: 'task.retry', value: 'sl-1' }],
    });
    expect(payload).not.toHaveProperty('message');
    await expect(slack.click({ ...press, user: 'ada' })).rejects.toThrow('there is no message');
  });

  it('can be pressed twice at once, but not after an update removed it', async () => {
    const ts = await postButtons();
    await slack.click({ user: 'bob', channel: 'shop', ts, button: 'task.log', times: 2 });
    expect(app.received).toHaveLength(2);
    await call('chat.update', { channel: channel(), ts, text: 'done' });
    await expect(slack.click({ user: 'bob', channel: 'shop', ts, button: 'Cancel' })).rejects.toThrow(
      'no button Cancel; it has: none',
    );
  });
});

describe('a message shortcut', () => {
  it('delivers the message on which it was used', async () => {
    const { ts } = await slack.say({ user: 'bob', channel: 'shop', text: 'it is broken' });
    app.received.length = 0;
    await slack.messageShortcut({ user: 'ada', channel: 'shop', ts, callbackId: 'run_codex_on_this' });
    expect(payloadIn(app.received[0] ?? { headers: {}, body: '' })).toMatchObject({
      type: 'message_action',
      callback_id: 'run_codex_on_this',
      message_ts: ts,
      message: { text: 'it is broken', user: slack.user('bob').id },
      trigger_id: expect.stringMatching(/^\d+\.\d+\.[0-9a-f]{32}$/),
    });
  });
});

describe('the pages', () => {
  it('render mrkdwn, and escape HTML and scripts in messages', async () => {
    await slack.say({
      user: 'ada',
      channel: 'shop',
      text: '<script>alert(1)</script> `&lt;b&gt;` <javascript:alert(1)|x>\n&gt; she\n&gt; *said*\nhe did',
    });
    const response = await fetch(`${slack.url}/archives/${channel()}`);
    const html = await response.text();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).toContain('<code>&lt;b&gt;</code>');
    expect(html).toContain('<blockquote>she\n<strong>said</strong></blockquote>he did');
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('href="javascript:');
  });
});
