/** Starts everything that the doctor examines, in working order. Each test breaks one of them. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import manifest from '../../slack-manifest.json' with { type: 'json' };
import { startBot, type Bot } from '../../host/bot.ts';
import type { GithubSimulator } from '../../simulators/github/contract.ts';
import { startGithubSimulator } from '../../simulators/github/simulator.ts';
import { startOpenAiSimulator, type OpenAiSimulator } from '../../simulators/openai/server.ts';
import type { SlackSimulator } from '../../simulators/slack/contract.ts';
import { startSlackSimulator } from '../../simulators/slack/simulator.ts';

export interface DoctorWorld {
  readonly github: GithubSimulator;
  readonly slack: SlackSimulator;
  readonly openai: OpenAiSimulator;
  readonly bot: Bot;
  /** What a healthy `.dev.vars` would hold. */
  readonly environment: Readonly<Record<string, string>>;
  readonly configText: string;
  /** Writes a configuration and returns the path of it. */
  writeConfig(text: string): Promise<string>;
  /** Another bot of the same world, with these settings. */
  startBotWith(settings: Readonly<Record<string, string>>): Promise<Bot>;
  close(): Promise<void>;
}

const appId = 4711;
/** Of somebody else's App. */
export const otherKey = pkcs1Key().privateKey;

function pkcs1Key() {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

export async function startDoctorWorld(): Promise<DoctorWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-doctor-world-'));
  const secret = () => randomBytes(24).toString('hex');
  const { privateKey, publicKey } = pkcs1Key();
  const webhookSecret = secret();
  const openaiKey = `sk-${secret()}`;
  const github = await startGithubSimulator({
    stateDir: join(folder, 'github'),
    app: { id: appId, slug: 'airlock', publicKeyPem: publicKey },
    webhook: { url: null, secret: webhookSecret },
  });
  const openai = await startOpenAiSimulator({ apiKey: openaiKey, script: [] });
  const signingSecret = secret();
  const slack = await startSlackSimulator({
    signingSecret,
    botScopes: manifest.oauth_config.scopes.bot,
    users: [],
    channels: [],
    deliverTo: 'http',
  });
  const configText = JSON.stringify({
    slack: { team: slack.teamId },
    repositories: { 'acme/shop': {}, 'acme/*': { models: ['gpt-5.5'] } },
  });
  const writeConfig = async (text: string): Promise<string> => {
    const path = join(folder, `config-${secret()}.jsonc`);
    await writeFile(path, text);
    return path;
  };
  const settings = {
    GITHUB_APP_ID: String(appId),
    GITHUB_APP_PRIVATE_KEY: privateKey,
    GITHUB_WEBHOOK_SECRET: webhookSecret,
    OPENAI_API_KEY: openaiKey,
    API_TOKEN: secret(),
    GITHUB_URL: github.url,
    GITHUB_API_URL: github.apiUrl,
    GITHUB_DELIVERIES: 'webhooks',
    OPENAI_BASE_URL: openai.url,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_API_URL: slack.apiUrl,
  };
  const bots: Bot[] = [];
  const startBotWith = async (given: Readonly<Record<string, string>>): Promise<Bot> => {
    const bot = await startBot({
      stateDir: join(folder, `bot-${bots.length}`),
      hostname: '127.0.0.1',
      port: 0,
      settings: given,
      configText,
      progress: () => undefined,
      log: () => undefined,
    });
    bots.push(bot);
    return bot;
  };
  const bot = await startBotWith(settings);
  github.setWebhookUrl(`${bot.url}/github/webhooks`);
  for (const name of ['shop', 'docs'])
    await github.createRepository({ owner: 'acme', name, files: { 'README.md': name } });
  await github.createRepository({ owner: 'other', name: 'site', files: { a: 'a' }, installed: false });
  const environment = {
    ...settings,
    SLACK_APP_TOKEN: slack.appToken,
    PORT: new URL(bot.url).port,
    AIRLOCK_CONFIG: await writeConfig(configText),
  };
  return {
    github,
    slack,
    openai,
    bot,
    environment,
    configText,
    writeConfig,
    startBotWith,
    close: async () => {
      for (const one of bots) await one.stop();
      await Promise.all([github.close(), openai.close(), slack.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
