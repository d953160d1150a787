/** Around `POST /slack/events`: a Slack that signs and answers, users, a policy, and tasks that record. */
import { aReason } from '../fixtures/a-reason.ts';
import type { Hono } from 'hono';
import type { ChatPerson, IndexedTask } from '../../src/core/chat.ts';
import type { Approval } from '../../src/core/authorization.ts';
import {
  closedPolicy,
  type RepositoryPolicy,
  type SlackAccess,
  type SlackPolicy,
  noBudget,
} from '../../src/core/policy.ts';
import type { TaskView } from '../../src/core/task-view.ts';
import { taskRequestSchema, type RepositoryRef, type TaskRequest } from '../../src/core/task.ts';
import { repeatedTaskId } from '../../src/core/ids.ts';
import { createBodyRoom } from '../../src/lib/body-room.ts';
import type { SlackDeps } from '../../src/slack/deps.ts';
import { slackRoutes } from '../../src/slack/routes.ts';

const signingSecret = 'a signing secret for tests';
export const now = new Date('2026-11-02T10:00:00Z');
export const team = 'T0ACME';
export const botUser = 'U0BOT';
const apiUrl = 'https://slack.test/api/';
const responseUrl = 'https://hooks.slack.test/actions/1';

export const shop: RepositoryRef = { owner: 'acme', name: 'shop' };
export const vault: RepositoryRef = { owner: 'acme', name: 'vault' };
const docs: RepositoryRef = { owner: 'acme', name: 'docs' };
const access: Readonly<Record<string, SlackAccess>> = {
  'acme/shop': { kind: 'workspace' },
  'acme/docs': { kind: 'listed', channels: ['C0DOCS'], people: null },
  'acme/vault': { kind: 'listed', channels: null, people: { users: ['U0ADMIN'], groups: ['S0SEC'] } },
};
const aliases: Readonly<Record<string, RepositoryRef>> = { shop, vault };

const people: Readonly<Record<string, ChatPerson>> = Object.fromEntries(
  (
    [
      ['U0ADA', 'Ada', 'member', []],
      ['U0BEN', 'Ben', 'member', []],
      ['U0ADMIN', 'Adm*in*', 'member', []],
      ['U0SEC', 'Sue', 'member', ['S0SEC']],
      ['U0GUEST', 'Guest', 'guest', []],
    ] as const
  ).map(([userId, name, kind, groups]) => [userId, { userId, teamId: team, name, kind, groups }]),
);

/** A call of the Web API or of a response URL. */
export interface SlackCall {
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Task {
  readonly request: TaskRequest;
  view: TaskView;
}

export interface World {
  readonly app: Hono;
  readonly started: TaskRequest[];
  readonly calls: SlackCall[];
  readonly logged: { readonly event: string; readonly fields: Record<string, unknown> }[];
  /** The actions on tasks: `cancel ID by NAME`, `choose ID owner/name`, `publish ID`. */
  readonly done: string[];
  readonly tasks: Map<string, Task>;
  readonly indexed: IndexedTask[];
  /** Waits for the work that continues after the answer. */
  settle(): Promise<void>;
}

export interface WorldOptions {
  readonly deps?: Partial<SlackDeps>;
  readonly slack?: Partial<SlackPolicy>;
  /** Slack's answers by Web API method. Default: `{ ok: true }`. */
  readonly api?: Readonly<Record<string, () => Response | Promise<Response>>>;
  readonly installed?: readonly RepositoryRef[];
}

const repositoryPolicy = (repository: RepositoryRef): RepositoryPolicy | null => {
  const slack = access[`${repository.owner}/${repository.name}`.toLowerCase()];
  if (slack === undefined) return null;
  return {
    ...closedPolicy,
    aliases: Object.keys(aliases).filter((alias) => aliases[alias]?.name === repository.name),
    model: 'm',
    models: ['m'],
    slack,
  };
};

export function createWorld(options: WorldOptions = {}): World {
  const started: TaskRequest[] = [];
  const calls: SlackCall[] = [];
  const logged: World['logged'] = [];
  const done: string[] = [];
  const tasks = new Map<string, Task>();
  const indexed: IndexedTask[] = [];
  const working: Promise<unknown>[] = [];

  const fakeSlack: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const text = new TextDecoder().decode(await request.arrayBuffer());
    if (request.url.startsWith(responseUrl)) {
      calls.push({ method: 'response_url', args: JSON.parse(text) });
      return await (options.api?.['response_url']?.() ?? new Response('ok'));
    }
    if (!request.url.startsWith(apiUrl)) throw new Error(`unexpected request to ${request.url}`);
    const method = request.url.slice(apiUrl.length);
    const fields = Object.fromEntries(new URLSearchParams(text));
    const { token, view, ...rest } = fields;
    if ((request.headers.get('authorization') ?? `Bearer ${token}`) !== 'Bearer xoxb-test') {
      return Response.json({ ok: false, error: 'invalid_auth' });
    }
    calls.push({ method, args: view === undefined ? rest : { ...rest, view: JSON.parse(view) } });
    return await (options.api?.[method]?.() ?? Response.json({ ok: true, ts: '1762077600.000001' }));
  };

  const recent = (of: { channelId: string } | { userId: string }) =>
    indexed
      .filter((task) => ('userId' in of ? task.userId === of.userId : task.channelId === of.channelId))
      .sort((a, b) => b.at - a.at);
  const deps: SlackDeps = {
    signingSecret,
    room: createBodyRoom(2 ** 24),
    botToken: 'xoxb-test',
    apiUrl,
    policy: {
      forRepository: (repository) =>
        repositoryPolicy(repository) ?? {
          allowed: false,
          reason: aReason('repository-not-listed', 'not listed'),
        },
      named: [shop, docs, vault],
      budget: noBudget,
      hasPatterns: options.installed !== undefined,
      slack: {
        team,
        channelDefaults: new Map([['C0DOCS', docs]]),
        githubLogins: new Map(),
        replies: 'all',
        ...options.slack,
      },
    },
    repositoryByAlias: (alias) => aliases[alias.toLowerCase()] ?? null,
    startTask: async (request) => {
      if (started.some(({ taskId }) => taskId === request.taskId)) return 'exists';
      started.push(taskRequestSchema.parse(request));
      return 'started';
    },
    task: (taskId) => ({
      snapshot: async () => tasks.get(taskId) ?? null,
      view: async () => tasks.get(taskId)?.view ?? null,
      events: async () => [],
      cancel: async (by) => {
        done.push(`cancel ${taskId} by ${by}`);
        return tasks.get(taskId)?.view.outcome == null
          ? { cancelled: true, reason: 'Cancelled.' }
          : { cancelled: false, reason: 'The task has already ended.' };
      },
      choose: async ({ owner, name }) => {
        done.push(`choose ${taskId} ${owner}/${name}`);
        return true;
      },
    }),
    retryPublication: async (taskId: string, approval: Approval | null) => {
      done.push(
        `publish ${taskId}${approval === null ? '' : ` by ${approval.by} for ${approval.changeHash}`}`,
      );
      return { started: true };
    },
    claimRepetition: async (taskId) => await repeatedTaskId(taskId, null),
    index: {
      put: async (task) => void indexed.push(task),
      inThread: async (channelId, threadTs, before) =>
        recent({ channelId }).find(
          (task) => task.threadTs === threadTs && (before === undefined || task.at < before.at),
        ) ?? null,
      byMessage: async (channelId, ts) =>
        recent({ channelId }).find((task) => task.messageTs === ts || task.postedTs === ts) ?? null,
      recent: async (of, limit) => recent(of).slice(0, limit),
    },
    chat: {
      person: async (userId, groupIds) => {
        const person = people[userId];
        return person === undefined
          ? null
          : { ...person, groups: person.groups.filter((group) => groupIds.includes(group)) };
      },
    },
    installedRepositories: async () => options.installed ?? [],
    fetch: fakeSlack,
    now: () => now,
    log: (event, fields) => void logged.push({ event, fields }),
    ...options.deps,
  };
  const app = slackRoutes(deps);
  const request = app.request.bind(app);
  const context = {
    waitUntil: (work: Promise<unknown>) => void working.push(work),
    passThroughOnException: () => undefined,
    props: {},
  };
  app.request = (input, init) => request(input, init, {}, context);
  return {
    app,
    started,
    calls,
    logged,
    done,
    tasks,
    indexed,
    settle: async () => {
      for (let settled = 0; settled < working.length; settled = working.length) await Promise.all(working);
    },
  };
}

async function signatureOf(
  timestamp: string,
  body: string | Uint8Array,
  secret = signingSecret,
): Promise<string> {
  const encoder = new TextEncoder();
  const bytes = typeof body === 'string' ? encoder.encode(body) : body;
  const key = await crypto.subtle.importKey(
    'raw',
    encoder.encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  const mac = await crypto.subtle.sign(
    'HMAC',
    key,
    new Uint8Array([...encoder.encode(`v0:${timestamp}:`), ...bytes]),
  );
  return `v0=${Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

export const timestampOf = (offsetSeconds = 0): string =>
  String(Math.floor(now.getTime() / 1000) + offsetSeconds);

export interface Delivery {
  readonly form: boolean;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly method?: string;
  /** `undefined` removes a header. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly secret?: string;
  readonly offsetSeconds?: number;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  /** The parsed JSON object; empty if the body is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

export async function deliver(world: World, delivery: Delivery): Promise<Answered> {
  const timestamp = timestampOf(delivery.offsetSeconds);
  const headers: Record<string, string | undefined> = {
    'content-type': delivery.form ? 'application/x-www-form-urlencoded' : 'application/json',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': await signatureOf(timestamp, delivery.body, delivery.secret),
    ...delivery.headers,
  };
  const method = delivery.method ?? 'POST';
  const response = await world.app.request('/events', {
    method,
    headers: Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: delivery.body }),
  });
  await world.settle();
  const text = await response.text();
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text);
  } catch {
    // a fixed text
  }
  return { status: response.status, text, json };
}

// ---- requests from Slack ----------------------------------------------------------------------------------

type Fields = Readonly<Record<string, unknown>>;

export const commandFields = (text: string, over: Fields = {}): Fields => ({
  token: 'legacy',
  team_id: team,
  team_domain: 'acme',
  channel_id: 'C0DEV',
  channel_name: 'dev',
  user_id: 'U0ADA',
  user_name: 'ada',
  command: '/codex',
  text,
  api_app_id: 'A0',
  is_enterprise_install: 'false',
  response_url: responseUrl,
  trigger_id: '111.222.abc',
  ...over,
});
export const formOf = (fields: Fields): string =>
  new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)])).toString();
export const command = (text: string, over: Fields = {}): Delivery => ({
  form: true,
  body: formOf(commandFields(text, over)),
});

export const interaction = (payload: unknown): Delivery => ({
  form: true,
  body: formOf({ payload: JSON.stringify(payload) }),
});
const common = {
  team: { id: team, domain: 'acme' },
  user: { id: 'U0ADA', username: 'ada', team_id: team },
  api_app_id: 'A0',
  token: 'legacy',
  trigger_id: '111.222.abc',
  response_url: responseUrl,
};
export const click = (actionId: string, value: unknown, over: Fields = {}): Delivery =>
  interaction({
    type: 'block_actions',
    ...common,
    container: { type: 'message', message_ts: '1762077000.000100', channel_id: 'C0DEV' },
    channel: { id: 'C0DEV', name: 'dev' },
    message: { type: 'message', ts: '1762077000.000100', user: botUser, text: 'x' },
    actions: [
      {
        action_id: actionId,
        block_id: 'b',
        type: 'button',
        text: { type: 'plain_text', text: 'x' },
        value: typeof value === 'string' ? value : JSON.stringify(value),
        action_ts: '1762077600.0',
      },
    ],
    ...over,
  });

export const formMetadata = { channelId: 'C0DEV', threadTs: null, messageTs: null, replaces: null };
export const submission = (
  values: { repository?: string; branch?: string; instruction?: string },
  over: { metadata?: unknown; view?: Fields; user?: string } = {},
): Delivery =>
  interaction({
    type: 'view_submission',
    ...common,
    user: { ...common.user, id: over.user ?? 'U0ADA' },
    view: {
      id: 'V0FORM',
      team_id: team,
      type: 'modal',
      callback_id: 'task.form',
      private_metadata: JSON.stringify(over.metadata ?? formMetadata),
      state: {
        values: {
          repository: {
            repository: {
              type: 'external_select',
              selected_option:
                values.repository === undefined
                  ? null
                  : { text: { type: 'plain_text', text: values.repository }, value: values.repository },
            },
          },
          branch: { branch: { type: 'plain_text_input', value: values.branch ?? null } },
          instruction: { instruction: { type: 'plain_text_input', value: values.instruction ?? null } },
        },
      },
      hash: '1',
      ...over.view,
    },
  });
export const suggestion = (typed: string, over: Fields = {}): Delivery =>
  interaction({
    type: 'block_suggestion',
    ...common,
    action_id: 'repository',
    block_id: 'repository',
    value: typed,
    container: { type: 'view', view_id: 'V0FORM' },
    view: {
      id: 'V0FORM',
      type: 'modal',
      callback_id: 'task.form',
      private_metadata: JSON.stringify(formMetadata),
    },
    ...over,
  });
export const shortcut = (message: Fields, over: Fields = {}): Delivery =>
  interaction({
    type: 'message_action',
    ...common,
    callback_id: 'run_codex_on_this',
    channel: { id: 'C0DEV', name: 'dev' },
    message_ts: '1762077000.000100',
    message: { type: 'message', ts: '1762077000.000100', user: 'U0BEN', ...message },
    ...over,
  });

export const event = (fields: Fields, envelope: Fields = {}): Delivery => ({
  form: false,
  body: JSON.stringify({
    token: 'legacy',
    team_id: team,
    api_app_id: 'A0',
    type: 'event_callback',
    event_id: 'Ev1',
    event_time: 1_762_077_600,
    authorizations: [
      { enterprise_id: null, team_id: team, user_id: botUser, is_bot: true, is_enterprise_install: false },
    ],
    is_ext_shared_channel: false,
    event: fields,
    ...envelope,
  }),
});
export const message = (text: string, over: Fields = {}): Fields => ({
  type: 'message',
  user: 'U0ADA',
  text,
  ts: '1762077500.000200',
  channel: 'C0DEV',
  channel_type: 'channel',
  team,
  event_ts: '1762077500.000200',
  ...over,
});
export const mention = (text: string, over: Fields = {}): Fields => {
  const { channel_type: _, ...fields } = message(text);
  return { ...fields, type: 'app_mention', ...over };
};
