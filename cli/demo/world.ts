/** Starts a whole Airlock without the internet, for the demo, the end-to-end tests and the benches. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createAppTokens } from '../../src/github/app-auth.ts';
import { startBot, type Bot, type BotOptions } from '../../host/bot.ts';
import type {
  CreatedRepository,
  GithubSimulator,
  NewRepository,
  RolePermission,
} from '../../simulators/github/contract.ts';
import { startGithubSimulator } from '../../simulators/github/simulator.ts';
import type { Script } from '../../simulators/openai/script.ts';
import { startOpenAiSimulator, type OpenAiSimulator } from '../../simulators/openai/server.ts';
import type { SlackSimulator, SlackSimulatorOptions } from '../../simulators/slack/contract.ts';
import { startSlackSimulator } from '../../simulators/slack/simulator.ts';
import type { WireFault, WireRequest } from '../../simulators/wire/faults.ts';
import { maxLinkMs } from '../../src/web/pages/open-link.ts';
import { linkToBot } from '../pages/link-to-bot.ts';
import manifest from '../../slack-manifest.json' with { type: 'json' };

export type Service = 'github' | 'openai' | 'slack';

export interface WorldOptions {
  /** Folder for the state. It is emptied first. */
  readonly stateDir: string;
  readonly script: Script;
  /** Milliseconds that the model waits before each answer. */
  readonly latencyMs?: number;
  readonly files: NewRepository['files'];
  readonly collaborators?: readonly { readonly login: string; readonly permission: RolePermission }[];
  /** The configuration. A function is called once the Slack workspace exists, because its ids are random. */
  readonly configText?: string | ((slack: SlackSimulator) => string);
  /** Adds a simulated Slack workspace. */
  readonly slack?: Pick<SlackSimulatorOptions, 'users' | 'channels' | 'deliverTo'>;
  readonly maxSandboxes?: number;
  /** Host name → origin of a simulator that replaces it, such as a package registry for setup. */
  readonly standIns?: Readonly<Record<string, string>>;
  /** Secrets of private registries, by name. */
  readonly registrySecrets?: Readonly<Record<string, string>>;
  /** Uses the real model with this key and base URL instead of the script. */
  readonly live?: { readonly apiKey: string; readonly baseUrl: string };
  /**
   * How GitHub's events arrive. Default `webhooks`. `auto`: the App has no address until `setWebhookUrl`, and
   * the bot finds out at its start. `poll`: the bot reads GitHub's log although webhooks arrive.
   */
  readonly deliveries?: 'webhooks' | 'auto' | 'poll';
  /** Breaks requests to the simulators; null: served as usual. */
  readonly wire?: (service: Service, request: WireRequest) => Promise<WireFault | null>;
  /** What GitHub announces as its limit; default as at GitHub. */
  readonly hourlyLimit?: number | null;
  /** Starts the bot; default: on this machine with local sandboxes. */
  readonly startBot?: (options: BotOptions) => Promise<Bot>;
  readonly progress?: (line: string) => void;
  readonly log?: (line: string) => void;
}

export interface World {
  readonly github: GithubSimulator;
  /** null with a live model. */
  readonly openai: OpenAiSimulator | null;
  /** Throws if the world has no Slack. */
  readonly slack: SlackSimulator;
  readonly bot: Bot;
  readonly repository: CreatedRepository;
  readonly apiToken: string;
  readonly webhookSecret: string;
  /** Every secret, by name. None of them must appear inside a sandbox. */
  secrets(): ReadonlyMap<string, string>;
  /** A link that works once, for an hour, to a page of the bot. */
  openLink(path: string): Promise<string>;
  /** Mints an installation token for the repository. */
  mintToken(permissions: Readonly<Record<string, 'read' | 'write'>>): Promise<string>;
  /** Stops the bot and starts it again with the same state and port. */
  restartBot(meanwhile?: () => Promise<void>): Promise<Bot>;
  close(): Promise<void>;
}

const defaultConfig = JSON.stringify({ repositories: { 'acme/split-bill': { aliases: ['bill'] } } });
const appId = 4711;

/** One for all worlds of a process: to find its primes takes 50 ms. */
let appKey: ReturnType<typeof newAppKey> | undefined;

/** PKCS#1, as GitHub issues it. */
const newAppKey = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

export async function startWorld(options: WorldOptions): Promise<World> {
  await rm(options.stateDir, { recursive: true, force: true });
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = (appKey ??= newAppKey());
  const secret = (prefix: string) => `${prefix}${randomBytes(24).toString('hex')}`;
  const webhookSecret = secret('');
  const apiToken = secret('');
  const scriptedKey = secret('sk-');

  const { wire } = options;
  const wireTo = (service: Service) =>
    wire === undefined ? {} : { wire: async (request: WireRequest) => await wire(service, request) };

  const github = await startGithubSimulator({
    ...wireTo('github'),
    stateDir: join(options.stateDir, 'github'),
    app: { id: appId, slug: 'airlock', publicKeyPem: publicKey },
    webhook: { url: null, secret: webhookSecret },
    ...(options.hourlyLimit === undefined ? {} : { hourlyLimit: options.hourlyLimit }),
  });
  const openai =
    options.live === undefined
      ? await startOpenAiSimulator({
          ...wireTo('openai'),
          apiKey: scriptedKey,
          script: options.script,
          latencyMs: options.latencyMs ?? 0,
        })
      : null;
  const slackSecret = secret('');
  const slack =
    options.slack === undefined
      ? null
      : await startSlackSimulator({
          ...options.slack,
          ...wireTo('slack'),
          signingSecret: slackSecret,
          botScopes: manifest.oauth_config.scopes.bot,
        });
  const openaiKey = options.live?.apiKey ?? scriptedKey;
  const startHere = async (port: number) =>
    await (options.startBot ?? startBot)({
      stateDir: join(options.stateDir, 'bot'),
      hostname: '127.0.0.1',
      port,
      settings: {
        GITHUB_APP_ID: String(appId),
        GITHUB_APP_PRIVATE_KEY: privateKey,
        GITHUB_WEBHOOK_SECRET: webhookSecret,
        OPENAI_API_KEY: openaiKey,
        GITHUB_URL: github.url,
        GITHUB_API_URL: github.apiUrl,
        GITHUB_DELIVERIES: options.deliveries ?? 'webhooks',
        OPENAI_BASE_URL: options.live?.baseUrl ?? openai?.url ?? '',
        API_TOKEN: apiToken,
        ...options.registrySecrets,
        ...(slack === null
          ? {}
          : {
              SLACK_SIGNING_SECRET: slackSecret,
              SLACK_BOT_TOKEN: slack.botToken,
              SLACK_API_URL: slack.apiUrl,
            }),
      },
      ...(slack === null || options.slack?.deliverTo !== 'socket' ? {} : { slackAppToken: slack.appToken }),
      configText: configTextOf(options.configText, slack),
      ...(options.maxSandboxes === undefined ? {} : { maxSandboxes: options.maxSandboxes }),
      ...(options.standIns === undefined ? {} : { standIns: options.standIns }),
      progress: options.progress ?? (() => undefined),
      log: options.log ?? (() => undefined),
    });
  let bot: Bot;
  try {
    bot = await startHere(0);
  } catch (error) {
    await Promise.all([github.close(), openai?.close(), slack?.close()]);
    throw error;
  }
  slack?.setRequestUrl(`${bot.url}/slack/events`);
  if (options.deliveries !== 'auto') github.setWebhookUrl(`${bot.url}/github/webhooks`);
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'split-bill',
    files: options.files,
    collaborators: options.collaborators ?? [{ login: 'maria', permission: 'write' }],
  });
  return {
    github,
    openai,
    get slack() {
      if (slack === null) throw new Error('this world has no Slack');
      return slack;
    },
    get bot() {
      return bot;
    },
    repository,
    apiToken,
    webhookSecret,
    secrets: () =>
      new Map([
        ['GITHUB_APP_PRIVATE_KEY', privateKey.split('\n')[1] ?? privateKey],
        ['GITHUB_WEBHOOK_SECRET', webhookSecret],
        ['OPENAI_API_KEY', openaiKey],
        ['API_TOKEN', apiToken],
        ...Object.entries(options.registrySecrets ?? {}),
        ...(slack === null ? [] : [['SLACK_SIGNING_SECRET', slackSecret] as const]),
        ...(slack === null ? [] : [['SLACK_BOT_TOKEN', slack.botToken] as const]),
        ...github
          .issuedTokens()
          .map(({ token }, index): [string, string] => [`installation token ${index + 1}`, token]),
      ]),
    openLink: async (path) => await linkToBot({ url: bot.url, privateKey }, path, Date.now() + maxLinkMs),
    mintToken: async (permissions) => {
      const tokens = createAppTokens({ appId, privateKey, apiUrl: github.apiUrl, fetch, now: Date.now });
      const { id: repositoryId, installationId } = repository;
      if (installationId === null) throw new Error('the App is not installed on the repository');
      return await tokens.tokenFor({ taskId: 'script', installationId, repositoryId, permissions });
    },
    restartBot: async (meanwhile) => {
      const port = Number(new URL(bot.url).port);
      await bot.stop();
      await meanwhile?.();
      bot = await startHere(port);
      return bot;
    },
    close: async () => {
      await bot.stop();
      await Promise.all([github.close(), openai?.close(), slack?.close()]);
    },
  };
}

function configTextOf(given: WorldOptions['configText'], slack: SlackSimulator | null): string {
  if (typeof given === 'string') return given;
  if (slack === null) return defaultConfig;
  return (
    given?.(slack) ??
    JSON.stringify({
      slack: { team: slack.teamId },
      repositories: { 'acme/split-bill': { aliases: ['bill'], slack: 'workspace' } },
    })
  );
}
