/** Parses the settings once. Names what is missing or malformed; nothing starts with a guess. */
import * as z from 'zod';
import { privateKeyMistake } from './lib/pem.ts';

const baseUrl = z
  .url({ protocol: /^https?$/, error: 'has to be an http(s) URL' })
  .transform((url) => (url.endsWith('/') ? url.slice(0, -1) : url));
/** OpenAI's own ids are letters and digits, about 30 of them. They become the value of a header. */
const openaiId = (prefix: string, where: string) =>
  z
    .string()
    .regex(
      new RegExp(`^${prefix}[A-Za-z0-9_-]{1,100}$`),
      `has to be the id, ${prefix}…, from platform.openai.com → Settings → ${where}`,
    );
/** How events of GitHub arrive. `auto`: finds out whether the App's webhooks lead here. */
const deliveryWays = ['auto', 'webhooks', 'poll'] as const;
const secret = (what: string) => z.string({ error: `is missing: ${what}` }).min(1, `is empty: ${what}`);

/** Whether what people send there cannot be read on the way. */
function isPrivateOnTheWire(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
}

const settingsSchema = z.object({
  GITHUB_APP_ID: z
    .string({ error: 'is missing: the App ID on the GitHub App’s settings page' })
    .regex(/^[1-9][0-9]{0,15}$/, 'has to be the numeric App ID from the GitHub App’s settings page'),
  GITHUB_APP_PRIVATE_KEY: secret('the PEM that GitHub gave you for the App').check((c) => {
    const message = privateKeyMistake(c.value);
    if (message !== null) c.issues.push({ code: 'custom', input: c.value, message });
  }),
  GITHUB_WEBHOOK_SECRET: secret('the webhook secret set in the GitHub App').min(
    16,
    'is shorter than 16 characters',
  ),
  OPENAI_API_KEY: secret('an OpenAI API key'),
  OPENAI_ORGANIZATION: openaiId('org-', 'Organization').optional(),
  OPENAI_PROJECT: openaiId('proj_', 'Project').optional(),
  GITHUB_URL: baseUrl.default('https://github.com'),
  GITHUB_API_URL: baseUrl.optional(),
  GITHUB_DELIVERIES: z.enum(deliveryWays, { error: 'has to be auto, webhooks or poll' }).default('auto'),
  OPENAI_BASE_URL: baseUrl.default('https://api.openai.com/v1'),
  API_TOKEN: z.string().min(16, 'is shorter than 16 characters').optional(),
  AIRLOCK_URL: baseUrl
    .refine(isPrivateOnTheWire, 'has to be an https URL: people sign in there (http only on this machine)')
    .optional(),
  GITHUB_CLIENT_ID: z
    .string()
    .regex(/^[\w.]{1,100}$/, 'has to be the Client ID on the GitHub App’s settings page')
    .optional(),
  GITHUB_CLIENT_SECRET: z.string().min(16, 'is shorter than 16 characters').optional(),
  SLACK_SIGNING_SECRET: z.string().min(16, 'is shorter than 16 characters').optional(),
  SLACK_BOT_TOKEN: z
    .string()
    .regex(
      /^xoxb-[\w-]{8,}$/,
      'has to be a bot token: “Bot User OAuth Token” on the Slack app’s page, xoxb-…',
    )
    .optional(),
  SLACK_API_URL: baseUrl.default('https://slack.com/api'),
});

export const settingNames = Object.keys(settingsSchema.shape);

export interface Settings {
  readonly githubAppId: number;
  readonly githubAppPrivateKey: string;
  readonly githubWebhookSecret: string;
  readonly openaiApiKey: string;
  /** The account that OpenAI charges, for keys that belong to more than one. Left out: the key's default. */
  readonly openaiAccount: { readonly openaiOrganization?: string; readonly openaiProject?: string };
  /** The web base from which git is fetched, without a trailing slash. */
  readonly githubUrl: string;
  readonly githubApiUrl: string;
  readonly githubDeliveries: (typeof deliveryWays)[number];
  /** Up to and including `/v1`. */
  readonly openaiBaseUrl: string;
  /** Null: the HTTP API is off. */
  readonly apiToken: string | null;
  /** The public address, without a trailing slash. Null: nothing links to the pages of tasks. */
  readonly url: string | null;
  /** Null: nobody can sign in with GitHub. */
  readonly signIn: { readonly clientId: string; readonly clientSecret: string } | null;
  /** Null: Slack is off. */
  readonly slack: SlackSettings | null;
}

export interface SlackSettings {
  readonly signingSecret: string;
  readonly botToken: string;
  /** Base of the Web API with a trailing slash, which Slack's client expects. */
  readonly apiUrl: string;
}

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  /** `problem` has a line for each setting that is missing or wrong. */
  | { readonly ok: false; readonly problem: string };

/** Reports each problem in a line that starts with the setting's name. Never repeats a value. */
export function parseSettings(environment: Readonly<Record<string, unknown>>): SettingsResult {
  const { parsed, problems } = read(environment);
  if (!parsed.success || problems.size > 0)
    return { ok: false, problem: [...problems].map(([name, what]) => `${name} ${what}`).join('\n') };
  const s = parsed.data;
  const { SLACK_SIGNING_SECRET: signingSecret, SLACK_BOT_TOKEN: botToken, SLACK_API_URL: slackUrl } = s;
  const { GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret } = s;
  return {
    ok: true,
    settings: {
      githubAppId: Number(s.GITHUB_APP_ID),
      githubAppPrivateKey: s.GITHUB_APP_PRIVATE_KEY,
      githubWebhookSecret: s.GITHUB_WEBHOOK_SECRET,
      openaiApiKey: s.OPENAI_API_KEY,
      openaiAccount: {
        ...(s.OPENAI_ORGANIZATION === undefined ? {} : { openaiOrganization: s.OPENAI_ORGANIZATION }),
        ...(s.OPENAI_PROJECT === undefined ? {} : { openaiProject: s.OPENAI_PROJECT }),
      },
      githubUrl: s.GITHUB_URL,
      githubApiUrl: s.GITHUB_API_URL ?? apiUrlOf(s.GITHUB_URL),
      githubDeliveries: s.GITHUB_DELIVERIES,
      openaiBaseUrl: s.OPENAI_BASE_URL,
      apiToken: s.API_TOKEN ?? null,
      url: s.AIRLOCK_URL ?? null,
      signIn: clientId === undefined || clientSecret === undefined ? null : { clientId, clientSecret },
      slack:
        signingSecret === undefined || botToken === undefined
          ? null
          : { signingSecret, botToken, apiUrl: `${slackUrl}/` },
    },
  };
}

/** github.com and GHE.com have a host of their own for the API; GitHub Enterprise Server has not. */
function apiUrlOf(webUrl: string): string {
  const { protocol, hostname, host } = new URL(webUrl);
  if (hostname === 'github.com' || hostname === 'www.github.com') return 'https://api.github.com';
  return /^[^.]+\.ghe\.com$/.test(hostname) ? `${protocol}//api.${host}` : `${webUrl}/api/v3`;
}

/** Reports every problem by the name of its setting. Never repeats a value, which may be a secret. */
export function settingProblems(environment: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  return read(environment).problems;
}

function read(environment: Readonly<Record<string, unknown>>) {
  const values = Object.fromEntries(settingNames.map((name) => [name, blankToMissing(environment[name])]));
  const parsed = settingsSchema.safeParse(values);
  const problems = new Map<string, string>();
  for (const { path, message } of parsed.error?.issues ?? []) {
    const name = String(path[0]);
    if (!problems.has(name)) problems.set(name, message);
  }
  // Half of Slack's settings would be a bot that hears and cannot answer, or the reverse.
  const { SLACK_SIGNING_SECRET: signingSecret, SLACK_BOT_TOKEN: botToken } = values;
  if (signingSecret !== undefined && botToken === undefined)
    problems.set('SLACK_BOT_TOKEN', 'is missing: Slack needs the app’s bot token as well');
  if (botToken !== undefined && signingSecret === undefined)
    problems.set('SLACK_SIGNING_SECRET', 'is missing: Slack needs the app’s signing secret as well');
  const { GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret } = values;
  if (clientId !== undefined && clientSecret === undefined)
    problems.set('GITHUB_CLIENT_SECRET', 'is missing: sign-in needs the App’s client secret as well');
  if (clientSecret !== undefined && clientId === undefined)
    problems.set('GITHUB_CLIENT_ID', 'is missing: sign-in needs the App’s client ID as well');
  return { parsed, problems };
}

function blankToMissing(value: unknown): unknown {
  return typeof value === 'string' && value.trim() === '' ? undefined : value;
}
