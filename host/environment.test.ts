import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readEnvironment, StartProblem } from './environment.ts';

const folder = mkdtempSync(join(tmpdir(), 'airlock-environment-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const config = join(folder, 'airlock.config.jsonc');
writeFileSync(config, '{ "repositories": { "acme/*": {} } }');
const slackConfig = join(folder, 'slack.config.jsonc');
writeFileSync(slackConfig, '{ "slack": { "team": "T012345678" }, "repositories": { "acme/*": {} } }');

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const pkcs1 = rsa.export({ type: 'pkcs1', format: 'pem' });
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});
const good = {
  GITHUB_APP_ID: '4711',
  GITHUB_APP_PRIVATE_KEY: pkcs1,
  GITHUB_WEBHOOK_SECRET: 'a-secret-of-16-chars',
  OPENAI_API_KEY: 'sk-test',
  AIRLOCK_CONFIG: config,
  AIRLOCK_STATE: folder,
  PORT: '',
  AIRLOCK_HOST: '',
};

it.each([
  ['PKCS#1, as GitHub issues it', pkcs1],
  ['PKCS#8', rsa.export({ type: 'pkcs8', format: 'pem' })],
  ['one line with \\n written out', pkcs1.replaceAll('\n', '\\n')],
])('accepts a private key as %s, and listens on loopback by default', async (_, key) => {
  expect(await readEnvironment({ ...good, GITHUB_APP_PRIVATE_KEY: key })).toMatchObject({
    hostname: '127.0.0.1',
    port: 8787,
    configPath: config,
    stateDir: folder,
    drainMs: 600_000,
  });
});

it('reads how long a stop waits for running tasks; 0 is not at all', async () => {
  expect(await readEnvironment({ ...good, AIRLOCK_DRAIN_SECONDS: ' 0 ' })).toMatchObject({ drainMs: 0 });
});

// Joined from parts, because secret scanners would report them as leaked tokens.
const botToken = ['xoxb', '1', '2', 'abcdefgh'].join('-');
const appToken = ['xapp', '1', 'A0', 'abcdefgh'].join('-');
const slack = {
  AIRLOCK_CONFIG: slackConfig,
  SLACK_BOT_TOKEN: botToken,
  SLACK_SIGNING_SECRET: '0123456789abcdef0123456789abcdef',
};

it('leaves Slack off without its settings, whatever the configuration says', async () => {
  expect(await readEnvironment({ ...good, AIRLOCK_CONFIG: slackConfig })).toMatchObject({ slack: null });
});

it('receives requests from Slack without an app-level token', async () => {
  expect(await readEnvironment({ ...good, ...slack })).toMatchObject({
    slack: { appToken: null },
    settings: { SLACK_BOT_TOKEN: botToken, SLACK_SIGNING_SECRET: slack.SLACK_SIGNING_SECRET },
  });
});

it('connects to Slack with an app-level token, and does not pass it to the Worker', async () => {
  const environment = await readEnvironment({ ...good, ...slack, SLACK_APP_TOKEN: appToken });
  expect(environment.slack).toEqual({ appToken });
  expect(JSON.stringify(environment.settings)).not.toContain(appToken);
});

it('generates a signing secret for Socket Mode at each start if none is set', async () => {
  const given = { ...good, ...slack, SLACK_SIGNING_SECRET: '', SLACK_APP_TOKEN: appToken };
  const secretOf = async () => (await readEnvironment(given)).settings['SLACK_SIGNING_SECRET'];
  const secret = await secretOf();
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(await secretOf()).not.toBe(secret);
});

it.each([
  ['a missing key', { GITHUB_APP_PRIVATE_KEY: '' }, /^GITHUB_APP_PRIVATE_KEY is missing/],
  ['the path of a key', { GITHUB_APP_PRIVATE_KEY: '/etc/key.pem' }, /not the path of its file/],
  ['a key that lost a line', { GITHUB_APP_PRIVATE_KEY: pkcs1.replace(/\n.{64}\n/, '\n') }, /damaged/],
  ['half a key', { GITHUB_APP_PRIVATE_KEY: pkcs1.slice(0, 400) }, /not a complete PEM/],
  [
    'a key with a passphrase',
    {
      GITHUB_APP_PRIVATE_KEY: rsa.export({
        type: 'pkcs8',
        format: 'pem',
        cipher: 'aes-256-cbc',
        passphrase: 'x',
      }),
    },
    /encrypted with a passphrase/,
  ],
  ['a key of another kind', { GITHUB_APP_PRIVATE_KEY: elliptic }, /is an EC key; GitHub signs with the RSA/],
  ['Slack without a bot token', { ...slack, SLACK_BOT_TOKEN: '' }, /^SLACK_BOT_TOKEN is missing/],
  [
    'Slack without a signing secret',
    { ...slack, SLACK_SIGNING_SECRET: '' },
    /^SLACK_SIGNING_SECRET is missing/,
  ],
  [
    'Socket Mode without a bot token',
    { AIRLOCK_CONFIG: slackConfig, SLACK_APP_TOKEN: appToken },
    /^SLACK_BOT_TOKEN is missing/,
  ],
  [
    'a bot token in the place of the app-level one',
    { ...slack, SLACK_APP_TOKEN: botToken },
    /^SLACK_APP_TOKEN has to be an app-level token/,
  ],
  [
    'Slack without its workspace in the configuration',
    { ...slack, AIRLOCK_CONFIG: config },
    /names no workspace under "slack\.team"/,
  ],
  ['an invalid port', { PORT: '80000' }, /^PORT has to be a number/],
  ...['-1', '1.5', '5m', '86401'].map((given): [string, Record<string, string>, RegExp] => [
    `the drain's time ${given}`,
    { AIRLOCK_DRAIN_SECONDS: given },
    /^AIRLOCK_DRAIN_SECONDS has to be a number from 0 to 86400/,
  ]),
  [
    'nothing at all',
    {
      GITHUB_APP_ID: '',
      GITHUB_APP_PRIVATE_KEY: '',
      GITHUB_WEBHOOK_SECRET: '',
      OPENAI_API_KEY: '',
    },
    /^Airlock is not set up here yet\. Run npm run setup\.$/,
  ],
  ['a missing configuration file', { AIRLOCK_CONFIG: join(folder, 'x') }, /cannot be read \(ENOENT\)/],
])('rejects %s with one line that names it', async (_, changes, message) => {
  const problem: unknown = await readEnvironment({ ...good, ...changes }).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(StartProblem);
  expect(problem).toHaveProperty('message', expect.stringMatching(message));
  expect(problem).toHaveProperty('message', expect.not.stringContaining('\n'));
});

it('rejects every mistake at once, in a line each', async () => {
  const changes = {
    GITHUB_APP_ID: 'airlock',
    GITHUB_WEBHOOK_SECRET: 'short',
    OPENAI_API_KEY: '',
    OPENAI_APIKEY: 'sk-test',
    SLACK_APP_TOKEN: botToken,
    PORT: '80000',
    AIRLOCK_CONFIG: join(folder, 'x'),
  };
  const problem: unknown = await readEnvironment({ ...good, ...changes }).catch((error: unknown) => error);
  const lines = problem instanceof StartProblem ? problem.message.split('\n') : [];
  expect(lines.map((line) => line.slice(0, line.indexOf(' ')))).toEqual([
    'GITHUB_APP_ID',
    'GITHUB_WEBHOOK_SECRET',
    'OPENAI_API_KEY',
    'SLACK_BOT_TOKEN',
    'SLACK_APP_TOKEN',
    'PORT',
    'OPENAI_APIKEY',
    'Settings',
    'The',
  ]);
  expect(lines).toContain('OPENAI_APIKEY is not a setting; did you mean OPENAI_API_KEY?');
});
