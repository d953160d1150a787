/** Starts emulate's Slack with its members. Only the simulator knows its port and tokens. */
import { randomBytes } from 'node:crypto';
import { createEmulator, type Emulator } from 'emulate';
import type { NewChannel, SlackSimulatorOptions } from './contract.ts';
import { isJson, jsonOf, listOf, textOf, type Json } from './json-values.ts';
import { foreignTeamId, Workspace, type Person } from './workspace.ts';

/** The id of emulate's only team, which cannot be configured. */
const teamId = 'T000000001';
const appId = 'A0AIRLOCK1';
const botId = 'B0AIRLOCK1';
const botUserId = 'U0AIRLOCK1';

/** emulate allows 5,000 calls per hour to each token, so calls rotate over this many. */
const tokensOfEach = 24;

const everyScope = [
  'channels:history',
  'channels:join',
  'channels:manage',
  'channels:read',
  'chat:write',
  'groups:history',
  'groups:read',
  'groups:write',
  'im:history',
  'im:read',
  'im:write',
  'reactions:read',
  'reactions:write',
  'users:read',
];

/** `app`: the bot with its scopes. `service`: with every scope, for the simulator's own calls. */
export type Caller = 'app' | 'service' | Person;

export interface EmulatedSlack {
  readonly workspace: Workspace;
  /** Calls a Web API method; `unknown_method` if emulate lacks it. Omits undefined arguments. */
  call(method: string, args: Json, as: Caller): Promise<Json>;
  close(): Promise<void>;
}

export async function startEmulatedSlack(options: SlackSimulatorOptions): Promise<EmulatedSlack> {
  const botName = options.botName ?? 'airlock';
  const secret = randomBytes(8).toString('hex');
  const tokens = {
    app: Array.from({ length: tokensOfEach }, (_, at) => `app-${at}-${secret}`),
    service: Array.from({ length: tokensOfEach }, (_, at) => `service-${at}-${secret}`),
  };
  const botToken = (scopes: readonly string[]) => (token: string) => ({
    token,
    user: botUserId,
    scopes,
    app_id: appId,
    bot_id: botId,
    bot_user_id: botUserId,
    type: 'bot',
  });
  const personToken = (name: string): string => `person-${name}-${secret}`;
  const emulator = await createEmulator({
    service: 'slack',
    port: 0,
    seed: {
      slack: {
        strict_scopes: true,
        users: options.users.map(({ name, displayName }) => ({
          name,
          real_name: displayName ?? name,
          profile: { display_name: displayName ?? name, real_name: displayName ?? name },
        })),
        oauth_apps: [
          {
            app_id: appId,
            client_id: 'airlock',
            client_secret: secret,
            name: botName,
            redirect_uris: [],
            bot_id: botId,
            bot_user_id: botUserId,
            bot_name: botName,
          },
        ],
        tokens: [
          ...tokens.app.map(botToken(options.botScopes)),
          ...tokens.service.map(botToken(everyScope)),
          ...options.users.map(({ name }) => ({ token: personToken(name), user: name, scopes: everyScope })),
        ],
      },
    },
  });
  const origin = addressOf(emulator);
  let calls = 0;
  const call = async (method: string, args: Json, as: Caller): Promise<Json> => {
    calls += 1;
    const token = typeof as === 'string' ? (tokens[as][calls % tokensOfEach] ?? '') : as.token;
    const response = await fetch(`${origin}/api/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(args),
      signal: AbortSignal.timeout(10_000),
    });
    const answer: unknown = await response.json();
    if (!isJson(answer) || typeof answer['ok'] !== 'boolean') return { ok: false, error: 'unknown_method' };
    return answer;
  };
  try {
    const workspace = await seedWorkspace(
      options,
      { botName, personToken, serviceToken: tokens.service[0] ?? '' },
      call,
    );
    return { workspace, call, close: async () => await emulator.close() };
  } catch (error) {
    await emulator.close();
    throw error;
  }
}

/** emulate reports `localhost`, which can resolve to an address that it does not listen on. */
function addressOf(emulator: Emulator): string {
  return `http://127.0.0.1:${new URL(emulator.url).port}`;
}

async function seedWorkspace(
  options: SlackSimulatorOptions,
  names: { readonly botName: string; readonly serviceToken: string; personToken(name: string): string },
  call: EmulatedSlack['call'],
): Promise<Workspace> {
  const workspace = new Workspace({
    teamId,
    appId,
    botId,
    bot: {
      id: botUserId,
      name: names.botName,
      displayName: names.botName,
      kind: 'bot',
      teamId,
      mention: `<@${botUserId}>`,
      token: names.serviceToken,
      groups: [],
    },
  });
  const listed = listOf((await requireOk(call('users.list', { limit: 1000 }, 'service')))['members']);
  for (const user of options.users) {
    const id = textOf(listed.find(({ name }) => name === user.name)?.['id']);
    if (id === '') throw new Error(`emulate did not take the user ${user.name}`);
    const kind = user.kind ?? 'member';
    workspace.addPerson({
      id,
      name: user.name,
      displayName: user.displayName ?? user.name,
      kind,
      teamId: kind === 'stranger' ? foreignTeamId : teamId,
      mention: `<@${id}>`,
      token: names.personToken(user.name),
      groups: user.groups ?? [],
    });
  }
  for (const channel of options.channels) await addChannel(workspace, channel, call);
  for (const person of workspace.allPeople()) {
    if (person.id === botUserId) continue;
    const opened = await requireOk(call('conversations.open', { users: person.id }, 'service'));
    workspace.addChannel({
      id: textOf(jsonOf(opened['channel'])['id']),
      name: person.name,
      kind: 'direct',
      members: new Set([botUserId, person.id]),
      archived: false,
      deleted: false,
    });
  }
  return workspace;
}

async function addChannel(
  workspace: Workspace,
  channel: NewChannel,
  call: EmulatedSlack['call'],
): Promise<void> {
  // emulate creates #general and #random itself.
  const created = await call(
    'conversations.create',
    { name: channel.name, is_private: channel.private ?? false },
    'service',
  );
  const id =
    created['error'] === 'name_taken'
      ? await joinExisting(channel.name, call)
      : textOf(jsonOf((await requireOk(created))['channel'])['id']);
  const people = channel.members.map((name) => workspace.person(name).id);
  if (people.length > 0)
    await requireOk(call('conversations.invite', { channel: id, users: people.join(',') }, 'service'));
  const withBot = channel.withBot ?? true;
  if (!withBot) await requireOk(call('conversations.leave', { channel: id }, 'service'));
  workspace.addChannel({
    id,
    name: channel.name,
    kind: channel.private === true ? 'private' : 'public',
    members: new Set([...people, ...(withBot ? [botUserId] : [])]),
    archived: false,
    deleted: false,
  });
}

async function joinExisting(name: string, call: EmulatedSlack['call']): Promise<string> {
  const listed = listOf(
    (await requireOk(call('conversations.list', { limit: 1000 }, 'service')))['channels'],
  );
  const id = textOf(listed.find((one) => one['name'] === name)?.['id']);
  await requireOk(call('conversations.join', { channel: id }, 'service'));
  return id;
}

/** Throws unless emulate answered `ok`: for calls that fail only if the simulator has a bug. */
export async function requireOk(answer: Json | Promise<Json>): Promise<Json> {
  const settled = await answer;
  if (settled['ok'] !== true) throw new Error(`emulate refused: ${textOf(settled['error'])}`);
  return settled;
}
