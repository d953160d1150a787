/** The `Chat` adapter against emulate's Slack with the manifest's scopes, and against Slack's errors. */
import { aReason } from '../fixtures/a-reason.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChatRateLimitedError, type Chat } from '../../src/core/ports/chat-port.ts';
import type { SlackPolicy } from '../../src/core/policy.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import type { SlackTrigger, TaskOutcome } from '../../src/core/task.ts';
import { createChat } from '../../src/slack/chat.ts';
import { botToken, startSlack, type Message, type SlackFront } from './slack-front.ts';

let slack: SlackFront;
let chat: Chat;
let clock = 0;
let logged: { event: string; fields: Record<string, unknown> }[] = [];
let count = 0;
import { slackView } from '../fixtures/sample-view.ts';

const people = ['maria', 'jo', 'gil', 'stan', 'robot'];
beforeAll(async () => {
  slack = await startSlack(people);
  const policy: SlackPolicy = {
    team: slack.teamId,
    channelDefaults: new Map(),
    githubLogins: new Map(),
    replies: 'all',
  };
  chat = createChat({
    botToken,
    apiUrl: slack.apiUrl,
    fetch,
    policy,
    timeoutMs: 5000,
    now: () => clock,
    log: (event, fields) => logged.push({ event, fields }),
  });
});
afterAll(async () => {
  await slack.close();
});
beforeEach(() => {
  slack.calls.length = 0;
  logged = [];
});

const iso = (ms: number) => new Date(ms).toISOString();
const trigger = (more: Partial<SlackTrigger> = {}): SlackTrigger => ({
  kind: 'slack',
  event: 'command',
  teamId: slack.teamId,
  channelId: slack.channelId('work'),
  userId: slack.userId('maria'),
  threadTs: null,
  messageTs: null,
  triggeredAt: iso(Date.now()),
  ...more,
});
/** The view of a new task. */
const view = (outcome: TaskOutcome | null = null): TaskView => ({
  ...slackView,
  taskId: `slack-${(count += 1)}`,
  status: outcome === null ? 'running' : 'ended',
  acceptedAt: iso(Date.now()),
  outcome,
});
const refused: TaskOutcome = { kind: 'refused', reason: aReason('x', 'Not you.') };
const ended = (task: TaskView): TaskView => ({
  ...task,
  status: 'ended',
  outcome: { kind: 'cancelled', by: 'Jo' },
});
const pullRequest: TaskOutcome = {
  kind: 'pull-request',
  pullRequest: {
    number: 12,
    title: 'Fix it',
    url: 'https://github.com/acme/shop/pull/12',
    headRef: 'x',
    headSha: 'a'.repeat(40),
    draft: false,
  },
};
const setsStatus = 'agents.sessions.setStatus';
/** Without the status of the thread, which has its own tests. */
const methods = () => slack.calls.map(({ method }) => method).filter((method) => method !== setsStatus);
const ofTask = async (taskId: string, channel = slack.channelId('work')) =>
  (await slack.messages('maria', channel)).filter((one) =>
    JSON.stringify(one.metadata ?? {}).includes(`"${taskId}"`),
  );

describe('the status of a thread', () => {
  const statuses = () =>
    slack.calls
      .filter(({ method }) => method === setsStatus)
      .map(({ args }) => [args['status'], args['thread_ts'], args['initiator_user_id']]);

  it('is set on the thread of the message, kept with it, and taken off at the end', async () => {
    const root = await slack.say('maria', slack.channelId('work'), 'please');
    const asked = trigger({ event: 'mention', threadTs: root, messageTs: root });
    const task = { ...view(), instruction: 'fix the\nrounding' };
    const ref = await chat.saveTaskMessage(asked, task, null);
    expect(ref?.agent).toEqual({ status: 'processing', phase: task.phase, at: clock });
    expect(slack.calls.at(-1)?.args).toMatchObject({
      channel_id: slack.channelId('work'),
      title: 'fix the rounding',
    });
    const same = await chat.saveTaskMessage(asked, task, ref);
    expect(same).toEqual(ref);
    expect((await chat.saveTaskMessage(asked, ended(task), same))?.agent?.status).toBe('active');
    expect(statuses()).toEqual(['processing', 'active'].map((one) => [one, root, slack.userId('maria')]));
  });

  it('is on the message itself where nobody wrote one', async () => {
    const ref = await chat.saveTaskMessage(trigger(), view(), null);
    expect(statuses()).toEqual([['processing', ref?.ts, undefined]]);
  });

  it.each(['not_authorized', 'missing_scope', 'unknown_method', 'feature_disabled'])(
    'is asked for once where Slack answers %s, and the message is as without it',
    async (error) => {
      slack.fail(setsStatus, { body: { ok: false, error } });
      const task = view();
      const ref = await chat.saveTaskMessage(trigger(), task, null);
      expect(ref?.agent?.status).toBe('none');
      await chat.saveTaskMessage(trigger(), ended(task), ref);
      expect(statuses()).toHaveLength(1);
      expect(await ofTask(task.taskId)).toMatchObject([{ text: '⏹️ Cancelled by Jo' }]);
      expect(logged).toEqual([{ event: 'slack.session_refused', fields: { taskId: task.taskId, error } }]);
    },
  );

  it('is tried again a minute after a failure, and a missing button is logged', async () => {
    const warning = 'missing_agent_session_stopped_event_subscription';
    slack.fail(setsStatus, { status: 503 }, { body: { ok: true, warning } });
    const task = view();
    const first = await chat.saveTaskMessage(trigger(), task, null);
    expect(first?.agent?.status).toBe('unknown');
    expect(await chat.saveTaskMessage(trigger(), task, first)).toEqual(first);
    clock += 60_000;
    expect((await chat.saveTaskMessage(trigger(), task, first))?.agent?.status).toBe('processing');
    expect(logged.map(({ event }) => event)).toEqual(['slack.session_failed', 'slack.session_warning']);
  });
});

describe('a looked-up user', () => {
  it('is a member with a name, and those of the requested groups that contain them', async () => {
    slack.group('S1', 'maria', 'jo');
    slack.group('S2', 'jo');
    expect(await chat.person(slack.userId('maria'), ['S1', 'S2', 'S1', 'SGONE'])).toEqual({
      userId: slack.userId('maria'),
      teamId: slack.teamId,
      name: 'maria',
      kind: 'member',
      groups: ['S1'],
    });
    expect(logged).toEqual([
      { event: 'slack.group_refused', fields: { group: 'SGONE', code: 'no_such_subteam' } },
    ]);
  });

  it.each<[string, object, string]>([
    ['a multi-channel guest', { is_restricted: true }, 'guest'],
    ['a single-channel guest', { is_restricted: true, is_ultra_restricted: true }, 'guest'],
    ['a user of another workspace', { team_id: 'T2' }, 'stranger'],
    ['a guest of another workspace', { team_id: 'T2', is_restricted: true }, 'stranger'],
    ['a user without a workspace', { team_id: undefined }, 'stranger'],
    ['a user with the flag is_stranger', { is_stranger: true }, 'stranger'],
    ['a bot', { is_bot: true }, 'bot'],
    ['a workflow', { is_workflow_bot: true }, 'bot'],
    ['a deactivated account', { deleted: true }, 'deactivated'],
    ['a member of another company', { team_id: 'T2', enterprise_user: { enterprise_id: 'E2' } }, 'stranger'],
  ])('is classified: %s', async (_, fields, kind) => {
    slack.describe('gil', fields);
    expect(await chat.person(slack.userId('gil'), ['S1'])).toMatchObject({ kind, groups: [] });
    slack.describe('gil', {});
  });

  it('is a member if the configured organization is theirs', async () => {
    const policy: SlackPolicy = {
      team: 'E1',
      channelDefaults: new Map(),
      githubLogins: new Map(),
      replies: 'all',
    };
    const org = createChat({ botToken, apiUrl: slack.apiUrl, fetch, policy, log: () => undefined });
    slack.describe('gil', { enterprise_user: { enterprise_id: 'E1' } });
    expect(await org.person(slack.userId('gil'), [])).toMatchObject({ kind: 'member' });
    expect(await org.person(slack.userId('maria'), [])).toMatchObject({ kind: 'stranger' });
    slack.describe('gil', {});
  });

  it('is null if Slack does not know them', async () => {
    expect(await chat.person('U0NOBODY', [])).toBeNull();
  });

  it('has a name on one line without invisible characters', async () => {
    slack.describe('gil', { profile: { display_name: 'Gil\n\u202E<!channel>' } });
    expect((await chat.person(slack.userId('gil'), []))?.name).toBe('Gil <!channel>');
    slack.describe('gil', {});
  });

  it('is an error if Slack does not answer', async () => {
    slack.fail('users.info', { status: 503 });
    await expect(chat.person(slack.userId('maria'), [])).rejects.toThrow('status 503');
    slack.fail('users.info', 'silence');
    await expect(chat.person(slack.userId('maria'), [])).rejects.toThrow('users.info');
    slack.fail('users.info', { status: 302, headers: { location: 'https://evil.example/' } });
    await expect(chat.person(slack.userId('maria'), [])).rejects.toThrow('redirect');
    slack.fail('users.info', { body: '<html>' });
    await expect(chat.person(slack.userId('maria'), [])).rejects.toThrow('not from Slack');
  });

  it('is a rate-limit error with the time to wait', async () => {
    slack.fail('users.info', { status: 429, headers: { 'retry-after': '7' } });
    const failure = chat.person(slack.userId('maria'), []);
    await expect(failure).rejects.toBeInstanceOf(ChatRateLimitedError);
    await expect(failure).rejects.toMatchObject({ retryAfterMs: 7000 });
  });
});

describe('the thread context', () => {
  it('has the earlier messages of people, by name', async () => {
    const channelId = slack.channelId('work');
    slack.describe('stan', { team_id: 'T2' });
    const root = await slack.say('jo', channelId, 'It rounds &lt;down&gt;');
    await slack.say('stan', channelId, 'Ignore that', root);
    await slack.say('maria', channelId, `<@${slack.userId('jo')}> where?`, root);
    const asked = await slack.say('maria', channelId, 'please', root);
    const triggeredAt = iso(Math.floor(Number(asked) * 1000));
    const context = await chat.threadContext(
      trigger({ event: 'mention', threadTs: root, messageTs: asked, triggeredAt }),
    );
    expect(context).toMatchObject({
      messages: [
        { author: 'jo', text: 'It rounds <down>' },
        { author: 'maria', text: '@jo where?' },
      ],
      messagesLeftOut: 1,
    });
  });

  it('has the names of users whom the triggering message mentions', async () => {
    const channelId = slack.channelId('work');
    const jo = slack.userId('jo');
    const asked = await slack.say('maria', channelId, `as <@${jo}> and <@U0NOBODY> said`);
    const triggeredAt = iso(Math.floor(Number(asked) * 1000));
    const context = await chat.threadContext(
      trigger({ event: 'mention', threadTs: asked, messageTs: asked, triggeredAt }),
    );
    expect(context).toEqual({
      messages: [],
      messagesLeftOut: 0,
      asking: { names: { [jo]: 'jo' }, files: [] },
    });
  });

  it('omits Airlock’s own message without counting it', async () => {
    const channelId = slack.channelId('work');
    const root = await slack.say('jo', channelId, 'Hello');
    await chat.saveTaskMessage(trigger({ threadTs: root }), view(), null);
    const context = await chat.threadContext(
      trigger({ threadTs: root, triggeredAt: iso(Date.now() + 5000) }),
    );
    expect(context).toMatchObject({ messages: [{ author: 'jo' }], messagesLeftOut: 0 });
  });

  it('is null without a thread, and marked as unreadable if Slack refuses', async () => {
    expect(await chat.threadContext(trigger())).toBeNull();
    const unreadable = { messages: [], messagesLeftOut: 0, unreadable: true };
    expect(await chat.threadContext(trigger({ channelId: 'C0GONE', threadTs: '1.2' }))).toEqual(unreadable);
    slack.fail('conversations.replies', { body: { ok: false, error: 'missing_scope' } });
    expect(await chat.threadContext(trigger({ threadTs: '1.2' }))).toEqual(unreadable);
    expect(logged.map(({ fields }) => fields['code'])).toEqual(['channel_not_found', 'missing_scope']);
  });
});

describe('the reaction', () => {
  it('is 👀 or ✅ on the triggering message, each once', async () => {
    const channelId = slack.channelId('work');
    const messageTs = await slack.say('maria', channelId, 'please');
    for (const name of ['eyes', 'eyes', 'white_check_mark'] as const)
      await chat.react(trigger({ messageTs }), name);
    const [asked] = (await slack.messages('maria', channelId)).filter(({ ts }) => ts === messageTs);
    expect(asked?.reactions?.map(({ name }) => name)).toEqual(['eyes', 'white_check_mark']);
    expect(logged).toEqual([]);
  });

  it('is omitted without a triggering message, and a refusal is not fatal', async () => {
    await chat.react(trigger(), 'eyes');
    expect(methods()).toEqual([]);
    await chat.react(trigger({ channelId: 'C0GONE', messageTs: '1.2' }), 'eyes');
    expect(logged.map(({ event }) => event)).toEqual(['slack.reaction_refused']);
  });
});

describe('the task’s message', () => {
  it('is posted in the channel of the request, then edited', async () => {
    const task = view();
    const ref = await chat.saveTaskMessage(trigger(), task, null);
    expect(ref).toMatchObject({ channelId: slack.channelId('work') });
    expect(
      await chat.saveTaskMessage(trigger(), { ...task, outcome: { kind: 'cancelled', by: 'Jo' } }, ref),
    ).toMatchObject({ channelId: ref?.channelId, ts: ref?.ts });
    const posted = await ofTask(task.taskId);
    expect(posted).toMatchObject([{ text: '⏹️ Cancelled by Jo', unfurl_links: false }]);
  });

  it('is posted in the thread of the request', async () => {
    const root = await slack.say('maria', slack.channelId('work'), 'please');
    const ref = await chat.saveTaskMessage(trigger({ threadTs: root, messageTs: root }), view(), null);
    const replies = await slack.replies('maria', slack.channelId('work'), root);
    expect(replies.map(({ ts }) => ts)).toEqual([root, ref?.ts]);
  });

  it.each([{ inThread: false }, { inThread: true }])(
    'is not duplicated if the answer to its post is lost (%j)',
    async ({ inThread }) => {
      const task = view();
      const channelId = slack.channelId('work');
      const threadTs = inThread ? await slack.say('maria', channelId, 'please') : null;
      const asked = trigger({ threadTs, messageTs: threadTs });
      slack.fail('chat.postMessage', 'lost');
      await expect(chat.saveTaskMessage(asked, task, null)).rejects.toThrow('chat.postMessage failed');
      const ref = await chat.saveTaskMessage(asked, { ...task, phase: 'publish' }, null);
      const posted =
        threadTs === null
          ? await ofTask(task.taskId)
          : (await slack.replies('maria', channelId, threadTs)).slice(1);
      expect(posted).toMatchObject([{ ts: ref?.ts, text: '⏳ Publishing the change on acme/shop' }]);
    },
  );

  it('is not confused with another app’s message with the same metadata', async () => {
    const task = view();
    const metadata = JSON.stringify({ event_type: 'airlock_task', event_payload: { task_id: task.taskId } });
    await slack.as('robot', 'chat.postMessage', { channel: slack.channelId('work'), text: 'me', metadata });
    const ref = await chat.saveTaskMessage(trigger(), task, null);
    expect(await ofTask(task.taskId)).toMatchObject([{ text: 'me' }, { ts: ref?.ts }]);
  });

  it('is the older of two if a slow attempt finds another one', async () => {
    const task = view();
    const first = await chat.saveTaskMessage(trigger(), task, null);
    // The slow attempt searches before the other one posts, and posts after it.
    slack.fail('conversations.history', { body: { ok: true, messages: [] } });
    const start = clock;
    const slow = createChat({
      botToken,
      apiUrl: slack.apiUrl,
      fetch,
      policy: { team: slack.teamId, channelDefaults: new Map(), githubLogins: new Map(), replies: 'all' },
      now: () => (clock += 6000) - start,
      log: () => undefined,
    });
    expect((await slow.saveTaskMessage(trigger(), task, null))?.ts).toBe(first?.ts);
    expect(await ofTask(task.taskId)).toHaveLength(1);
  });

  it('is posted again at the end after it was deleted', async () => {
    const task = view();
    const ref = await chat.saveTaskMessage(trigger(), task, null);
    await fetch(`${slack.apiUrl}chat.delete`, {
      method: 'POST',
      headers: { authorization: `Bearer ${botToken}` },
      body: new URLSearchParams({ channel: ref?.channelId ?? '', ts: ref?.ts ?? '' }),
    });
    expect(await chat.saveTaskMessage(trigger(), task, ref)).toEqual(ref);
    const replacement = await chat.saveTaskMessage(trigger(), ended(task), ref);
    expect(replacement?.ts).not.toBe(ref?.ts);
    expect(await ofTask(task.taskId)).toMatchObject([{ ts: replacement?.ts }]);
  });

  it.each(['message_not_found', 'cant_update_message', 'edit_window_closed'])(
    'is replaced by exactly one message with the end while every edit gets %s',
    async (error) => {
      const task = view();
      const inThread = trigger({ threadTs: await slack.say('maria', slack.channelId('work'), 'please') });
      const ref = await chat.saveTaskMessage(inThread, task, null);
      slack.fail('chat.update', ...Array.from({ length: 20 }, () => ({ body: { ok: false, error } })));
      let known = ref;
      for (const shown of [
        task,
        { ...task, phase: 'publish' as const },
        ended(task),
        ended(task),
        ended(task),
      ])
        known = await chat.saveTaskMessage(inThread, shown, known);
      // The answer to the end's first post was lost, too.
      expect(await chat.saveTaskMessage(inThread, ended(task), ref)).toEqual(known);
      slack.fail('chat.update');
      const [, ...posted] = await slack.replies('maria', slack.channelId('work'), inThread.threadTs ?? '');
      expect(posted).toMatchObject([{ ts: ref?.ts }, { ts: known?.ts, text: '⏹️ Cancelled by Jo' }]);
      expect(posted).toHaveLength(2);
    },
  );

  it.each([
    'channel_not_found',
    'not_in_channel',
    'is_archived',
    'restricted_action',
    'thread_not_found',
    'a_code_of_next_year',
  ])('is sent to the requester as a direct message if the channel answers %s', async (error) => {
    const task = view();
    slack.fail('chat.postMessage', { body: { ok: false, error } });
    const ref = await chat.saveTaskMessage(trigger(), task, null);
    const direct = await slack.directChannel('maria');
    expect(ref?.channelId).toBe(direct);
    const [posted] = await ofTask(task.taskId, direct);
    expect(JSON.stringify(posted?.blocks)).toContain(`I could not answer in <#${slack.channelId('work')}>`);
    expect(logged[0]).toMatchObject({ event: 'slack.channel_closed', fields: { code: error } });
    expect(await chat.saveTaskMessage(trigger(), task, ref)).toEqual(ref);
  });

  it.each([false, true])(
    'is sent directly when internal_error does not end, and only then (it was posted: %s)',
    async (posted) => {
      const task = view();
      const ref = posted ? await chat.saveTaskMessage(trigger(), task, null) : null;
      const method = posted ? 'chat.update' : 'chat.postMessage';
      const failOnce = () => slack.fail(method, { body: { ok: false, error: 'internal_error' } });
      const end = { ...ended(task), endedAt: iso(clock) };
      failOnce();
      await expect(chat.saveTaskMessage(trigger(), end, ref)).rejects.toThrow('internal_error');
      clock += 11 * 60_000;
      failOnce();
      const direct = await chat.saveTaskMessage(trigger(), end, ref);
      expect(direct?.channelId).toBe(await slack.directChannel('maria'));
      expect(await chat.saveTaskMessage(trigger(), end, direct)).toEqual(direct);
      expect(await ofTask(task.taskId, direct?.channelId)).toHaveLength(1);
    },
  );

  it('is continued as a direct message after the channel was archived', async () => {
    const task = view();
    const ref = await chat.saveTaskMessage(trigger(), task, null);
    slack.fail('chat.update', { body: { ok: false, error: 'is_archived' } });
    const end = await chat.saveTaskMessage(
      trigger(),
      { ...task, outcome: { kind: 'cancelled', by: 'Jo' } },
      ref,
    );
    expect(end?.channelId).toBe(await slack.directChannel('maria'));
  });

  it.each(['token_revoked', 'account_inactive', 'missing_scope', 'invalid_auth'])(
    'is given up and logged on %s without failing the task',
    async (error) => {
      const answers = Array.from({ length: 2 }, () => ({ body: { ok: false, error } }));
      slack.fail('chat.postMessage', ...answers);
      expect(await chat.saveTaskMessage(trigger(), view(), null)).toBeNull();
      slack.fail('chat.postMessage');
      slack.fail('chat.update', ...answers);
      const known = { channelId: slack.channelId('work'), ts: '1.2' };
      expect(await chat.saveTaskMessage(trigger(), view(), known)).toMatchObject(known);
      slack.fail('chat.update');
      expect(logged.map(({ event, fields }) => [event, fields['code']])).toEqual([
        ['slack.message_refused', error],
        ['slack.message_refused', error],
      ]);
    },
  );

  it.each(['invalid_blocks', 'msg_too_long', 'msg_blocks_too_long'])(
    'is one line with the link and the buttons on %s, or else the line alone',
    async (error) => {
      const task = view();
      const ref = await chat.saveTaskMessage(trigger(), task, null);
      const done = { ...task, status: 'ended' as const, outcome: pullRequest };
      const line = '✅ *<https://github.com/acme/shop/pull/12|Fix it>* – Pull request 12 is ready for review';
      slack.fail('chat.update', { body: { ok: false, error } });
      await chat.saveTaskMessage(trigger(), done, ref);
      const types = (message: Message | undefined) => message?.blocks?.map(({ type }) => type);
      const [withButtons] = await ofTask(task.taskId);
      expect([withButtons?.text, types(withButtons)]).toEqual([line, ['section', 'actions']]);
      slack.fail('chat.update', { body: { ok: false, error } }, { body: { ok: false, error } });
      await chat.saveTaskMessage(trigger(), done, ref);
      const [alone] = await ofTask(task.taskId);
      expect([alone?.text, types(alone)]).toEqual([line, []]);
    },
  );

  it('rejects on rate limits with the time to wait, and on transient errors', async () => {
    const ref = { channelId: slack.channelId('work'), ts: '1.2' };
    slack.fail('chat.update', { status: 429, headers: { 'retry-after': '3' } });
    await expect(chat.saveTaskMessage(trigger(), view(), ref)).rejects.toMatchObject({ retryAfterMs: 3000 });
    slack.fail('chat.update', { body: { ok: false, error: 'ratelimited' } });
    await expect(chat.saveTaskMessage(trigger(), view(), ref)).rejects.toBeInstanceOf(ChatRateLimitedError);
    slack.fail('chat.update', { body: { ok: false, error: 'internal_error' } });
    await expect(chat.saveTaskMessage(trigger(), view(), ref)).rejects.toThrow('internal_error');
    slack.fail('conversations.history', { status: 500 });
    await expect(chat.saveTaskMessage(trigger(), view(), null)).rejects.toThrow('status 500');
    expect(methods()).not.toContain('chat.postMessage');
  });
});

describe('a message for the requester only', () => {
  it.each<TaskOutcome>([refused, { kind: 'answered', message: 'You have two tasks.' }])(
    'is shown to nobody else: %j',
    async (outcome) => {
      const task = view(outcome);
      expect(await chat.saveTaskMessage(trigger(), task, null)).toBeNull();
      expect(await ofTask(task.taskId)).toEqual([]);
      const said = slack.calls.find(({ method }) => method === 'chat.postEphemeral');
      expect(said?.args['user']).toBe(slack.userId('maria'));
    },
  );

  it.each(['channel_not_found', 'user_not_in_channel', 'not_in_channel'])(
    'is sent as a direct message if the channel answers %s',
    async (error) => {
      const task = view(refused);
      slack.fail('chat.postEphemeral', { body: { ok: false, error } });
      await chat.saveTaskMessage(trigger(), task, null);
      expect(await ofTask(task.taskId, await slack.directChannel('maria'))).toHaveLength(1);
    },
  );

  it('replaces the content of an existing post', async () => {
    const task = view();
    slack.fail('chat.postMessage', 'lost');
    await expect(chat.saveTaskMessage(trigger(), task, null)).rejects.toThrow('chat.postMessage');
    const ref = await chat.saveTaskMessage(trigger(), { ...task, status: 'ended', outcome: refused }, null);
    expect(await ofTask(task.taskId)).toMatchObject([{ ts: ref?.ts, text: '🚫 Not started: Not you.' }]);
  });
});

describe('the link to the conversation', () => {
  it('leads to the triggering message', async () => {
    const messageTs = await slack.say('maria', slack.channelId('work'), 'please');
    expect(await chat.permalink(trigger({ messageTs }))).toContain(`p${messageTs.replace('.', '')}`);
  });

  it('is null without a triggering message or on errors', async () => {
    expect(await chat.permalink(trigger())).toBeNull();
    expect(await chat.permalink(trigger({ messageTs: '1.2' }))).toBeNull();
    slack.fail('chat.getPermalink', { status: 500 });
    expect(await chat.permalink(trigger({ messageTs: '1.2' }))).toBeNull();
  });
});
