/** Input of attackers, broken proxies and strangers to `POST /slack/events`. None starts a task. */
import { describe, expect, it } from 'vitest';
import {
  botUser,
  click,
  command,
  commandFields,
  createWorld,
  deliver,
  event,
  formMetadata,
  formOf,
  interaction,
  mention,
  message,
  shortcut,
  submission,
  suggestion,
  team,
  timestampOf,
  type Delivery,
} from './slack-intake-world.ts';

const run = 'acme/shop fix the login';
const task = { taskId: 'slack-1' };
const byAda = { user: { id: 'U0ADA' }, team: { id: team } };
const unsigned = 'not signed by Slack';
const noType = 'neither a form nor JSON';
const noPayload = 'neither a command nor a payload that is a JSON object';
const badFormat = 'not in the format that Slack documents';
const badCommand = `the command is ${badFormat}`;
const unknownType = 'an unknown type of interaction';
const noAction = 'the payload does not name its action';
const withHeader = (name: string, value: string | undefined): Delivery => ({
  ...command(run),
  headers: { [name]: value },
});
const form = (body: NonNullable<Delivery['body']>): Delivery => ({ form: true, body });
const json = (body: unknown): Delivery => ({
  form: false,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describe('a request that is not from Slack', () => {
  it.each<[string, Delivery, number, string]>([
    ['a wrong signature', { ...command(run), secret: 'another secret' }, 401, unsigned],
    ['no signature', withHeader('x-slack-signature', undefined), 401, unsigned],
    ['no timestamp', withHeader('x-slack-request-timestamp', undefined), 401, unsigned],
    ['an empty signature', withHeader('x-slack-signature', ''), 401, unsigned],
    [
      'a signature of another version',
      withHeader('x-slack-signature', `v1=${'0'.repeat(64)}`),
      401,
      unsigned,
    ],
    [
      'a signature that is not hexadecimal',
      withHeader('x-slack-signature', `v0=${'g'.repeat(64)}`),
      401,
      unsigned,
    ],
    ['a timestamp that is not a number', withHeader('x-slack-request-timestamp', 'now'), 401, unsigned],
    [
      'a timestamp other than the signed one',
      withHeader('x-slack-request-timestamp', timestampOf(-10)),
      401,
      unsigned,
    ],
    ['a timestamp more than five minutes ago', { ...command(run), offsetSeconds: -301 }, 401, unsigned],
    ['a timestamp more than five minutes ahead', { ...command(run), offsetSeconds: 301 }, 401, unsigned],
    [
      'no body',
      { form: true, body: '', headers: { 'x-slack-signature': `v0=${'0'.repeat(64)}` } },
      401,
      unsigned,
    ],
    ['a body of more than 1 MiB', form(`text=${'x'.repeat(1024 * 1024)}`), 413, 'too large'],
    ['a content length of more than 1 MiB', withHeader('content-length', '1048577'), 413, 'too large'],
    ['GET', { ...command(run), method: 'GET' }, 405, 'use POST'],
    ['PUT', { ...command(run), method: 'PUT' }, 405, 'use POST'],
    ['plain text', withHeader('content-type', 'text/plain'), 415, noType],
    ['no content type', withHeader('content-type', ''), 415, noType],
    ['a multipart form', withHeader('content-type', 'multipart/form-data; boundary=x'), 415, noType],
  ])('gets an error and starts nothing: %s', async (_, delivery, status, text) => {
    const world = createWorld();
    const answered = await deliver(world, delivery);
    expect({ status: answered.status, text: answered.text }).toEqual({ status, text });
    expect(world.started).toEqual([]);
    expect(world.calls).toEqual([]);
  });

  it('is accepted with a timestamp exactly five minutes off in either direction', async () => {
    for (const offsetSeconds of [-300, 300]) {
      const world = createWorld();
      expect((await deliver(world, { ...command(run), offsetSeconds })).status).toBe(200);
      expect(world.started).toHaveLength(1);
    }
  });
});

describe('a signed request with invalid content', () => {
  it.each<[string, Delivery, number, string]>([
    ['bytes that are not UTF-8', form(new Uint8Array([0x74, 0x3d, 0xff, 0xfe])), 400, 'not UTF-8'],
    ['a form with an invalid escape', form(`${formOf(commandFields(''))}%zz`), 400, 'not a form'],
    ['a form with an incomplete character', form(`${formOf(commandFields(''))}%E0%A4%A`), 400, 'not a form'],
    ['a form with a repeated field', form(`${formOf(commandFields(run))}&text=another`), 400, 'not a form'],
    ['a form with a nameless field', form('=x'), 400, 'not a form'],
    ['a form with neither command nor payload', form('a=b'), 400, noPayload],
    ['a payload that is not JSON', { form: true, body: formOf({ payload: '{"type":' }) }, 400, noPayload],
    ['a payload that is a list', interaction([]), 400, noPayload],
    ['a payload that is null', interaction(null), 400, noPayload],
    ['a payload of an unknown type', interaction({ ...byAda, type: 'dialog_submission' }), 400, unknownType],
    [
      'a payload whose type is a property of every object',
      interaction({ type: 'constructor' }),
      400,
      unknownType,
    ],
    [
      'a click without a user',
      interaction({
        type: 'block_actions',
        team: { id: team },
        actions: [{ action_id: 'task.cancel', block_id: 'b' }],
      }),
      400,
      'the payload does not say who sent it',
    ],
    ['a click without an action', click('task.cancel', task, { actions: [] }), 400, noAction],
    [
      'a click whose action id is not a string',
      click('task.cancel', task, { actions: [{ action_id: 7, block_id: 'b' }] }),
      400,
      noAction,
    ],
    ['a submission without a view', interaction({ ...byAda, type: 'view_submission' }), 400, noAction],
    ['invalid JSON', json('{'), 400, 'not a JSON object'],
    ['JSON that is a number', json('1'), 400, 'not a JSON object'],
    ['JSON that is a list', json('[]'), 400, 'not a JSON object'],
    [
      'an invalid event',
      json({ type: 'event_callback', team_id: team, event: null }),
      400,
      'the event is not in the format that Slack documents',
    ],
    [
      'a challenge of the wrong type',
      json({ type: 'url_verification', challenge: { a: 1 } }),
      400,
      'the challenge is missing',
    ],
    ['an invalid command', command(run, { command: 'codex' }), 400, badCommand],
    ['a command with an invalid workspace', command(run, { team_id: '' }), 400, badCommand],
    ['a command with an invalid channel', command(run, { channel_id: '../x' }), 400, badFormat],
    ['a command with an invalid user', command(run, { user_id: 'ada' }), 400, badFormat],
    ['a command without a trigger', command(run, { trigger_id: '' }), 400, badFormat],
    [
      'a mention without authorizations',
      event(mention(`<@${botUser}> ${run}`), { authorizations: [] }),
      400,
      badFormat,
    ],
    [
      'a mention with an invalid timestamp',
      event(mention(`<@${botUser}> ${run}`, { ts: 'now' })),
      400,
      badFormat,
    ],
    ['an event of an unknown kind of request', json({ type: 'app_rate_limited', team_id: team }), 200, ''],
    ['an unknown action', click('task.delete', task), 404, ''],
    ['an action whose id begins like a known one', click('task.cancel.all', task), 404, ''],
    [
      'a submission of an unknown view',
      submission({ repository: 'acme/shop', instruction: 'x' }, { view: { callback_id: 'other' } }),
      404,
      '',
    ],
    ['an unknown shortcut', shortcut({ text: 'x' }, { callback_id: 'other' }), 404, ''],
    ['a search in an unknown menu', suggestion('s', { action_id: 'other' }), 404, ''],
    [
      'a closed view',
      interaction({
        type: 'view_closed',
        user: { id: 'U0ADA' },
        team: { id: team },
        view: { callback_id: 'task.form' },
      }),
      404,
      '',
    ],
  ])('is answered and starts nothing: %s', async (_, delivery, status, text) => {
    const world = createWorld();
    const answered = await deliver(world, delivery);
    expect({ status: answered.status, text: answered.text }).toEqual({ status, text });
    expect(world.started).toEqual([]);
    expect(world.done).toEqual([]);
    expect(world.calls).toEqual([]);
    expect(world.logged.length).toBeGreaterThan(0);
  });
});

describe('an event that is no request', () => {
  const words = `<@${botUser}> ${run}`;
  it.each<[string, Delivery]>([
    ['an event of an unknown type', event({ type: 'team_rename', name: 'x' })],
    ['a message of a bot', event(message(words, { bot_id: 'B0', subtype: 'bot_message' }))],
    ['a mention by a bot', event(mention(words, { bot_id: 'B0' }))],
    ['a mention by an app in a user’s name', event(mention(words, { bot_id: 'B0', app_id: 'A1' }))],
    ['a mention with an app’s id alone', event(mention(words, { app_id: 'A1' }))],
    ['a mention with a bot’s profile alone', event(mention(words, { bot_profile: { id: 'B0' } }))],
    ['thanks', event(mention(`thanks <@${botUser}>!`))],
    ['a mention in a quotation', event(mention(`&gt; ${words}`))],
    ['a mention in a quotation, as a message', event(message(`&gt; ${words}`))],
    ['a mention in code', event(mention(`\`<@${botUser}>\` is the bot`))],
    [
      'a mention in a forwarded message',
      event(mention('', { attachments: [{ is_share: true, text: words }] })),
    ],
    [
      'an edit of a message with a mention',
      event(
        message('', {
          subtype: 'message_changed',
          message: message(words),
          previous_message: message(words),
        }),
      ),
    ],
    [
      'an edit by a user of another workspace',
      event(
        message('', {
          subtype: 'message_changed',
          message: message(words, { user_team: 'T2' }),
          previous_message: message('x'),
        }),
      ),
    ],
    ['a mention without an author', event(mention(words, { user: undefined }))],
    ['Airlock’s own message', event(message(words, { user: botUser }))],
    [
      'Airlock’s own direct message',
      event(message(run, { user: botUser, channel: 'D0ADA', channel_type: 'im' })),
    ],
    ['a reminder of Slackbot', event(message(words, { user: 'USLACKBOT' }))],
    [
      'an edit',
      event(
        message('', { subtype: 'message_changed', hidden: true, message: message(words), user: undefined }),
      ),
    ],
    [
      'an edit of a direct message',
      event(
        message('', {
          subtype: 'message_changed',
          message: message(run),
          channel: 'D0ADA',
          channel_type: 'im',
        }),
      ),
    ],
    [
      'a mention that was added by an edit',
      event(mention(words, { edited: { user: 'U0ADA', ts: '1762077550.000000' } })),
    ],
    ['a deletion', event(message('', { subtype: 'message_deleted', previous_message: message(words) }))],
    ['a join', event(message(words, { subtype: 'channel_join' }))],
    ['a message without a mention', event(message('good morning'))],
    ['a message that mentions another user', event(message('<@U0BEN> good morning'))],
    ['a reply in a thread without a task', event(message('fix it', { thread_ts: '1762077000.000100' }))],
    [
      'another reaction',
      event({
        type: 'reaction_added',
        user: 'U0ADA',
        reaction: 'tada',
        item: { type: 'message', channel: 'C0DEV', ts: '1762077000.000100' },
      }),
    ],
    [
      'a ❌ on a message without a task',
      event({
        type: 'reaction_added',
        user: 'U0ADA',
        reaction: 'x',
        item: { type: 'message', channel: 'C0DEV', ts: '1762077000.000100' },
      }),
    ],
    [
      'a ❌ on a file',
      event({ type: 'reaction_added', user: 'U0ADA', reaction: 'x', item: { type: 'file', file: 'F0' } }),
    ],
  ])('starts nothing: %s', async (_, delivery) => {
    const world = createWorld();
    expect((await deliver(world, delivery)).status).toBe(200);
    expect(world.started).toEqual([]);
    expect(world.calls).toEqual([]);
    expect(world.done).toEqual([]);
  });
});

describe('a user of another workspace', () => {
  const only = 'I only work for members of the Slack workspace';
  const stranger = { id: 'U0EVE', team_id: 'T0EVE' };

  it.each<[string, Delivery]>([
    ['a command from another workspace', command(run, { team_id: 'T0EVE' })],
    [
      'a command from another organization with the app',
      command(run, { is_enterprise_install: 'true', enterprise_id: 'E0EVE' }),
    ],
  ])('is refused %s', async (_, delivery) => {
    const world = createWorld();
    const { status, json } = await deliver(world, delivery);
    expect(status).toBe(200);
    expect(json).toEqual({ response_type: 'ephemeral', text: expect.stringContaining(only) });
    expect(world.started).toEqual([]);
  });

  it.each<[string, Delivery]>([
    ['a click in a shared channel', click('task.cancel', task, { user: stranger })],
    ['a click in a channel of their workspace', click('task.cancel', task, { team: { id: 'T0EVE' } })],
    [
      'a click in an organization-wide app',
      click('task.cancel', task, { team: null, enterprise: { id: 'E0EVE' }, is_enterprise_install: true }),
    ],
    ['a shortcut in a shared channel', shortcut({ text: 'x' }, { user: stranger })],
  ])('is refused %s by an ephemeral message', async (_, delivery) => {
    const world = createWorld();
    expect(await deliver(world, delivery)).toMatchObject({ status: 200, text: '' });
    expect(world.calls).toEqual([
      {
        method: 'response_url',
        args: { response_type: 'ephemeral', replace_original: false, text: expect.stringContaining(only) },
      },
    ]);
    expect(world.done).toEqual([]);
    expect(world.started).toEqual([]);
  });

  it('is refused a form by an error in it', async () => {
    const world = createWorld();
    const sent = submission({ repository: 'acme/shop', instruction: 'x' });
    const payload: unknown = JSON.parse(new URLSearchParams(String(sent.body)).get('payload') ?? '');
    const { json } = await deliver(world, interaction(Object.assign({}, payload, { user: stranger })));
    expect(json).toEqual({
      response_action: 'errors',
      errors: { instruction: expect.stringContaining(only) },
    });
    expect(world.started).toEqual([]);
  });

  it('finds nothing in a search', async () => {
    const world = createWorld();
    expect((await deliver(world, suggestion('', { user: stranger }))).json).toEqual({ options: [] });
  });

  it.each(['team', 'user_team', 'source_team'])(
    'is refused a mention in a shared channel by an ephemeral message (workspace in `%s`)',
    async (field) => {
      const world = createWorld();
      const words = mention(`<@${botUser}> ${run}`, {
        user: 'U0EVE',
        [field]: 'T0EVE',
        thread_ts: '1762077000.000100',
      });
      expect((await deliver(world, event(words, { is_ext_shared_channel: true }))).status).toBe(200);
      expect(world.calls).toEqual([
        {
          method: 'chat.postEphemeral',
          args: {
            channel: 'C0DEV',
            user: 'U0EVE',
            thread_ts: '1762077000.000100',
            text: expect.stringContaining(only),
          },
        },
      ]);
      expect(world.started).toEqual([]);
    },
  );

  it.each<[string, Delivery]>([
    ['a message in a shared one', event(message(`<@${botUser}> ${run}`, { user: 'U0EVE', team: 'T0EVE' }))],
    [
      'a mention in a channel of their workspace',
      event(mention(`<@${botUser}> ${run}`), { team_id: 'T0EVE', context_team_id: 'T0EVE' }),
    ],
    [
      'a mention in another organization with the app',
      event(mention(`<@${botUser}> ${run}`), {
        team_id: 'T0EVE',
        authorizations: [{ user_id: botUser, is_enterprise_install: true }],
      }),
    ],
  ])('starts nothing with %s', async (_, delivery) => {
    const world = createWorld();
    expect(await deliver(world, delivery)).toMatchObject({ status: 200, text: '' });
    expect(world.started).toEqual([]);
    expect(world.calls).toEqual([]);
    expect(world.logged).toContainEqual({
      event: 'slack.refused',
      fields: expect.objectContaining({ why: 'another workspace' }),
    });
  });
});

const hidden = [
  ['a control character', 'fix\u0007 it', 'U+0007'],
  ['a null', 'fix\u0000 it', 'U+0000'],
  ['a C1 line terminator', 'fix\u0085 it', 'U+0085'],
  ['reversed text', 'fix \u202Eti ton od\u202C', 'U+202E'],
  ['an isolate', 'fix \u2066it\u2069', 'U+2066'],
] as const;
const long = 'x'.repeat(40_000);

describe('an invalid instruction', () => {
  it.each([
    ...hidden.map(([what, text, code]) => [what, text, code] as const),
    ['40,000 characters', long, '40,000 characters long'] as const,
  ])('with %s is refused in a command, a form, a mention and a direct message', async (_, text, says) => {
    const world = createWorld();
    expect((await deliver(world, command(`acme/shop ${text}`))).json).toEqual({
      response_type: 'ephemeral',
      text: expect.stringContaining(says === '40,000 characters long' ? 'characters long' : says),
    });
    expect((await deliver(world, submission({ repository: 'acme/shop', instruction: text }))).json).toEqual({
      response_action: 'errors',
      errors: { instruction: expect.stringContaining(says) },
    });
    expect(world.calls).toEqual([]);
    expect((await deliver(world, event(mention(`<@${botUser}> ${text}`)))).status).toBe(200);
    expect(
      (await deliver(world, event(message(text, { channel: 'D0ADA', channel_type: 'im' })))).status,
    ).toBe(200);
    expect(world.calls.map(({ method, args }) => [method, args['channel'], args['user']])).toEqual([
      ['chat.postEphemeral', 'C0DEV', 'U0ADA'],
      ['chat.postEphemeral', 'D0ADA', 'U0ADA'],
    ]);
    expect(world.started).toEqual([]);
  });

  it('is reported once, although a mention also arrives as a message', async () => {
    const world = createWorld();
    await deliver(world, event(mention(`<@${botUser}> --speed 3 fix it`)));
    await deliver(world, event(message(`<@${botUser}> --speed 3 fix it`)));
    expect(world.calls.map(({ args }) => args['text'])).toEqual([
      expect.stringContaining('There is no option `--speed`'),
    ]);
    expect(world.started).toEqual([]);
  });

  it('is quoted without anything that Slack would act on', async () => {
    const world = createWorld();
    await deliver(world, event(mention(`<@${botUser}> --<!channel>&lt;!here&gt; fix`)));
    await deliver(world, command('staus<!channel>'));
    for (const { args } of world.calls) expect(args['text']).not.toMatch(/<!/);
  });
});

describe('a manipulated value', () => {
  const actions = ['task.cancel', 'task.retry', 'task.log', 'task.approve', 'task.change', 'task.choose.1'];
  const values: readonly [string, unknown][] = [
    ['no JSON', 'cancel'],
    ['no object', '[]'],
    ['an invalid task id', { taskId: '../secrets' }],
    ['an additional property', { ...task, by: 'me' }],
    ['an invalid repository', { ...task, repository: { owner: '..', name: '..' } }],
    ['an invalid hash', { ...task, changeHash: 'x' }],
  ];
  it.each(actions.flatMap((action) => values.map(([what, value]) => [action, what, value] as const)))(
    'of the action %s with %s is refused',
    async (action, _, value) => {
      const world = createWorld();
      expect((await deliver(world, click(action, value))).status).toBe(200);
      expect(world.calls.map(({ method, args }) => [method, args['text']])).toEqual([
        ['response_url', expect.stringContaining('button is out of date')],
      ]);
      expect(world.done).toEqual([]);
      expect(world.started).toEqual([]);
    },
  );

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['a list', []],
    ['an invalid channel', { ...formMetadata, channelId: 'here' }],
    ['an additional property', { ...formMetadata, admin: true }],
    ['an invalid task id', { ...formMetadata, replaces: '../x' }],
  ])('of a form’s metadata with %s is refused', async (_, metadata) => {
    const world = createWorld();
    const { json } = await deliver(
      world,
      submission({ repository: 'acme/shop', instruction: 'fix it' }, { metadata }),
    );
    expect(json).toEqual({
      response_action: 'errors',
      errors: { instruction: expect.stringContaining('form is out of date') },
    });
    expect(world.started).toEqual([]);
  });
});

describe('a redelivered request', () => {
  it.each<[string, Delivery]>([
    ['a command', command(run)],
    ['a form', submission({ repository: 'acme/shop', instruction: 'fix it' })],
    ['a mention', event(mention(`<@${botUser}> ${run}`))],
    ['a direct message', event(message(run, { channel: 'D0ADA', channel_type: 'im' }))],
  ])('with %s is one task for any headers', async (_, delivery) => {
    const world = createWorld();
    for (const retry of ['1', '2', 'x']) {
      const headers = { 'x-slack-retry-num': retry, 'x-slack-retry-reason': 'http_timeout' };
      expect((await deliver(world, { ...delivery, headers, offsetSeconds: Number(retry) || 0 })).status).toBe(
        200,
      );
    }
    expect(world.started).toHaveLength(1);
  });

  it('is one task for the two events of a mention', async () => {
    const world = createWorld();
    await deliver(world, event(mention(`<@${botUser}> ${run}`)));
    await deliver(world, event(message(`<@${botUser}> ${run}`), { event_id: 'Ev2' }));
    expect(world.started).toHaveLength(1);
  });
});
