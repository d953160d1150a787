/** The Web API refuses what Slack refuses, and corrects emulate's answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { SharedFile, SlackSimulator } from '../../../simulators/slack/contract.ts';
import { fetchSlackFile, slackFilesOrigin } from '../../../src/slack/files.ts';
import { slackWebClient } from '../../../src/slack/web-api.ts';
import { button, caller, section, startWorkspace, textIn, type Answered } from './workspace.ts';

let slack: SlackSimulator;
let call: ReturnType<typeof caller>;
beforeAll(async () => {
  slack = await startWorkspace();
  call = caller(slack);
});
afterAll(() => slack.close());

const id = (name: string) => slack.channel(name).id;
const post = (channel: string, more: Readonly<Record<string, unknown>> = {}) =>
  call('chat.postMessage', { channel: id(channel), text: 'hello', ...more });

describe('a call', () => {
  it.each([
    ['without a token', '', 'not_authed'],
    ['with an unknown token', 'xoxb-nobody', 'invalid_auth'],
  ])('%s is refused', async (_, token, error) => {
    expect(await call('auth.test', {}, token)).toEqual({ ok: false, error });
  });

  it('accepts the app-level token only for apps.connections.open', async () => {
    expect(await call('auth.test', {}, slack.appToken)).toMatchObject({ error: 'not_allowed_token_type' });
    expect(await call('apps.connections.open', {})).toMatchObject({ error: 'not_allowed_token_type' });
    expect(await call('apps.connections.open', {}, slack.appToken)).toMatchObject({
      ok: true,
      url: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/link\//),
    });
  });

  it('of an unknown method is refused', async () => {
    expect(await call('chat.shout', {})).toEqual({ ok: false, error: 'unknown_method' });
  });

  it('is logged without its token', async () => {
    await post('shop');
    expect(slack.calls().at(-1)).toMatchObject({ method: 'chat.postMessage', channel: id('shop'), ok: true });
    expect(JSON.stringify(slack.calls())).not.toContain(slack.botToken);
  });
});

describe('a token without the required scope', () => {
  let poor: SlackSimulator;
  beforeAll(async () => {
    poor = await startWorkspace({ botScopes: ['commands'] });
  });
  afterAll(() => poor.close());

  it.each([
    ['chat.postMessage', 'chat:write', { text: 'x' }],
    ['chat.update', 'chat:write', { ts: '1.1', text: 'x' }],
    ['chat.postEphemeral', 'chat:write', { user: 'U1', text: 'x' }],
    ['conversations.replies', 'channels:history', { ts: '1.1' }],
    ['conversations.info', 'channels:read', {}],
    ['conversations.open', 'im:write', { users: 'ada', channel: undefined }],
    ['files.info', 'files:read', { file: 'F1' }],
    ['users.info', 'users:read', { user: 'U1' }],
    ['usergroups.users.list', 'usergroups:read', { usergroup: 'S1' }],
    ['reactions.add', 'reactions:write', { name: 'eyes', timestamp: '1.1' }],
  ])('is refused for %s with the name of the scope %s', async (method, needed, args) => {
    const users = 'users' in args ? { users: poor.user('ada').id } : {};
    const given = { channel: poor.channel('shop').id, ...args, ...users };
    expect(await caller(poor)(method, given)).toMatchObject({ ok: false, error: 'missing_scope', needed });
  });
});

describe('an agent session', () => {
  const set = (more: Readonly<Record<string, unknown>>) =>
    call('agents.sessions.setStatus', { channel_id: id('shop'), status: 'processing', ...more });

  it('has the last status and the first title, and a Stop button while it is processing', async () => {
    const { ts } = await slack.say({ user: 'ada', channel: 'shop', text: 'hello' });
    expect(await set({ thread_ts: ts, title: 'one' })).toEqual({
      ok: true,
      status: 'processing',
      title: 'one',
    });
    expect(slack.session('shop', ts)).toEqual({ status: 'processing', title: 'one' });
    await slack.stopSession({ user: 'bob', channel: 'shop', threadTs: ts });
    expect(slack.session('shop', ts)?.status).toBe('processing');
    await set({ thread_ts: ts, status: 'active', title: 'two' });
    expect(slack.session('shop', ts)).toEqual({ status: 'active', title: 'one' });
    await expect(slack.stopSession({ user: 'bob', channel: 'shop', threadTs: ts })).rejects.toThrow(
      'no Stop',
    );
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['an unknown status', { status: 'is thinking…' }, 'invalid_arguments'],
    ['a title of 201 characters', { title: 'x'.repeat(201) }, 'invalid_arguments'],
    ['a channel without the bot', { channel_id: 'C1' }, 'channel_not_found'],
    ['an unknown thread', { thread_ts: '1.000001' }, 'thread_not_found'],
  ])('is refused with %s', async (_, more, error) => {
    const { ts } = await slack.say({ user: 'ada', channel: 'shop', text: 'hello' });
    expect(await set({ thread_ts: ts, ...more })).toMatchObject({ ok: false, error });
  });

  it('is refused to an app that is no agent', async () => {
    const plain = await startWorkspace({ botScopes: ['chat:write'] });
    const { ts } = await plain.say({ user: 'ada', channel: 'shop', text: 'hello' });
    const args = { channel_id: plain.channel('shop').id, thread_ts: ts, status: 'processing' };
    expect(await caller(plain)('agents.sessions.setStatus', args)).toMatchObject({ error: 'not_authorized' });
    await plain.close();
  });
});

describe('a shared file', () => {
  const share = async (...files: readonly (string | SharedFile)[]) =>
    await slack.say({ user: 'ada', channel: 'shop', text: 'x', files });
  const api = (of: SlackSimulator) => ({ botToken: of.botToken, apiUrl: `${of.url}/api/`, fetch });
  const read = async (fileId: string, of = slack, fetch_ = fetch) => {
    const slackApi = { ...api(of), fetch: fetch_ };
    const answer = await fetchSlackFile(fileId, { ...slackApi, client: await slackWebClient(slackApi) });
    return answer.kind === 'bytes' ? new TextDecoder().decode(answer.bytes) : answer.why;
  };
  const closed = /^is closed to the Slack app: add the scope files:read/;

  it('is read with its present address and the bot’s token', async () => {
    const files = [
      { name: 'a b.log', content: 'boom' },
      { name: 'x', mode: 'external' },
      { name: 'big', content: new Uint8Array(6 * 1024 * 1024) },
    ] as const;
    const { ts } = await share(...files);
    const answer = await call('conversations.replies', { channel: id('shop'), ts });
    const { messages } = z
      .object({
        messages: z.array(
          z.object({ subtype: z.literal('file_share'), files: z.array(z.object({ id: z.string() })) }),
        ),
      })
      .parse(answer);
    const [log = '', external = '', big = ''] = messages[0]?.files.map((file) => file.id) ?? [];
    expect(await read(log)).toBe('boom');
    expect(await read(external)).toBe('is kept by another service, and nothing is fetched from elsewhere');
    expect(await read(big)).toBe('is larger than 5.2 MB');
    expect(await read('F404')).toBe('was deleted in Slack');
    const elsewhere: typeof fetch = async (input, init) =>
      /files-pri/.test(input instanceof Request ? input.url : String(input))
        ? new Response(null, { status: 302, headers: { location: 'https://evil.example/x' } })
        : await fetch(input, init);
    expect(await read(log, slack, elsewhere)).toBe(
      'is not on Slack’s own hosts, and nothing is fetched from elsewhere',
    );
    const signIn: typeof fetch = async (input, init) => {
      const headers = new Headers(init?.headers);
      if (/files-pri/.test(input instanceof Request ? input.url : String(input)))
        headers.delete('authorization');
      return await fetch(input, { ...init, headers });
    };
    expect(await read(log, slack, signIn)).toMatch(closed);
  });

  it('is closed to an app without the scope', async () => {
    const poor = await startWorkspace({ botScopes: ['commands'] });
    expect(await read('F1', poor)).toMatch(closed);
    await poor.close();
  });

  it('is on Slack’s host for files alone', () => {
    expect(slackFilesOrigin('https://slack.com/api/')).toBe('https://files.slack.com');
    expect(slackFilesOrigin('https://slack-gov.com/api/')).toBe('https://files.slack-gov.com');
    expect(slackFilesOrigin(`${slack.url}/api/`)).toBe(slack.url);
  });
});

describe('a message', () => {
  it.each<[string, () => Promise<Answered>, string]>([
    ['to a public channel without the bot', () => post('elsewhere'), 'not_in_channel'],
    [
      'to an unknown channel',
      () => call('chat.postMessage', { channel: 'C1', text: 'x' }),
      'channel_not_found',
    ],
    ['without text', () => post('shop', { text: '' }), 'no_text'],
    ['in an unknown thread', () => post('shop', { thread_ts: '1.000001' }), 'thread_not_found'],
    [
      'with a section of 3,001 characters',
      () => post('shop', { blocks: [section('x'.repeat(3001))] }),
      'invalid_blocks',
    ],
    [
      'with 51 blocks',
      () => post('shop', { blocks: Array.from({ length: 51 }, () => section('x')) }),
      'invalid_blocks',
    ],
    ['with blocks that are not JSON', () => post('shop', { blocks: '[{' }), 'invalid_blocks_format'],
    [
      'with metadata without event_type',
      () => post('shop', { metadata: { event_type: '' } }),
      'invalid_metadata_schema',
    ],
  ])('%s is refused', async (_, send, error) => {
    expect(await send()).toMatchObject({ ok: false, error });
  });

  it('keeps all versions and its metadata, and gets ids for its blocks', async () => {
    const metadata = { event_type: 'task', event_payload: { id: 'sl-1' } };
    const { ts } = await post('shop', { text: 'one', metadata, blocks: [section('*one*')] });
    await call('chat.update', { channel: id('shop'), ts, text: 'two', blocks: [section('*two*')] });
    await call('chat.update', { channel: id('shop'), ts, text: 'three' });
    const message = slack.message('shop', String(ts));
    expect(message?.versions.map(({ text, blocks }) => [text, blocks.length])).toEqual([
      ['one', 1],
      ['two', 1],
      ['three', 0],
    ]);
    expect(message).toMatchObject({ text: 'three', metadata, fromBot: true, userId: slack.botUserId });
    expect(message?.versions[0]?.blocks[0]).toHaveProperty('block_id', expect.stringMatching(/.+/));
  });

  it.each([
    ['with more than 4,000 characters', { text: 'x'.repeat(4001) }, 'msg_too_long'],
    ['with blocks beyond the limits', { text: 'x', blocks: [section('')] }, 'invalid_blocks'],
    ['of an unknown message', { ts: '1.000001', text: 'x' }, 'message_not_found'],
    ['in an unknown channel', { channel: 'C1', text: 'x' }, 'channel_not_found'],
  ])('refuses an update %s', async (_, change, error) => {
    const { ts } = await post('shop');
    expect(await call('chat.update', { channel: id('shop'), ts, ...change })).toMatchObject({
      ok: false,
      error,
    });
  });

  it('of a user cannot be updated by the bot', async () => {
    const { ts } = await slack.say({ user: 'ada', channel: 'shop', text: 'mine' });
    expect(await call('chat.update', { channel: id('shop'), ts, text: 'yours' })).toMatchObject({
      error: 'cant_update_message',
    });
  });

  it('that is ephemeral is shown to nobody else', async () => {
    const user = slack.user('bob').id;
    await call('chat.postEphemeral', { channel: id('shop'), user, text: 'psst' });
    expect(slack.ephemerals('bob')).toMatchObject([{ text: 'psst', via: 'chat.postEphemeral' }]);
    expect(slack.ephemerals('ada')).toEqual([]);
    expect(slack.messages('shop').map(({ text }) => text)).not.toContain('psst');
  });
});

describe('a thread', () => {
  it('is read page by page within bounds, with its root on every page', async () => {
    const { ts } = await post('shop', { text: 'root' });
    const replies: Answered[] = [];
    for (const text of ['one', 'two', 'three']) replies.push(await post('shop', { text, thread_ts: ts }));
    const read = async (more: Readonly<Record<string, unknown>>) => {
      const answer = await call('conversations.replies', { channel: id('shop'), ts, ...more });
      expect(answer).toMatchObject({ ok: true, messages: expect.any(Array) });
      return answer;
    };
    const texts = (answer: Answered) => JSON.stringify(answer['messages']).match(/(?<="text":")[a-z]+/g);
    expect(texts(await read({}))).toEqual(['root', 'one', 'two', 'three']);
    expect(texts(await read({ latest: replies[2]?.['ts'] }))).toEqual(['root', 'one', 'two']);
    expect(texts(await read({ latest: replies[1]?.['ts'], inclusive: true }))).toEqual([
      'root',
      'one',
      'two',
    ]);
    expect(texts(await read({ oldest: replies[1]?.['ts'] }))).toEqual(['root', 'three']);
    const first = await read({ limit: 2 });
    expect(first).toMatchObject({ has_more: true });
    const cursor = textIn(first, 'response_metadata', 'next_cursor');
    expect(texts(await read({ limit: 2, cursor }))).toEqual(['root', 'three']);
  });

  it('includes metadata only with include_all_metadata', async () => {
    const { ts } = await post('shop', { metadata: { event_type: 'task', event_payload: {} } });
    const read = (more: object) => call('conversations.replies', { channel: id('shop'), ts, ...more });
    expect(JSON.stringify(await read({}))).not.toContain('event_type');
    expect(JSON.stringify(await read({ include_all_metadata: true }))).toContain('event_type');
  });

  it('is refused for an unknown root, and for a bot outside the channel', async () => {
    expect(await call('conversations.replies', { channel: id('shop'), ts: '1.000001' })).toMatchObject({
      error: 'thread_not_found',
    });
    const { ts } = await slack.say({ user: 'ada', channel: 'elsewhere', text: 'x' });
    expect(await call('conversations.replies', { channel: id('elsewhere'), ts })).toMatchObject({
      error: 'not_in_channel',
    });
  });
});

describe('a user', () => {
  it.each([
    ['ada', { deleted: false, is_restricted: false, is_stranger: false, is_bot: false }],
    ['gus', { is_restricted: true, is_stranger: false }],
    ['sam', { is_stranger: true, team_id: 'T0FOREIGN1' }],
    ['dan', { deleted: true }],
    ['robo', { is_bot: true }],
  ])('%s has the flags %j', async (name, flags) => {
    expect(await call('users.info', { user: slack.user(name).id })).toMatchObject({ ok: true, user: flags });
  });

  it('is listed in user groups, unless deactivated', async () => {
    expect(await call('usergroups.users.list', { usergroup: slack.group('developers') })).toEqual({
      ok: true,
      users: [slack.user('ada').id],
    });
    expect(await call('usergroups.users.list', { usergroup: 'S0' })).toMatchObject({
      error: 'no_such_subteam',
    });
  });

  it('receives direct messages', async () => {
    const opened = await call('conversations.open', { users: slack.user('bob').id });
    expect(opened).toMatchObject({ channel: { id: slack.directChannel('bob') } });
    await call('chat.postMessage', { channel: slack.directChannel('bob'), text: 'only you' });
    expect(slack.directMessages('bob').map(({ text }) => text)).toEqual(['only you']);
  });
});

describe('a fault', () => {
  it('fails the planned number of calls', async () => {
    slack.failNext({ method: 'chat.postMessage', fails: { status: 429, retryAfterSeconds: 7 } });
    const response = await fetch(`${slack.apiUrl}chat.postMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${slack.botToken}` },
      body: new URLSearchParams({ channel: id('shop'), text: 'x' }),
    });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
    slack.failNext({ method: /^chat\./, fails: { error: 'fatal_error' } });
    expect(await post('shop')).toEqual({ ok: false, error: 'fatal_error' });
    expect(await post('shop')).toMatchObject({ ok: true });
  });

  it('can lose the answer to a message that was posted', async () => {
    slack.failNext({ method: 'chat.postMessage', fails: 'reset', when: 'after' });
    await expect(post('shop', { text: 'posted and lost' })).rejects.toThrow('fetch failed');
    expect(slack.messages('shop').at(-1)).toMatchObject({ text: 'posted and lost' });
    expect(slack.calls().at(-1)).toMatchObject({ status: null, error: 'reset' });
  });

  it('can limit messages to one per second and channel', async () => {
    slack.limitMessages(true);
    try {
      expect(await post('shop')).toMatchObject({ ok: true });
      expect(await post('shop')).toMatchObject({ error: 'ratelimited' });
      expect(await post('back-room')).toMatchObject({ ok: true });
    } finally {
      slack.limitMessages(false);
    }
  });

  it('can archive and delete channels, and revoke the token', async () => {
    const own = await startWorkspace();
    const ask = caller(own);
    const shop = own.channel('shop').id;
    const { ts } = await ask('chat.postMessage', {
      channel: shop,
      text: 'x',
      blocks: [{ type: 'actions', elements: [button('Go', 'go')] }],
    });
    await own.archiveChannel('shop');
    expect(await ask('chat.postMessage', { channel: shop, text: 'x' })).toMatchObject({
      error: 'is_archived',
    });
    expect(await ask('chat.update', { channel: shop, ts, text: 'x' })).toMatchObject({
      error: 'is_inactive',
    });
    await own.removeBot('back-room');
    const room = own.channel('back-room').id;
    expect(await ask('chat.postMessage', { channel: room, text: 'x' })).toMatchObject({
      error: 'channel_not_found',
    });
    own.deleteChannel('elsewhere');
    expect(await ask('conversations.info', { channel: own.channel('elsewhere').id })).toMatchObject({
      error: 'channel_not_found',
    });
    own.revokeBotToken();
    expect(await ask('auth.test', {})).toEqual({ ok: false, error: 'token_revoked' });
    await own.close();
  });
});
