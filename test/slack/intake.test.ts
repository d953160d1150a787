/** All requests of a user in Slack, through `POST /slack/events`: effects and answers. */
import { aReason } from '../fixtures/a-reason.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { IndexedTask } from '../../src/core/chat.ts';
import { shortIdOf, repeatedTaskId, slackTaskId } from '../../src/core/ids.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import type { TaskOutcome, TaskRequest } from '../../src/core/task.ts';
import {
  botUser,
  click,
  command,
  createWorld,
  deliver,
  event,
  formMetadata,
  mention,
  message,
  now,
  shop,
  shortcut,
  submission,
  suggestion,
  team,
  vault,
  type World,
} from './slack-intake-world.ts';
import { slackView } from '../fixtures/sample-view.ts';

const pullRequest: TaskOutcome = {
  kind: 'pull-request',
  pullRequest: {
    number: 12,
    title: 'Fix',
    url: 'https://github.com/acme/shop/pull/12',
    headRef: 'x',
    headSha: 'a'.repeat(40),
    draft: false,
  },
};
const failed = (changeKept: boolean): TaskOutcome => ({
  kind: 'failed',
  reason: aReason('x', 'it broke'),
  changeKept,
});
const hash = 'a'.repeat(64);
const held: TaskOutcome = { kind: 'held', reason: aReason('x', 'a secret'), changeHash: hash };

interface TaskSetup {
  readonly by?: string;
  readonly view?: Partial<TaskView>;
  readonly indexed?: Partial<IndexedTask>;
  readonly request?: Partial<TaskRequest>;
}

/** The user and channel of a request. */
interface Source {
  readonly user?: string;
  readonly channel?: string;
}

/** Adds a task from #dev whose post is the root of its thread. Returns its short id. */
async function addTask(world: World, taskId: string, known: TaskSetup = {}): Promise<string> {
  const shortId = known.indexed?.shortId ?? (await shortIdOf(taskId));
  const userId = known.by ?? 'U0ADA';
  const at = now.getTime() - 5 * 60_000;
  const request: TaskRequest = {
    taskId,
    shortId,
    acceptedAt: new Date(at).toISOString(),
    repository: null,
    trigger: {
      kind: 'slack',
      event: 'command',
      teamId: team,
      channelId: 'C0DEV',
      userId,
      threadTs: null,
      messageTs: null,
      triggeredAt: new Date(at).toISOString(),
    },
    requester: null,
    ask: { kind: 'run' },
    instruction: 'fix the login',
    options: { base: 'next' },
    ...known.request,
  };
  const outcome = known.view?.outcome ?? null;
  const view: TaskView = {
    ...slackView,
    taskId,
    shortId,
    status: outcome === null ? 'running' : 'ended',
    phase: outcome === null ? 'codex' : 'ended',
    repository: shop,
    requester: 'Ada',
    instruction: request.instruction,
    acceptedAt: request.acceptedAt,
    outcome,
    ...known.view,
  };
  world.tasks.set(taskId, { request, view });
  world.indexed.push({
    taskId,
    shortId,
    userId,
    channelId: 'C0DEV',
    threadTs: '1762077000.000100',
    messageTs: null,
    postedTs: '1762077000.000100',
    at,
    ...known.indexed,
  });
  return shortId;
}

/** Delivers a request and returns the texts that only the user saw, joined by newlines. */
async function privateAnswer(world: World, delivery: Parameters<typeof deliver>[1]): Promise<string> {
  const before = world.calls.length;
  const answered = await deliver(world, delivery);
  expect(answered.status).toBe(200);
  const said = world.calls
    .slice(before)
    .filter(({ method }) => method === 'response_url' || method === 'chat.postEphemeral')
    .map(({ args }) => args['text']);
  return [answered.json['text'], ...said].filter((text) => typeof text === 'string').join('\n');
}

describe('a command with an instruction', () => {
  it('starts a task and answers with its short id', async () => {
    const world = createWorld();
    const text = await privateAnswer(
      world,
      command('acme/shop --base next --effort high fix &lt;b&gt; &amp; <https://a.test|a.test>'),
    );
    const taskId = await slackTaskId({ event: 'command', teamId: team, triggerId: '111.222.abc' });
    expect(world.started).toEqual([
      {
        taskId,
        shortId: await shortIdOf(taskId),
        acceptedAt: now.toISOString(),
        repository: shop,
        trigger: {
          kind: 'slack',
          event: 'command',
          teamId: team,
          channelId: 'C0DEV',
          userId: 'U0ADA',
          threadTs: null,
          messageTs: null,
          triggeredAt: now.toISOString(),
        },
        requester: null,
        ask: { kind: 'run' },
        instruction: expect.stringMatching(/^fix <b> & .*a\.test/),
        options: { base: 'next', effort: 'high' },
      },
    ]);
    expect(text).toBe(`Received as \`${await shortIdOf(taskId)}\`. The answer follows.`);
  });

  it.each([
    ['shop fix it', shop, 'fix it'],
    ['fix the bug', null, 'fix the bug'],
    ['cancel the order twice', null, 'cancel the order twice'],
    ['status page shows nothing', null, 'status page shows nothing'],
    ['list all users in the footer', null, 'list all users in the footer'],
    ['help users find the exit', null, 'help users find the exit'],
    ['here the login fails', null, 'here the login fails'],
    ['修复登录', null, '修复登录'],
  ])('starts a task for “%s”', async (text, repository, instruction) => {
    const world = createWorld();
    await privateAnswer(world, command(text));
    expect(world.started).toEqual([
      expect.objectContaining({ repository, instruction, ask: { kind: 'run' } }),
    ]);
  });

  it.each([
    ['help', '`/codex where what to do`'],
    ['HELP', '`/codex where what to do`'],
    ['here acme/shop', '`"C0DEV": "acme/shop"` under `slack.channels`'],
    ['here shop', '`"C0DEV": "owner/repo"` under `slack.channels`'],
    ['Here', '`"C0DEV": "owner/repo"` under `slack.channels`'],
    ['staus', 'Did you mean `/codex status`?'],
    ['lst', 'Did you mean `/codex list`?'],
    ['cnacel', 'Did you mean `/codex cancel`?'],
    ['repo', 'Did you mean `/codex repos`?'],
    ['frobnicate', '`frobnicate` is neither a command nor a repository'],
    ['cancel', 'Which task?'],
    ['stop', 'Which task?'],
    ['retry uploads', '`uploads` is not the id of a task'],
    ['--speed 3 fix it', 'There is no option `--speed`'],
    ['--effort high', 'What should Codex do?'],
    ['where --speed 3', 'There is no option'],
  ])('starts nothing for “%s” and answers: %s', async (text, says) => {
    const world = createWorld();
    expect(await privateAnswer(world, command(text))).toContain(says);
    expect(world.started).toEqual([]);
    expect(world.calls).toEqual([]);
  });

  it('uses the configured command name in its help', async () => {
    const world = createWorld();
    expect(await privateAnswer(world, command('help', { command: '/robot' }))).toContain('`/robot repos`');
  });

  it('reports that the task could not be recorded', async () => {
    const world = createWorld({ deps: { startTask: async () => await Promise.reject(new Error('disk')) } });
    expect(await privateAnswer(world, command('acme/shop fix it'))).toContain('Something went wrong');
    expect(world.logged).toContainEqual({
      event: 'slack.failed',
      fields: expect.objectContaining({ kind: 'command' }),
    });
  });
});

/** The preselected repository of the opened form. */
const initial = (world: World): unknown =>
  /"initial_option":\{.*?"value":"([^"]+)"/.exec(JSON.stringify(world.calls[0]?.args['view']))?.[1] ?? null;

describe('the form of a bare command', () => {
  const opened = (world: World): unknown =>
    world.calls.map(({ method, args }) => [method, args['trigger_id'], args['view']]);

  it.each([
    ['preselects the only repository that the user can use', '', {}, 'acme/shop'],
    ['preselects none if the user has to choose', '', { user_id: 'U0ADMIN' }, null],
    ['preselects none for a guest', '', { user_id: 'U0GUEST' }, null],
    ['preselects the channel’s default', '', { channel_id: 'C0DOCS' }, 'acme/docs'],
    [
      'does not show the channel’s default to a guest',
      '',
      { channel_id: 'C0DOCS', user_id: 'U0GUEST' },
      null,
    ],
    ['preselects the repository in the command', 'shop', {}, 'acme/shop'],
    ['does not show a repository to a guest', 'shop', { user_id: 'U0GUEST' }, null],
    ['does not show a repository that the user cannot use', 'vault', {}, null],
  ])('%s', async (_, text, over, name) => {
    const world = createWorld();
    expect(await privateAnswer(world, command(text, over))).toBe('');
    expect(opened(world)).toEqual([
      ['views.open', '111.222.abc', expect.objectContaining({ callback_id: 'task.form' })],
    ]);
    expect(initial(world)).toBe(name);
    expect(world.started).toEqual([]);
  });

  it('opens without a repository if the lookup of the user fails', async () => {
    const world = createWorld({
      deps: { chat: { person: async () => await Promise.reject(new Error('x')) } },
    });
    await privateAnswer(world, command('shop'));
    expect(initial(world)).toBeNull();
  });

  it('opens without a repository if the lookup of the user is too slow', async () => {
    const world = createWorld({ deps: { chat: { person: async () => await new Promise(() => {}) } } });
    expect(await privateAnswer(world, command(''))).toBe('');
    expect(initial(world)).toBeNull();
    expect(world.logged).toContainEqual({
      event: 'slack.prefill_skipped',
      fields: { error: expect.stringContaining('700 ms') },
    });
  });

  it('reports that Slack refused to open it', async () => {
    const world = createWorld({
      api: { 'views.open': () => Response.json({ ok: false, error: 'expired_trigger_id' }) },
    });
    expect(await privateAnswer(world, command(''))).toContain('Something went wrong');
  });
});

describe('the repositories that a user can use', () => {
  it.each([
    ['U0ADA', 'C0DEV', ['acme/shop']],
    ['U0ADA', 'C0DOCS', ['acme/shop', 'acme/docs']],
    ['U0ADMIN', 'C0DEV', ['acme/shop', 'acme/vault']],
    ['U0SEC', 'C0DEV', ['acme/shop', 'acme/vault']],
  ])('are listed by `repos` for %s in %s', async (user, channel, names) => {
    const world = createWorld();
    const text = await privateAnswer(world, command('repos', { user_id: user, channel_id: channel }));
    expect([...text.matchAll(/`(acme\/\w+)`/g)].map((match) => match[1])).toEqual(names);
  });

  it.each(['repos', 'where fix it', 'list', 'status'])('are not shown to a guest by `%s`', async (text) => {
    const world = createWorld();
    await addTask(world, 'slack-1', { by: 'U0GUEST' });
    const said = await privateAnswer(world, command(text, { user_id: 'U0GUEST' }));
    expect(said).toContain('Guests cannot');
    expect(said).not.toContain('acme');
  });

  it.each([
    ['where acme/shop fix it', 'C0DEV', '`acme/shop`: named in the message.'],
    ['where shop fix it', 'C0DEV', '`acme/shop`: named in the message.'],
    ['where fix it', 'C0DOCS', "`acme/docs`: this channel's default."],
    ['where fix it', 'C0DEV', '`acme/shop`: the only repository you may use here.'],
    ['where', 'C0DEV', '`acme/shop`: the only repository you may use here.'],
    [
      'where vault fix it',
      'C0DEV',
      'I would choose the repository by this rule: named in the message. But you cannot use it from here.',
    ],
  ])('determine the answer to `%s` in %s', async (text, channel, says) => {
    const world = createWorld();
    expect(await privateAnswer(world, command(text, { channel_id: channel }))).toBe(says);
    expect(world.started).toEqual([]);
  });

  it('are listed by `where` if there are several', async () => {
    const world = createWorld();
    expect(await privateAnswer(world, command('where fix it', { user_id: 'U0ADMIN' }))).toContain(
      '`acme/shop`, `acme/vault`',
    );
  });

  it.each([
    ['', ['acme/shop']],
    ['SHO', ['acme/shop']],
    ['shop acme', ['acme/shop']],
    ['vault', []],
  ])('match the search for “%s” with %j', async (typed, names) => {
    const world = createWorld();
    const { json } = await deliver(world, suggestion(typed));
    expect(json).toMatchObject({ options: names.map((value) => ({ value })) });
  });

  it('include installed repositories that match an allowed pattern', async () => {
    const world = createWorld({
      installed: [
        { owner: 'Acme', name: 'Shop' },
        { owner: 'acme', name: 'other' },
      ],
    });
    expect((await deliver(world, suggestion(''))).json['options']).toEqual([
      expect.objectContaining({ value: 'acme/shop' }),
    ]);
  });

  it('are empty within the deadline if the lookup of the user is too slow', async () => {
    const world = createWorld({
      deps: { chat: { person: async () => await Promise.reject(new Error('x')) } },
    });
    expect(await deliver(world, suggestion(''))).toMatchObject({ status: 200, json: { options: [] } });
  });
});

describe('status and list', () => {
  it('list shows the visible tasks of the channel and the user, newest first', async () => {
    const world = createWorld();
    const mine = await addTask(world, 'slack-mine', { indexed: { channelId: 'C0OTHER', at: 3 } });
    const theirs = await addTask(world, 'slack-theirs', {
      by: 'U0BEN',
      view: { outcome: pullRequest },
      indexed: { at: 2 },
    });
    const secret = await addTask(world, 'slack-secret', {
      by: 'U0ADMIN',
      view: { repository: vault },
      indexed: { at: 1 },
    });
    const elsewhere = await addTask(world, 'slack-elsewhere', {
      by: 'U0BEN',
      indexed: { channelId: 'C0OTHER' },
    });
    const text = await privateAnswer(world, command('list'));
    expect(text.split('\n')).toEqual([
      `• \`${mine}\` \`acme/shop\` · Codex is working · 5 min ago`,
      `• \`${theirs}\` \`acme/shop\` · pull request <https://github.com/acme/shop/pull/12|#12> · 5 min ago`,
    ]);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(elsewhere);
  });

  it('status shows the user’s running tasks, or else the latest one', async () => {
    const world = createWorld();
    expect(await privateAnswer(world, command('status'))).toBe('You have no tasks yet.');
    const ended = await addTask(world, 'slack-ended', {
      view: { outcome: failed(true) },
      indexed: { at: 2 },
    });
    await addTask(world, 'slack-theirs', { by: 'U0BEN' });
    expect(await privateAnswer(world, command('status'))).toMatch(
      new RegExp(
        `^You have no running tasks\\. Your latest one:\n• \`${ended}\` .* failed, the change is kept`,
      ),
    );
    const running = await addTask(world, 'slack-running', { indexed: { at: 1 } });
    expect(await privateAnswer(world, command('status'))).toMatch(new RegExp(`^• \`${running}\` [^\n]*$`));
  });

  it('status with an id shows that task', async () => {
    const world = createWorld();
    const id = await addTask(world, 'slack-1', { by: 'U0BEN' });
    expect(await privateAnswer(world, command(`status ${id.slice(0, 4)}`))).toContain(id);
  });
});

describe('cancel and retry with an id', () => {
  it.each([
    ['its full id', (id: string) => id],
    ['its first four characters', (id: string) => id.slice(0, 4)],
    ['an id in backticks and upper case', (id: string) => `\`${id.toUpperCase()}\``],
  ])('cancels a task by %s', async (_, written) => {
    const world = createWorld();
    const id = await addTask(world, 'slack-1', { by: 'U0BEN' });
    expect(await privateAnswer(world, command(`cancel ${written(id)}`))).toBe(
      `\`${id}\` is being cancelled.`,
    );
    expect(world.done).toEqual(['cancel slack-1 by Ada']);
  });

  it('reports an ambiguous or unknown id, and a task that has ended', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1', { indexed: { shortId: 'abcd1111' } });
    await addTask(world, 'slack-2', { indexed: { shortId: 'abcd2222' }, view: { outcome: pullRequest } });
    expect(await privateAnswer(world, command('cancel abcd'))).toMatch(
      /Several ids begin with `abcd`: `abcd[12]{4}`, `abcd[12]{4}`/,
    );
    expect(await privateAnswer(world, command('cancel ffff'))).toContain('has an id that begins with `ffff`');
    expect(world.done).toEqual([]);
    expect(await privateAnswer(world, command('cancel abcd2'))).toContain(
      'was not cancelled: The task has already ended.',
    );
  });

  it('does not find a task of another user in another channel', async () => {
    const world = createWorld();
    const id = await addTask(world, 'slack-1', { by: 'U0BEN', indexed: { channelId: 'C0OTHER' } });
    expect(await privateAnswer(world, command(`cancel ${id}`))).toContain('has an id that begins with');
    expect(world.done).toEqual([]);
  });

  it.each([
    ['a guest', 'U0GUEST', shop, 'Guests cannot'],
    ['a user who cannot use the repository', 'U0BEN', vault, 'You are not among the people'],
    ['a user that Slack does not know', 'U0NOBODY', shop, 'does not say who you are'],
  ])('is refused to %s', async (_, user, repository, says) => {
    const world = createWorld();
    const id = await addTask(world, 'slack-1', { view: { repository } });
    for (const verb of ['cancel', 'retry']) {
      expect(await privateAnswer(world, command(`${verb} ${id}`, { user_id: user }))).toContain(says);
    }
    expect(world.done).toEqual([]);
    expect(world.started).toEqual([]);
  });

  it('retry starts an ended task once more, in its thread and in the name of the user', async () => {
    const world = createWorld();
    const id = await addTask(world, 'slack-1', { by: 'U0BEN', view: { outcome: failed(false) } });
    const again = await repeatedTaskId('slack-1', null);
    expect(await privateAnswer(world, command(`retry ${id}`))).toContain(
      `being retried as \`${await shortIdOf(again)}\``,
    );
    expect(world.started).toEqual([
      {
        ...world.tasks.get('slack-1')?.request,
        taskId: again,
        shortId: await shortIdOf(again),
        acceptedAt: now.toISOString(),
        repository: shop,
        askedBefore: [{ githubId: null, slackUserId: 'U0BEN' }],
        trigger: {
          ...world.tasks.get('slack-1')?.request.trigger,
          userId: 'U0ADA',
          threadTs: '1762077000.000100',
          again: { by: 'retry', taskId: 'slack-1' },
        },
      },
    ]);
    expect(await privateAnswer(world, click('task.retry', { taskId: 'slack-1' }))).toContain(
      'was already retried',
    );
    expect(world.started).toHaveLength(1);
  });
});

describe('a click', () => {
  it.each<[string, string, object, TaskSetup, string, string[]]>([
    ['Cancel', 'task.cancel', {}, {}, 'is being cancelled', ['cancel slack-1 by Ada']],
    [
      'Cancel of a task without a repository by its requester',
      'task.cancel',
      {},
      { view: { repository: null } },
      'is being cancelled',
      ['cancel slack-1 by Ada'],
    ],
    [
      'Cancel of a task without a repository by another user',
      'task.cancel',
      {},
      { by: 'U0BEN', view: { repository: null } },
      'may not be used from Slack',
      [],
    ],
    [
      'Cancel during the choice by a user who can use one of the repositories',
      'task.cancel',
      {},
      { by: 'U0BEN', view: { repository: null, choices: [shop, vault] } },
      'is being cancelled',
      ['cancel slack-1 by Ada'],
    ],
    ['Retry of a running task', 'task.retry', {}, {}, 'is still running', []],
    [
      'Retry of a task with a kept change',
      'task.retry',
      {},
      { view: { outcome: failed(true) } },
      'retrying the publication',
      ['publish slack-1'],
    ],
    [
      'Retry of a command',
      'task.retry',
      {},
      { request: { ask: { kind: 'status' } }, view: { outcome: { kind: 'answered', message: '' } } },
      'was a command',
      [],
    ],
    [
      'Approve',
      'task.approve',
      { changeHash: hash },
      { view: { outcome: held } },
      'is approved',
      [`publish slack-1 by Ada for ${hash}`],
    ],
    [
      'Approve of another change',
      'task.approve',
      { changeHash: 'b'.repeat(64) },
      { view: { outcome: held } },
      'no change that waits for approval',
      [],
    ],
    [
      'Approve of a task that is not held',
      'task.approve',
      { changeHash: hash },
      { view: { outcome: pullRequest } },
      'no change that waits for approval',
      [],
    ],
    ['Approve without a hash', 'task.approve', {}, { view: { outcome: held } }, 'button is out of date', []],
    [
      'a choice',
      'task.choose.0',
      { repository: shop },
      { view: { repository: null, choices: [shop, vault] } },
      'now continues with `acme/shop`',
      ['choose slack-1 acme/shop'],
    ],
    [
      'a choice of a repository that the user cannot use',
      'task.choose.1',
      { repository: vault },
      { view: { repository: null, choices: [shop, vault] } },
      'You are not among the people',
      [],
    ],
    [
      'a choice of a repository that is not configured',
      'task.choose.1',
      { repository: { owner: 'evil', name: 'x' } },
      { view: { repository: null, choices: [shop] } },
      'no longer waits for a repository',
      [],
    ],
    [
      'a choice on a task that offers none',
      'task.choose.0',
      { repository: shop },
      {},
      'no longer waits for a repository',
      [],
    ],
    [
      'a choice without a repository',
      'task.choose.0',
      {},
      { view: { choices: [shop] } },
      'button is out of date',
      [],
    ],
  ])('handles %s', async (_, action, value, known, says, done) => {
    const world = createWorld();
    await addTask(world, 'slack-1', known);
    expect(await privateAnswer(world, click(action, { taskId: 'slack-1', ...value }))).toContain(says);
    expect(world.done).toEqual(done);
    expect(world.started).toEqual([]);
  });

  it('reports a task that is unknown or did not come from Slack', async () => {
    const world = createWorld();
    await addTask(world, 'gh-1-c2', { request: { trigger: { kind: 'api' } } });
    for (const taskId of ['slack-9', 'gh-1-c2']) {
      expect(await privateAnswer(world, click('task.cancel', { taskId }))).toContain('cannot find that task');
    }
    expect(world.done).toEqual([]);
  });

  it('from another channel works only for the requester, who may have got a direct message', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1', { by: 'U0BEN' });
    const at = (user: string) =>
      click(
        'task.cancel',
        { taskId: 'slack-1' },
        { channel: { id: 'D0DIRECT' }, user: { id: user, team_id: team } },
      );
    expect(await privateAnswer(world, at('U0ADA'))).toContain('cannot find that task');
    expect(world.done).toEqual([]);
    await privateAnswer(world, at('U0BEN'));
    expect(world.done).toEqual(['cancel slack-1 by Ben']);
  });

  it('on Log opens the log for users who can use the repository', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1');
    expect(await privateAnswer(world, click('task.log', { taskId: 'slack-1' }))).toBe('');
    expect(world.calls.map(({ method, args }) => [method, args['view']])).toEqual([
      ['views.open', expect.objectContaining({ callback_id: 'task.log.view' })],
    ]);
    await addTask(world, 'slack-2', { view: { repository: vault } });
    expect(await privateAnswer(world, click('task.log', { taskId: 'slack-2' }))).toContain(
      'You are not among the people',
    );
    expect(world.calls.filter(({ method }) => method === 'views.open')).toHaveLength(1);
  });

  it('on Change opens the form with the request', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1');
    await privateAnswer(world, click('task.change', { taskId: 'slack-1' }));
    const view = JSON.stringify(world.calls[0]?.args['view']);
    expect(view).toContain('"initial_value":"fix the login"');
    expect(view).toContain('"initial_value":"next"');
    expect(view).toContain('"value":"acme/shop"');
    expect(view).toContain(String.raw`\"replaces\":\"slack-1\"`);
  });

  it('on Change keeps the model and effort, which have no field', async () => {
    const world = createWorld();
    const options = { base: 'next', model: 'gpt-x', effort: 'high' } as const;
    await addTask(world, 'slack-1', { request: { options } });
    await privateAnswer(world, click('task.change', { taskId: 'slack-1' }));
    const view = world.calls[0]?.args['view'];
    expect(JSON.stringify(view)).toContain(
      'Options kept from the replaced task: --model gpt-x --effort high',
    );
    const { private_metadata: metadata } = z.object({ private_metadata: z.string() }).parse(view);
    await deliver(
      world,
      submission(
        { repository: 'acme/shop', branch: 'main', instruction: 'fix it' },
        { view: { private_metadata: metadata } },
      ),
    );
    expect(world.started.map((request) => request.options)).toEqual([{ ...options, base: 'main' }]);
  });

  it('on Retry in an ephemeral message starts the task in the channel, without a thread', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1', {
      view: { outcome: { kind: 'refused', reason: aReason('x', 'not that model') } },
    });
    const shownAlone = {
      message: undefined,
      container: {
        type: 'message',
        message_ts: '1762077000.000100',
        channel_id: 'C0DEV',
        is_ephemeral: true,
      },
    };
    expect(await privateAnswer(world, click('task.retry', { taskId: 'slack-1' }, shownAlone))).toContain(
      'is being retried',
    );
    expect(world.started.map(({ trigger }) => trigger)).toEqual([
      expect.objectContaining({ channelId: 'C0DEV', threadTs: null }),
    ]);
  });

  it('on Change refuses an instruction that is too long for the form', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1', { request: { instruction: 'x'.repeat(3001) } });
    expect(await privateAnswer(world, click('task.change', { taskId: 'slack-1' }))).toContain(
      'too long for a Slack form',
    );
  });

  it('on the link to the pull request is acknowledged without an answer', async () => {
    const world = createWorld();
    expect(await deliver(world, click('task.open', ''))).toMatchObject({ status: 200, text: '' });
    expect(world.calls).toEqual([]);
  });

  it('reports an error or a time-out', async () => {
    const broken = createWorld({
      deps: { chat: { person: async () => await Promise.reject(new Error('x')) } },
    });
    await addTask(broken, 'slack-1');
    expect(await privateAnswer(broken, click('task.cancel', { taskId: 'slack-1' }))).toContain(
      'Something went wrong',
    );
    const slow = createWorld({ deps: { chat: { person: async () => await new Promise(() => {}) } } });
    await addTask(slow, 'slack-1');
    expect(await privateAnswer(slow, click('task.cancel', { taskId: 'slack-1' }))).toContain('took too long');
    expect([...broken.done, ...slow.done]).toEqual([]);
  });

  it('logs an answer that Slack refuses', async () => {
    const world = createWorld({ api: { response_url: () => new Response('gone', { status: 404 }) } });
    await addTask(world, 'slack-1');
    expect((await deliver(world, click('task.cancel', { taskId: 'slack-1' }))).status).toBe(200);
    expect(world.done).toEqual(['cancel slack-1 by Ada']);
    expect(world.logged).toContainEqual({
      event: 'slack.failed',
      fields: expect.objectContaining({ name: 'task.cancel' }),
    });
  });
});

describe('the menu for more than five choices', () => {
  const many = { view: { repository: null, choices: [shop, vault] } };
  const chosen = (value: string, blockId = 'choice:slack-1') =>
    click('task.choose', '', {
      actions: [
        {
          action_id: 'task.choose',
          block_id: blockId,
          type: 'external_select',
          selected_option: { text: { type: 'plain_text', text: value }, value },
        },
      ],
    });

  it('offers the repositories that the user can use', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1', many);
    const search = {
      action_id: 'task.choose',
      block_id: 'choice:slack-1',
      channel: { id: 'C0DEV' },
      view: undefined,
    };
    expect((await deliver(world, suggestion('', search))).json).toMatchObject({
      options: [{ value: 'acme/shop' }],
    });
    expect((await deliver(world, suggestion('x', search))).json).toEqual({ options: [] });
    for (const over of [
      { block_id: 'other' },
      { block_id: 'choice:slack-9' },
      { channel: { id: 'C0X' }, user: { id: 'U0BEN' } },
    ]) {
      expect((await deliver(world, suggestion('', { ...search, ...over }))).json).toEqual({ options: [] });
    }
  });

  it.each([
    [
      'an allowed repository',
      chosen('acme/shop'),
      'now continues with `acme/shop`',
      ['choose slack-1 acme/shop'],
    ],
    ['a repository that the user cannot use', chosen('acme/vault'), 'You are not among the people', []],
    ['an invalid repository', chosen('../x'), 'button is out of date', []],
    ['an option of an unknown block', chosen('acme/shop', 'other'), 'button is out of date', []],
  ])('handles the choice of %s', async (_, delivery, says, done) => {
    const world = createWorld();
    await addTask(world, 'slack-1', many);
    expect(await privateAnswer(world, delivery)).toContain(says);
    expect(world.done).toEqual(done);
  });
});

describe('a submitted form', () => {
  const filled = { repository: 'acme/shop', branch: 'next', instruction: '  fix it\n' };

  it('starts a task with the entered values in the channel and thread of the form', async () => {
    const world = createWorld();
    const metadata = { ...formMetadata, threadTs: '1762077000.000100', messageTs: '1762077000.000300' };
    expect(await deliver(world, submission(filled, { metadata }))).toMatchObject({ status: 200, text: '' });
    expect(world.started).toEqual([
      expect.objectContaining({
        taskId: await slackTaskId({ event: 'form', teamId: team, viewId: 'V0FORM' }),
        repository: shop,
        ask: { kind: 'run' },
        instruction: 'fix it',
        options: { base: 'next' },
        trigger: {
          kind: 'slack',
          event: 'form',
          teamId: team,
          channelId: 'C0DEV',
          userId: 'U0ADA',
          threadTs: '1762077000.000100',
          messageTs: '1762077000.000300',
          triggeredAt: now.toISOString(),
        },
      }),
    ]);
  });

  it('takes the instruction literally, without options, mentions and aliases', async () => {
    const world = createWorld();
    await deliver(world, submission({ ...filled, instruction: 'status --base x &amp;' }));
    expect(world.started.map(({ instruction, options }) => [instruction, options])).toEqual([
      ['status --base x &amp;', { base: 'next' }],
    ]);
  });

  it.each([
    ['no repository', { repository: '' }, 'U0ADA', 'repository', 'Choose'],
    ['an invalid repository', { repository: 'https://evil.test' }, 'U0ADA', 'repository', 'Choose'],
    [
      'a repository that is not configured',
      { repository: 'evil/x' },
      'U0ADA',
      'repository',
      'not set up for this repository',
    ],
    [
      'a repository that the user cannot use',
      { repository: 'acme/vault' },
      'U0ADA',
      'repository',
      'You are not among',
    ],
    [
      'a repository that cannot be used from this channel',
      { repository: 'acme/docs' },
      'U0ADA',
      'repository',
      'certain channels',
    ],
    ['a guest as its sender', {}, 'U0GUEST', 'repository', 'Guests cannot'],
    ['an invalid branch', { branch: 'a..b' }, 'U0ADA', 'branch', 'valid branch name'],
    ['no instruction', { instruction: ' \n ' }, 'U0ADA', 'instruction', 'Say what'],
    ['an invisible instruction', { instruction: '\u200B\u2060' }, 'U0ADA', 'instruction', 'Say what'],
  ])('with %s shows an error at the field', async (_, over, user, field, says) => {
    const world = createWorld();
    const { json } = await deliver(world, submission({ ...filled, ...over }, { user }));
    expect(json).toEqual({ response_action: 'errors', errors: { [field]: expect.stringContaining(says) } });
    expect(world.started).toEqual([]);
  });

  it('stays open if the task could not be recorded', async () => {
    const world = createWorld({ deps: { startTask: async () => await Promise.reject(new Error('disk')) } });
    expect((await deliver(world, submission(filled))).json).toEqual({
      response_action: 'errors',
      errors: { instruction: expect.stringContaining('Something went wrong') },
    });
  });

  const replacing = { metadata: { ...formMetadata, replaces: 'slack-1' } };

  it('keeps a changed question a question', async () => {
    const world = createWorld();
    const ask = { kind: 'run', job: 'question' } as const;
    await addTask(world, 'slack-1', { request: { ask } });
    await deliver(world, submission(filled, replacing));
    expect(world.started).toEqual([expect.objectContaining({ ask, instruction: 'fix it' })]);
  });

  it('cancels the replaced task before it starts the new one', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1');
    expect(await deliver(world, submission(filled, replacing))).toMatchObject({ status: 200, text: '' });
    expect(world.done).toEqual(['cancel slack-1 by Ada']);
    expect(world.started).toEqual([
      expect.objectContaining({
        trigger: expect.objectContaining({ again: { by: 'change', taskId: 'slack-1' } }),
      }),
    ]);
  });

  it.each<[string, TaskSetup, string]>([
    ['has ended', { view: { outcome: pullRequest } }, 'can no longer be changed'],
    ['cannot be changed by the user', { view: { repository: vault } }, 'You are not among'],
  ])('starts nothing if the replaced task %s', async (_, known, says) => {
    const world = createWorld();
    await addTask(world, 'slack-1', known);
    const { json } = await deliver(world, submission(filled, replacing));
    expect(json).toEqual({
      response_action: 'errors',
      errors: { instruction: expect.stringContaining(says) },
    });
    expect(world.started).toEqual([]);
  });

  it('starts the task if the replaced one is already cancelled', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1', { view: { outcome: { kind: 'cancelled', by: 'Ben' } } });
    await deliver(world, submission(filled, replacing));
    expect(world.done).toEqual([]);
    expect(world.started).toHaveLength(1);
  });

  const root = '1762077000.000100';
  const docs = { owner: 'acme', name: 'docs' };
  it.each<[string, Source, TaskSetup | null, string | null]>([
    ['the only repository that the user can use', {}, null, 'acme/shop'],
    ['none if the user has to choose', { user: 'U0ADMIN' }, null, null],
    ['the channel’s default', { channel: 'C0DOCS' }, null, 'acme/docs'],
    [
      'the repository of the thread’s task, rather than the channel’s default',
      { channel: 'C0DOCS' },
      { view: { repository: shop }, indexed: { channelId: 'C0DOCS' } },
      'acme/shop',
    ],
    ['the only usable one if the task has no repository', {}, { view: { repository: null } }, 'acme/shop'],
    [
      'none if the user cannot use the repository of the thread’s task',
      {},
      { view: { repository: vault } },
      null,
    ],
    [
      'none if the thread’s repository cannot be used from this channel',
      {},
      { view: { repository: docs } },
      null,
    ],
    ['none for a guest', { user: 'U0GUEST' }, { view: { repository: shop } }, null],
    ['none for a guest in a channel with a default', { channel: 'C0DOCS', user: 'U0GUEST' }, null, null],
  ])('opened on a message preselects %s', async (_, { user = 'U0ADA', channel = 'C0DEV' }, known, name) => {
    const world = createWorld();
    if (known !== null) await addTask(world, 'slack-1', known);
    const over = { user: { id: user, team_id: team }, channel: { id: channel, name: 'x' } };
    await deliver(world, shortcut({ text: 'the login is off', thread_ts: root }, over));
    expect(world.calls.map(({ method }) => method)).toEqual(['views.open']);
    expect(initial(world)).toBe(name);
    expect(JSON.stringify(world.calls)).not.toContain('acme/vault');
  });

  it('opened on a message preselects none if the lookup of the user is too slow', async () => {
    const world = createWorld({ deps: { chat: { person: async () => await new Promise(() => {}) } } });
    await deliver(world, shortcut({ text: 'the login is off' }));
    expect(world.calls.map(({ method }) => method)).toEqual(['views.open']);
    expect(initial(world)).toBeNull();
  });

  it('opened on a long message shows how much was cut off', async () => {
    const world = createWorld();
    await deliver(world, shortcut({ text: 'x'.repeat(3000) }));
    await deliver(world, shortcut({ text: 'x'.repeat(4500) }));
    const [whole, cut] = world.calls.map(({ args }) => JSON.stringify(args['view']));
    expect(whole).not.toContain('too long');
    expect(cut).toContain('its last 1,500 characters were cut off');
  });

  it('opened on a message has its text and thread', async () => {
    const world = createWorld();
    await deliver(world, shortcut({ text: 'the &lt;b&gt; is off', thread_ts: '1762076000.000100' }));
    const view = JSON.stringify(world.calls[0]?.args['view']);
    expect(view).toContain('"initial_value":"the <b> is off"');
    expect(view).toContain(
      String.raw`\"threadTs\":\"1762076000.000100\",\"messageTs\":\"1762077000.000100\"`,
    );
    expect(world.started).toEqual([]);
  });
});

describe('a message', () => {
  const said = (world: World): unknown =>
    world.started.map(({ ask, repository, instruction, trigger }) => [
      ask.kind,
      repository,
      instruction,
      trigger.kind === 'slack' ? [trigger.event, trigger.threadTs, trigger.messageTs] : null,
    ]);
  const ts = '1762077500.000200';
  const root = '1762077000.000100';

  it.each<[string, string, [string, unknown, string]]>([
    ['a leading mention', `<@${botUser}> acme/shop fix it`, ['run', shop, 'fix it']],
    ['a mention with a label and a comma', `<@${botUser}|codex>, shop fix it`, ['run', shop, 'fix it']],
    ['one in the middle', `split() is off. <@${botUser}> fix it`, ['run', null, 'split() is off.\nfix it']],
    ['a mention at the end', `shop fix it <@${botUser}>`, ['run', shop, 'fix it']],
    [
      'other people and links',
      `<@${botUser}> tell <@U0BEN|ben> about <https://a.test|a.test>`,
      ['run', null, 'tell @ben about a.test'],
    ],
    ['a command', `<@${botUser}> status`, ['status', null, '']],
    ['a command word after other text', `broken <@${botUser}> stop`, ['run', null, 'broken\nstop']],
    ['a command between courtesies', `please <@${botUser}> stop it, thanks`, ['cancel', null, '']],
    ['full-width punctuation', `<@${botUser}>、直して`, ['run', null, '直して']],
    [
      'a quotation above',
      `&gt; <@${botUser}> it fails\n<@${botUser}> fix it`,
      ['run', null, `> @${botUser} it fails\nfix it`],
    ],
  ])('with %s is parsed', async (_, text, [ask, repository, instruction]) => {
    const world = createWorld();
    expect((await deliver(world, event(mention(text)))).status).toBe(200);
    expect(said(world)).toEqual([[ask, repository, instruction, ['mention', ts, ts]]]);
    expect(world.calls).toEqual([]);
  });

  it('with a mention in a thread starts a task in that thread', async () => {
    const world = createWorld();
    await deliver(world, event(mention(`<@${botUser}> fix it`, { thread_ts: root })));
    expect(said(world)).toEqual([['run', null, 'fix it', ['mention', root, ts]]]);
    expect(world.started[0]?.trigger).toMatchObject({ triggeredAt: '2025-11-02T09:58:20.001Z' });
  });

  it.each([
    ['at the top level', {}, ts],
    ['in a thread', { thread_ts: root }, root],
    ['with a file', { subtype: 'file_share' }, ts],
  ])('sent directly to the bot %s starts a task', async (_, over, threadTs) => {
    const world = createWorld();
    await deliver(world, event(message('shop fix it', { channel: 'D0ADA', channel_type: 'im', ...over })));
    expect(said(world)).toEqual([['run', shop, 'fix it', ['message', threadTs, ts]]]);
  });

  it.each<[string, TaskSetup & { replies?: 'mentions' }, object, boolean]>([
    ['below a task’s post, by any user', { by: 'U0BEN' }, {}, true],
    ['below a task’s post, also sent to the channel', { by: 'U0BEN' }, { subtype: 'thread_broadcast' }, true],
    [
      'in a thread that is older than the task, by the requester',
      { indexed: { postedTs: '1762077100.000100' } },
      {},
      true,
    ],
    [
      'in a thread that is older than the task, by another user',
      { by: 'U0BEN', indexed: { postedTs: '1762077100.000100' } },
      {},
      false,
    ],
    ['that only thanks', {}, { text: 'thanks! :tada:' }, false],
    ['that begins with a mention of another user', {}, { text: '<@U0BEN> look at this' }, false],
    ['in another thread', { indexed: { threadTs: '1762070000.000100' } }, {}, false],
    ['without a mention if the configuration requires one', { replies: 'mentions' }, {}, false],
  ])('as a reply %s is a follow-up or not', async (_, known, over, followsUp) => {
    const world = createWorld({ slack: { replies: known.replies ?? 'all' } });
    await addTask(world, 'slack-1', known);
    await deliver(world, event(message('and the footer', { thread_ts: root, ...over })));
    expect(said(world)).toEqual(followsUp ? [['run', null, 'and the footer', ['message', root, ts]]] : []);
  });

  it('is a follow-up of who asked, also when somebody else has added words since', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1', { indexed: { postedTs: '1762077100.000100' } });
    await addTask(world, 'slack-2', { by: 'U0BEN', indexed: { postedTs: null, at: 2 ** 45 } });
    await deliver(world, event(message('and the footer', { thread_ts: root })));
    expect(said(world)).toHaveLength(1);
  });

  it.each<[string, object]>([
    ['thanks', { text: 'thanks!' }],
    ['chatter', { text: 'I’ll review it tomorrow' }],
    ['a remark to somebody else', { text: 'Ben, can you look at this?' }],
    ['a quotation of the bot', { text: '&gt; add a test\n^ this' }],
    ['a bot with a `bot_id`', { bot_id: 'B0' }],
    ['a bot with only an `app_id`', { app_id: 'A1' }],
    ['a bot with only a `bot_profile`', { bot_profile: { id: 'B0', name: 'CI' } }],
    ['a bot as `bot_message`', { subtype: 'bot_message', user: undefined, username: 'CI' }],
    ['a bot as `bot_message` of a user', { subtype: 'bot_message' }],
    ['a workflow', { subtype: 'bot_message', bot_id: 'B0', workflow_id: 'Wf1' }],
    [
      'the preview of a link',
      {
        subtype: 'message_changed',
        hidden: true,
        message: message('see https://a.test', {
          thread_ts: root,
          attachments: [{ from_url: 'https://a.test', text: `<@${botUser}> add a test` }],
        }),
        previous_message: message('see https://a.test'),
      },
    ],
  ])('as a reply starts no task: %s', async (_, over) => {
    const world = createWorld();
    await addTask(world, 'slack-1');
    const delivery = event(message('add a test', { thread_ts: root, ...over }));
    expect((await deliver(world, delivery)).status).toBe(200);
    expect({ started: world.started, calls: world.calls }).toEqual({ started: [], calls: [] });
  });

  it('has words from its blocks if its text has none', async () => {
    const world = createWorld();
    const elements = [
      { type: 'user', user_id: botUser },
      { type: 'text', text: ' shop fix it' },
    ];
    const blocks = [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] }];
    await deliver(world, event(mention(`<@${botUser}>`, { blocks })));
    expect(said(world)).toEqual([['run', shop, 'fix it', ['mention', ts, ts]]]);
  });

  it.each<[string, object, string]>([
    ['a mention', mention(`<@${botUser}>`), 'mention'],
    ['a direct message', message('', { channel: 'D0ADA', channel_type: 'im' }), 'message'],
    ['a pasted reply', message('', { thread_ts: root, files: [{ id: 'F1', mode: 'snippet' }] }), 'message'],
  ])('of files without words starts a task: %s', async (_, fields, eventName) => {
    const world = createWorld();
    await addTask(world, 'slack-1');
    await deliver(world, event({ files: [{ id: 'F1', name: 'a.png' }], ...fields, subtype: 'file_share' }));
    expect(world.started.map(({ ask, instruction, trigger }) => [ask, instruction, trigger])).toMatchObject([
      [{ kind: 'run' }, '', { event: eventName }],
    ]);
  });

  it('of a picture alone below a task, which may be for other people, starts nothing', async () => {
    const world = createWorld();
    await addTask(world, 'slack-1');
    await deliver(world, event(message('', { thread_ts: root, files: [{ id: 'F1', name: 'a.png' }] })));
    expect(world.started).toEqual([]);
    expect(world.calls[0]?.args['text']).toContain('Nothing was started for a.png alone.');
  });

  it.each<[string, object, string]>([
    ['that only copies the bot in', mention(`cc <@${botUser}>`), 'mentioned me in passing'],
    ['that is only a mention', mention(`<@${botUser}>`), 'Nothing was asked'],
    ['that only greets the bot', mention(`hi <@${botUser}>!`), 'Nothing was asked'],
    [
      'that only greets the bot directly',
      message('hello', { channel: 'D0ADA', channel_type: 'im' }),
      'Nothing was asked',
    ],
    [
      'with a file that is gone',
      mention(`<@${botUser}>`, { files: [{ name: 'a.png' }] }),
      'cannot read a.png',
    ],
    [
      'to which an edit adds a mention',
      message('', {
        subtype: 'message_changed',
        hidden: true,
        user: undefined,
        message: message(`<@${botUser}> fix it`, { edited: { user: 'U0ADA', ts } }),
        previous_message: message('fix it'),
      }),
      'I do not read edited messages',
    ],
  ])('%s gets one sentence, and starts nothing', async (_, fields, sentence) => {
    const world = createWorld();
    expect((await deliver(world, event({ ...fields }))).status).toBe(200);
    expect(world.started).toEqual([]);
    expect(world.calls.map(({ method, args }) => [method, args['user']])).toEqual([
      ['chat.postEphemeral', 'U0ADA'],
    ]);
    expect(world.calls[0]?.args['text']).toContain(sentence);
  });

  it('gets a 500 if its task could not be recorded, so that Slack redelivers it', async () => {
    const world = createWorld({ deps: { startTask: async () => await Promise.reject(new Error('disk')) } });
    expect((await deliver(world, event(mention(`<@${botUser}> fix it`)))).status).toBe(500);
  });

  it.each([
    ['a late answer', 'http_timeout', 0],
    ['an error', 'http_error', 1],
    ['a failed connection', 'connection_failed', 1],
  ])('redelivered after %s (%s) has its problem reported %i times', async (_, reason, times) => {
    const world = createWorld();
    const headers = { 'x-slack-retry-num': '1', 'x-slack-retry-reason': reason };
    const again = { ...event(mention(`<@${botUser}> --speed 3 fix`)), headers };
    expect((await deliver(world, again)).status).toBe(200);
    expect(world.calls.map(({ method }) => method)).toEqual(
      Array.from({ length: times }, () => 'chat.postEphemeral'),
    );
  });

  it('is acknowledged if reporting its problem times out', async () => {
    const world = createWorld({ api: { 'chat.postEphemeral': async () => await new Promise(() => {}) } });
    expect((await deliver(world, event(mention(`<@${botUser}> --speed 3 fix`)))).status).toBe(200);
    expect(world.logged).toContainEqual({ event: 'slack.notify_failed', fields: expect.anything() });
  });

  it('gets a 500 if its problem could not be reported', async () => {
    const limited = () => new Response('', { status: 429, headers: { 'retry-after': '1' } });
    const world = createWorld({ api: { 'chat.postEphemeral': limited } });
    expect((await deliver(world, event(mention(`<@${botUser}> --speed 3 fix`)))).status).toBe(500);
  });

  it('has its problem reported by direct message if the channel is closed', async () => {
    const closed = () => Response.json({ ok: false, error: 'is_archived' });
    const world = createWorld({ api: { 'chat.postEphemeral': closed } });
    await deliver(world, event(mention(`<@${botUser}> --speed 3 fix`)));
    expect(world.calls.map(({ method, args }) => [method, args['channel']])).toEqual([
      ['chat.postEphemeral', 'C0DEV'],
      ['chat.postMessage', 'U0ADA'],
    ]);
  });
});

describe('a ❌ reaction', () => {
  const cross = (user: string, ts: string) =>
    event({
      type: 'reaction_added',
      user,
      reaction: 'x',
      item: { type: 'message', channel: 'C0DEV', ts },
      item_user: botUser,
    });

  it.each([
    ['on the task’s post by its requester', 'U0ADA', '1762077000.000100', ['cancel slack-1 by Ada']],
    ['on the triggering message by the requester', 'U0ADA', '1762076900.000100', ['cancel slack-1 by Ada']],
    ['by another user', 'U0BEN', '1762077000.000100', []],
    ['on another message', 'U0ADA', '1762077001.000100', []],
  ])('%s cancels the task or does nothing', async (_, user, ts, done) => {
    const world = createWorld();
    await addTask(world, 'slack-1', { indexed: { messageTs: '1762076900.000100' } });
    expect((await deliver(world, cross(user, ts))).status).toBe(200);
    expect(world.done).toEqual(done);
    expect(world.calls.map(({ method, args }) => [method, args['user']])).toEqual(
      done.length === 0 ? [] : [['chat.postEphemeral', 'U0ADA']],
    );
  });
});

describe('Slack’s Stop button', () => {
  const root = '1762077000.000100';
  const stop = (user: string, over: object = {}) =>
    event({
      type: 'agent_session_stopped',
      channel: 'C0DEV',
      user,
      thread_ts: root,
      streaming_message_ts: [],
      event_ts: '1762077600.000100',
      ...over,
    });
  const ended = { outcome: failed(false) };

  it.each<[string, string, object, readonly TaskSetup[], string[], string]>([
    ['cancels the task of its thread', 'U0ADA', {}, [{}], ['cancel slack-0 by Ada'], 'is being cancelled'],
    [
      'may be pressed by whom Cancel obeys',
      'U0BEN',
      {},
      [{}],
      ['cancel slack-0 by Ben'],
      'is being cancelled',
    ],
    ['is refused to a guest', 'U0GUEST', {}, [{}], [], 'guest'],
    [
      'cancels every task that runs in the thread',
      'U0ADA',
      {},
      [{}, { view: ended }, {}],
      ['cancel slack-2 by Ada', 'cancel slack-0 by Ada'],
      'is being cancelled',
    ],
    ['stops nothing where all has ended', 'U0ADA', {}, [{ view: ended }], [], 'Nothing runs in this thread'],
    [
      'stops nothing in another thread',
      'U0ADA',
      { thread_ts: '1.1' },
      [{}],
      [],
      'Nothing runs in this thread',
    ],
  ])('%s', async (_, user, over, tasks, done, sentence) => {
    const world = createWorld();
    for (const [n, task] of tasks.entries()) {
      const at = now.getTime() - 300_000 + n;
      await addTask(world, `slack-${n}`, { ...task, indexed: { at } });
    }
    expect((await deliver(world, stop(user, over))).status).toBe(200);
    expect(world.done).toEqual(done);
    const nothing = sentence.startsWith('Nothing');
    expect(world.calls.map(({ method, args }) => [method, args['user'] ?? args['status']])).toEqual([
      ...(nothing ? [['agents.sessions.setStatus', 'active']] : []),
      ['chat.postEphemeral', user],
    ]);
    expect(String(world.calls.at(-1)?.args['text']).toLowerCase()).toContain(sentence.toLowerCase());
  });
});

describe('the endpoint', () => {
  it('answers the URL verification challenge', async () => {
    const world = createWorld();
    const body = JSON.stringify({ token: 't', challenge: 'c4', type: 'url_verification' });
    expect(await deliver(world, { form: false, body })).toMatchObject({
      status: 200,
      json: { challenge: 'c4' },
    });
  });

  it('answers the SSL check', async () => {
    const world = createWorld();
    expect(await deliver(world, { form: true, body: 'ssl_check=1&token=t' })).toMatchObject({
      status: 200,
      text: '',
    });
  });

  it('serves a whole organization if the configuration names it', async () => {
    const world = createWorld({ slack: { team: 'E0ACME' } });
    await privateAnswer(
      world,
      command('acme/shop fix it', {
        team_id: 'T0ONE',
        enterprise_id: 'E0ACME',
        is_enterprise_install: 'true',
      }),
    );
    expect(world.started).toHaveLength(1);
    await privateAnswer(
      world,
      command('acme/shop fix it', { team_id: 'T0ONE', enterprise_id: 'E0EVE', trigger_id: '2' }),
    );
    expect(world.started).toHaveLength(1);
  });

  it('cannot be created without a configuration or a secret', () => {
    expect(() => createWorld({ deps: { signingSecret: '' } })).toThrow('signing secret is empty');
  });

  it('logs neither user input nor credentials', async () => {
    const world = createWorld();
    await deliver(world, command('acme/shop a-very-special-word'));
    await deliver(world, event(mention(`<@${botUser}> --nope a-very-special-word`)));
    await deliver(world, click('task.cancel', 'a-very-special-word'));
    expect(JSON.stringify(world.logged)).not.toMatch(/a-very-special-word|xoxb|signing secret/);
  });
});
