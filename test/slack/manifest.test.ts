/** `slack-manifest.json` requests exactly what the code uses. The tables hold Slack's reference. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { callbackIds } from '../../src/slack/names.ts';

const root = join(import.meta.dirname, '../..');
const url = z.literal('https://airlock.example/slack/events');
const manifest = z
  .object({
    features: z.object({
      app_home: z.object({
        messages_tab_enabled: z.literal(true),
        messages_tab_read_only_enabled: z.literal(false),
      }),
      // Slack's limits: https://docs.slack.dev/reference/app-manifest
      agent_view: z.strictObject({
        agent_description: z.string().max(300),
        suggested_prompts: z.array(z.strictObject({ title: z.string(), message: z.string() })).max(4),
      }),
      slash_commands: z.array(z.object({ command: z.string(), url, should_escape: z.literal(true) })),
      shortcuts: z.array(z.object({ type: z.literal('message'), callback_id: z.string(), name: z.string() })),
    }),
    oauth_config: z.object({ scopes: z.strictObject({ bot: z.array(z.string()) }) }),
    settings: z.object({
      event_subscriptions: z.object({ request_url: url, bot_events: z.array(z.string()) }),
      interactivity: z.object({
        is_enabled: z.literal(true),
        request_url: url,
        message_menu_options_url: url,
      }),
      socket_mode_enabled: z.boolean(),
      token_rotation_enabled: z.literal(false),
    }),
  })
  .parse(JSON.parse(readFileSync(join(root, 'slack-manifest.json'), 'utf8')));

/** The scope for each kind of conversation in which a task can be requested. */
const history = ['channels:history', 'groups:history', 'im:history', 'mpim:history'];

/** https://docs.slack.dev/reference/methods/<method>, “Bot token”. */
const methodScopes: Readonly<Record<string, readonly string[]>> = {
  // The first for the method, the second for an app that is an agent: https://docs.slack.dev/ai/agent-sessions
  'agents.sessions.setStatus': ['chat:write', 'assistant:write'],
  'chat.delete': ['chat:write'],
  'chat.getPermalink': [],
  'chat.postEphemeral': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.history': history,
  // For direct messages with one user; groups would need mpim:write.
  'conversations.open': ['im:write'],
  'conversations.replies': history,
  'files.info': ['files:read'],
  'reactions.add': ['reactions:write'],
  'usergroups.users.list': ['usergroups:read'],
  'users.info': ['users:read'],
  'views.open': [],
};

/** https://docs.slack.dev/reference/events/<event>. */
const eventScopes: Readonly<Record<string, readonly string[]>> = {
  agent_session_stopped: [],
  app_mention: ['app_mentions:read'],
  'message.channels': ['channels:history'],
  'message.groups': ['groups:history'],
  'message.im': ['im:history'],
  'message.mpim': ['mpim:history'],
  reaction_added: ['reactions:read'],
};

/** The payload's `type`: message.channels, message.groups and so on arrive as `message`. */
const typeOf = (event: string): string => event.replace(/\..*$/, '');

const sources = readdirSync(join(root, 'src/slack'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => readFileSync(join(root, 'src/slack', name), 'utf8'));
/** Matches Web API calls on a client named `client` or `slack`. */
const called =
  /\b(?:client|slack)\.((?:agents|chat|conversations|reactions|usergroups|users|views|files|auth|team|bots|pins|apps)(?:\.\w+)+)\(/g;
const calledMethods = new Set(
  sources.flatMap((text) => Array.from(text.matchAll(called), ([, name]) => name ?? '')),
);
const namedMethods = new Set(
  sources.flatMap((text) => Array.from(text.matchAll(/slackCall\(\s*'([\w.]+)'/g), ([, name]) => name ?? '')),
);
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted();

describe('the manifest', () => {
  it('covers every called method, and every call goes through `slackCall`', () => {
    expect(sorted(calledMethods)).toEqual(sorted(Object.keys(methodScopes)));
    expect(sorted(namedMethods)).toEqual(sorted(calledMethods));
    expect(sources.filter((text) => /\.apiCall\(/.test(text))).toEqual([]);
  });

  it('subscribes to exactly the handled events', () => {
    const bot = manifest.settings.event_subscriptions.bot_events;
    expect(sorted(bot)).toEqual(sorted(Object.keys(eventScopes)));
    const app = sources.join('\n');
    for (const type of new Set(bot.map(typeOf))) expect(app).toContain(`'${type}'`);
  });

  it('requests exactly the scopes for these, and `commands`', () => {
    const needed = [
      ...Object.values(methodScopes).flat(),
      ...Object.values(eventScopes).flat(),
      // https://docs.slack.dev/reference/scopes/commands: slash commands and shortcuts.
      'commands',
    ];
    expect(manifest.oauth_config.scopes.bot).toEqual(sorted(needed));
  });

  it('declares the handled command and shortcut', () => {
    expect(manifest.features.slash_commands.map(({ command }) => command)).toEqual(['/codex']);
    expect(manifest.features.shortcuts.map(({ callback_id: id }) => id)).toEqual([callbackIds.shortcut]);
  });
});
