/** Checks Slack against `slack-manifest.json`: token, scopes, workspace, and Socket Mode if used. */
import * as z from 'zod';
import manifest from '../../slack-manifest.json' with { type: 'json' };
import type { AirlockConfig } from '../config/schema.ts';
import type { SlackSettings } from '../settings.ts';
import { fail, ok, once, skip, warn, type Check, type Verdict } from './check.ts';
import { ask, type Asked, type Service } from './service.ts';

const answerSchema = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  team: z.string().optional(),
  team_id: z.string().optional(),
  enterprise_id: z.string().nullish(),
});
type Answer = z.infer<typeof answerSchema>;

export interface SlackInput extends Service {
  /** Null: Slack is off, or its settings are missing or malformed. */
  readonly slack: SlackSettings | null;
  readonly apiUrl: string;
  /** `xapp-…`; null without Socket Mode, and on Cloudflare. */
  readonly appToken: string | null;
  readonly broken: ReadonlyMap<string, string>;
  readonly config: AirlockConfig | null;
}

const wanted: readonly string[] = manifest.oauth_config.scopes.bot;
/** What works without these scopes, and what does not. An older app lacks them. */
const optional: Readonly<Record<string, string>> = {
  'assistant:write': 'Slack shows neither a task’s status in its thread nor its own Stop button',
};
const reinstall =
  'Compare the app’s OAuth & Permissions with slack-manifest.json, then reinstall it in the workspace.';

export function slackChecks(input: SlackInput): Check[] {
  const { slack, broken, appToken } = input;
  const isOff = slack === null && !broken.has('SLACK_BOT_TOKEN') && !broken.has('SLACK_SIGNING_SECRET');
  const socket: Check[] =
    appToken === null ? [] : [{ id: 'slack.socket', run: async () => await judgeSocket(input, appToken) }];
  // A configuration that names a workspace asks for Slack as much as the secrets do. Without this check, a
  // bot that nobody can talk to would go unnoticed.
  const team = input.config?.slack?.team ?? null;
  if (isOff && team !== null)
    return [{ id: 'slack.token', run: () => Promise.resolve(judgeUnset(team)) }, ...socket];
  if (isOff) return socket;
  const test = once(async () => (slack === null ? null : await call(input, 'auth.test', slack.botToken)));
  const withAnswer = async (look: (answer: Answer, asked: Answered) => Verdict): Promise<Verdict> => {
    const asked = await test();
    if (asked?.answered !== true) return skip('slack.token first');
    const answer = answerSchema.safeParse(asked.body);
    return answer.success && answer.data.ok ? look(answer.data, asked) : skip('slack.token first');
  };
  return [
    { id: 'slack.token', run: async () => judgeToken(await test()) },
    { id: 'slack.scopes', run: async () => await withAnswer((_, asked) => judgeScopes(asked)) },
    { id: 'slack.team', run: async () => await withAnswer((answer) => judgeTeam(answer, input.config)) },
    ...socket,
  ];
}

type Answered = Extract<Asked, { answered: true }>;

async function call(input: SlackInput, method: string, token: string): Promise<Asked> {
  return await ask(input, `${input.apiUrl}/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
  });
}

function judgeUnset(team: string): Verdict {
  return fail(
    `the configuration serves the workspace ${team}, and neither SLACK_BOT_TOKEN nor SLACK_SIGNING_SECRET is set`,
    'Set both (docs/setup.md, “Slack (optional)”), or take "slack" out of the configuration.',
  );
}

function judgeToken(asked: Asked | null): Verdict {
  if (asked === null) return skip('SLACK_BOT_TOKEN first');
  if (!asked.answered)
    return fail(`Slack cannot be reached: ${asked.why}`, 'Check the network and at slack-status.com.');
  const answer = answerSchema.safeParse(asked.body);
  if (!answer.success)
    return fail(`the answer is not from Slack (status ${asked.status})`, 'Check SLACK_API_URL.');
  if (answer.data.ok) return ok(`valid in the workspace ${answer.data.team ?? ''}`.trimEnd());
  const code = answer.data.error ?? 'no reason';
  return fail(
    `Slack does not accept SLACK_BOT_TOKEN: ${code.slice(0, 80)}`,
    code === 'ratelimited'
      ? 'Ask again in a minute.'
      : 'Install the app in the workspace again, and copy its Bot User OAuth Token.',
  );
}

function judgeScopes({ headers }: Answered): Verdict {
  const header = headers.get('x-oauth-scopes');
  if (header === null) return warn('Slack did not say which scopes the token has', reinstall);
  const held = header
    .split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
  const missing = wanted.filter((scope) => !held.includes(scope));
  if (missing.some((scope) => !Object.hasOwn(optional, scope)))
    return fail(`the token lacks ${missing.join(', ')}`, reinstall);
  if (missing.length > 0) {
    const lost = missing.map((scope) => `${scope}: ${optional[scope] ?? ''}`).join('; ');
    return warn(
      `the token lacks ${lost}; everything else works`,
      'Replace the app’s manifest with slack-manifest.json (App Manifest), then reinstall it in the workspace.',
    );
  }
  const extra = held.filter((scope) => !wanted.includes(scope));
  return extra.length > 0
    ? warn(`the token may do more than it needs: ${extra.join(', ')}`, reinstall)
    : ok('exactly those of slack-manifest.json');
}

function judgeTeam(answer: Answer, config: AirlockConfig | null): Verdict {
  if (config === null) return skip('config first');
  const configured = config.slack?.team ?? null;
  const { team_id: team = 'unknown', enterprise_id: enterprise } = answer;
  const correct = `Set "slack": { "team": "${team}" } in the configuration, or install the app in the right workspace.`;
  if (configured === null) return fail('the configuration names no workspace under "slack.team"', correct);
  return configured === team || configured === enterprise
    ? ok(`${configured}, as configured`)
    : fail(`the token is of the workspace ${team}, the configuration serves ${configured}`, correct);
}

/** Asks for a WebSocket address and does not connect to it. */
async function judgeSocket(input: SlackInput, appToken: string): Promise<Verdict> {
  const todo =
    'Basic Information → App-Level Tokens: one with connections:write, of the same app; and turn Socket Mode on.';
  if (!/^xapp-[\w-]{8,}$/.test(appToken))
    return fail('SLACK_APP_TOKEN is not an app-level token (xapp-…)', todo);
  const asked = await call(input, 'apps.connections.open', appToken);
  if (!asked.answered) return fail(`Slack cannot be reached: ${asked.why}`, 'Check the network.');
  const answer = answerSchema.safeParse(asked.body);
  if (!answer.success)
    return fail(`the answer is not from Slack (status ${asked.status})`, 'Check SLACK_API_URL.');
  return answer.data.ok
    ? ok('Slack offers a connection')
    : fail(`Slack offers no connection: ${(answer.data.error ?? 'no reason').slice(0, 80)}`, todo);
}
