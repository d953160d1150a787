/** Runs the doctor on installations with one fault: it names that one, and never a secret. */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutWith, type Checkout } from '../../cli/doctor/checkout.ts';
import { examineDeployment } from '../../cli/doctor/examine-deployment.ts';
import { examineHere, examineSandboxes } from '../../cli/doctor/examine-here.ts';
import { explain } from '../../host/sandbox/support.ts';
import { doctorReportSchema, type Finding } from '../../src/core/finding.ts';
import { runChecks } from '../../src/doctor/check.ts';
import type { NewRuleset } from '../../simulators/github/contract.ts';
import { sandboxChecks } from '../../src/doctor/sandbox-checks.ts';
import { eventNeeds, permissionNeeds } from '../../src/doctor/app-needs.ts';
import type { SandboxProbe } from '../../src/core/sandbox-probe.ts';
import { airlockVersion, codexVersion } from '../../src/version.ts';
import { probeSandbox } from '../../src/tasks/workflow/probe-sandbox.ts';
import manifest from '../../slack-manifest.json' with { type: 'json' };
import { listen, localSubject } from '../sandbox/local-subject.ts';
import { otherKey, startDoctorWorld, type DoctorWorld } from './doctor-world.ts';

let world: DoctorWorld;
beforeAll(async () => {
  world = await startDoctorWorld();
  await deliver();
}, 120_000);
afterAll(async () => await world.close());

/** Has GitHub send a webhook to where it leads now. */
async function deliver(): Promise<void> {
  await world.github.openIssue({
    owner: 'acme',
    name: 'shop',
    author: 'mona',
    title: 'A title',
    body: 'Text.',
  });
}

type Here = Partial<Parameters<typeof examineHere>[0]>;
async function here(changed: Readonly<Record<string, string>> = {}, options: Here = {}) {
  return await examineHere({
    environment: { ...world.environment, ...changed },
    fetch,
    now: Date.now,
    sandboxes: null,
    timeoutMs: 60_000,
    ...options,
  });
}
async function there(
  changed: { url?: string; apiToken?: string | null; checkout?: Checkout; timeoutMs?: number } = {},
) {
  return await examineDeployment({
    url: world.bot.url,
    apiToken: world.environment['API_TOKEN'] ?? null,
    checkout: checkoutWith(world.configText),
    fetch,
    timeoutMs: 60_000,
    ...changed,
  });
}

const named = (findings: readonly Finding[], status: Finding['status']): string[] =>
  findings.filter((finding) => finding.status === status).map(({ id }) => id);
const shown = (findings: readonly Finding[]) =>
  findings.filter(({ status }) => status === 'fail' || status === 'warn');

function secretsOf(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment)
    .filter(([name]) => /TOKEN|SECRET|KEY/.test(name))
    .flatMap(([, value]) => value.split('\n'))
    .filter((line) => line.length > 12 && !line.startsWith('-----'));
}

describe('a healthy installation', () => {
  it('is all green on this machine, sandbox included', async () => {
    const findings = await here({}, { sandboxes: examineSandboxes });
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(world.github.issuedTokens().filter(({ revoked }) => !revoked)).toEqual([]);
    expect(findings.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'config',
        'clock',
        'github.git',
        'github.deliveries',
        'github.rules',
        'slack.socket',
        'openai.models',
        'sandbox.canary',
      ]),
    );
  });

  it('needs no webhook on this machine, because Airlock reads GitHub’s log of deliveries', async () => {
    world.github.setWebhookUrl('https://airlock.invalid/github/webhooks');
    await deliver();
    try {
      for (const way of ['', 'poll']) {
        const findings = await here({ GITHUB_DELIVERIES: way });
        expect(named(findings, 'fail')).toEqual([]);
        expect(findings.find(({ id }) => id === 'github.deliveries')?.found).toMatch(/log of deliveries/);
      }
    } finally {
      world.github.setWebhookUrl(`${world.bot.url}/github/webhooks`);
      await deliver();
    }
  });

  it('is all green for a deployment, which finds it out by itself', async () => {
    const findings = await there();
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.find(({ id }) => id === 'sandbox.boot')?.found).toMatch(/^in \d+ s$/);
    expect(world.bot.sandboxes()).toEqual([]);
  });
});

it('finds no ruleset where the plan of a private repository has none', async () => {
  const message = 'Upgrade to GitHub Pro or make this repository public to enable this feature.';
  world.github.failNext({ method: 'GET', path: /\/rules\/branches\//, status: 403, message });
  expect(shown(await here())).toEqual([]);
});

interface Row {
  readonly what: string;
  /** Settings that differ; an empty one counts as missing. */
  readonly set?: Readonly<Record<string, string>> | (() => Promise<Readonly<Record<string, string>>>);
  /** Breaks the world, and returns what mends it. */
  readonly break?: () => void | Promise<void>;
  readonly mend?: () => void | Promise<void>;
  readonly options?: Here;
  readonly names: string;
  readonly status?: 'warn';
  readonly says: RegExp;
}

const config = (text: string) => async () => ({ AIRLOCK_CONFIG: await world.writeConfig(text) });
const withRepositories = (repositories: Readonly<Record<string, object>>) => async () =>
  await config(JSON.stringify({ slack: { team: world.slack.teamId }, repositories }))();
const app = (change: Parameters<DoctorWorld['github']['changeApp']>[0]) => () =>
  world.github.changeApp(change);
const needed = Object.fromEntries(Object.entries(permissionNeeds).map(([name, { level }]) => [name, level]));
const neededEvents = Object.keys(eventNeeds);
const wholeApp = app({ permissions: needed, events: neededEvents });
const models = (status: number, body: object) => () =>
  world.openai.answerModelsWith({ status, contentType: 'application/json', text: JSON.stringify(body) });
const wholeModels = () => world.openai.answerModelsWith(null);
const scopes = manifest.oauth_config.scopes.bot;
const { issues: _issues, ...withoutIssues } = needed;
const { checks: _checks, actions: _actions, ...withoutChecks } = needed;

/** Puts a server that answers so where these settings lead. */
function serverAt(
  settingsFor: (origin: URL) => Readonly<Record<string, string>>,
  answer: (response: ServerResponse) => unknown,
): Pick<Row, 'set' | 'mend'> {
  let server: Awaited<ReturnType<typeof listen>> | null = null;
  return {
    set: async () => {
      server = await listen((_, response) => void answer(response));
      return settingsFor(new URL(server.origin));
    },
    mend: () => server?.close(),
  };
}
const gitAt = (answer: (response: ServerResponse) => unknown) =>
  serverAt(({ origin }) => ({ GITHUB_URL: origin }), answer);
const atPort = (answer: (response: ServerResponse) => unknown) =>
  serverAt(({ port }) => ({ PORT: port }), answer);

/** The second ruleset does not bind the App. */
function ruleset(wanted: Omit<NewRuleset, 'owner' | 'name'>): Pick<Row, 'break' | 'mend'> {
  const at = { owner: 'acme', name: 'shop' };
  let added: readonly number[] = [];
  return {
    break: () => {
      added = (['never', 'always'] as const).map(
        (bypass) => world.github.addRuleset({ ...at, ...wanted, bypass }).id,
      );
    },
    mend: () => added.forEach((id) => world.github.removeRuleset({ ...at, id })),
  };
}

const wholeSandbox: SandboxProbe = {
  bootMs: 1,
  unsealed: [],
  unanswered: [],
  platform: [],
  codexVersion,
  nodeVersion: '26.0.0',
};

const rows: readonly Row[] = [
  { what: 'no App id', set: { GITHUB_APP_ID: '' }, names: 'GITHUB_APP_ID', says: /is missing/ },
  {
    what: 'the client id instead of the App id',
    set: { GITHUB_APP_ID: 'Iv1.abc' },
    names: 'GITHUB_APP_ID',
    says: /numeric/,
  },
  {
    what: 'an App that does not exist',
    set: { GITHUB_APP_ID: '999' },
    names: 'github.app',
    says: /no App with the id 999/,
  },
  {
    what: 'no private key',
    set: { GITHUB_APP_PRIVATE_KEY: '' },
    names: 'GITHUB_APP_PRIVATE_KEY',
    says: /is missing/,
  },
  {
    what: 'the path of the key',
    set: { GITHUB_APP_PRIVATE_KEY: '/etc/airlock.pem' },
    names: 'GITHUB_APP_PRIVATE_KEY',
    says: /not the path/,
  },
  {
    what: 'half of the key',
    set: async () => ({
      GITHUB_APP_PRIVATE_KEY: (world.environment['GITHUB_APP_PRIVATE_KEY'] ?? '').replace(/\n.{64}\n/, '\n'),
    }),
    names: 'GITHUB_APP_PRIVATE_KEY',
    says: /damaged/,
  },
  {
    what: 'the key of another App',
    set: { GITHUB_APP_PRIVATE_KEY: otherKey },
    names: 'github.app',
    says: /not a key of the App/,
  },
  {
    what: 'no webhook secret',
    set: { GITHUB_WEBHOOK_SECRET: '' },
    names: 'GITHUB_WEBHOOK_SECRET',
    says: /is missing/,
  },
  {
    what: 'a short webhook secret',
    set: { GITHUB_WEBHOOK_SECRET: 'short' },
    names: 'GITHUB_WEBHOOK_SECRET',
    says: /shorter/,
  },
  {
    what: 'a webhook secret with a line break at its end',
    set: async () => ({ GITHUB_WEBHOOK_SECRET: `${world.environment['GITHUB_WEBHOOK_SECRET'] ?? ''}\n` }),
    names: 'GITHUB_WEBHOOK_SECRET',
    says: /line break/,
  },
  { what: 'no OpenAI key', set: { OPENAI_API_KEY: '' }, names: 'OPENAI_API_KEY', says: /is missing/ },
  {
    what: 'the OpenAI key of the documentation',
    set: { OPENAI_API_KEY: 'sk-…' },
    names: 'OPENAI_API_KEY',
    says: /placeholder/,
  },
  {
    what: 'an OpenAI key that is refused',
    set: { OPENAI_API_KEY: 'sk-somebody-elses-old-key' },
    names: 'openai.key',
    says: /refuses/,
  },
  {
    what: 'an OpenAI address where nothing is',
    set: { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' },
    names: 'openai.key',
    says: /cannot be reached/,
  },
  {
    what: 'an OpenAI address without its version',
    set: async () => ({ OPENAI_BASE_URL: world.openai.url.replace(/\/v1$/, '') }),
    names: 'openai.key',
    says: /there are no models at .*\(404\): Invalid URL/,
  },
  {
    what: 'an OpenAI key that may not be used from here',
    break: models(403, {
      error: {
        code: 'unsupported_country_region_territory',
        message: 'Country, region, or territory not supported',
      },
    }),
    mend: wholeModels,
    names: 'openai.key',
    says: /does not let this key in \(403\): Country/,
  },
  {
    what: 'a restricted OpenAI key',
    break: models(403, {
      error: {
        code: null,
        message: 'You have insufficient permissions for this operation. Missing scopes: api.model.read.',
      },
    }),
    mend: wholeModels,
    names: 'openai.key',
    says: /Missing scopes/,
  },
  {
    what: 'an OpenAI key whose project may not use the model',
    break: models(403, { error: { code: 'model_not_found', message: 'Project has no access to model' } }),
    mend: wholeModels,
    names: 'openai.models',
    says: /^not there for this key: /,
  },
  {
    what: 'a proxy’s page in place of OpenAI',
    break: () =>
      world.openai.answerModelsWith({ status: 200, contentType: 'text/html', text: '<html>Sign in</html>' }),
    mend: wholeModels,
    names: 'openai.key',
    says: /not from OpenAI’s API \(status 200\)/,
  },
  {
    what: 'another service in place of OpenAI',
    break: models(200, { status: 'healthy' }),
    mend: wholeModels,
    names: 'openai.key',
    says: /not from OpenAI’s API/,
  },
  {
    what: 'OpenAI failing',
    break: models(503, { error: { message: 'Overloaded' } }),
    mend: wholeModels,
    names: 'openai.key',
    says: /answered 503/,
  },
  {
    what: 'a model that does not exist',
    set: withRepositories({ 'acme/shop': { model: 'gpt-0' } }),
    names: 'openai.models',
    says: /gpt-0$/,
  },
  { what: 'a short API token', set: { API_TOKEN: 'short' }, names: 'API_TOKEN', says: /shorter/ },
  {
    what: 'an invalid address',
    set: { GITHUB_URL: 'github.example' },
    names: 'GITHUB_URL',
    says: /http/,
  },
  {
    what: 'an address of git where nothing is',
    set: { GITHUB_URL: 'http://127.0.0.1:9' },
    names: 'github.git',
    says: /cannot be reached at http:\/\/127\.0\.0\.1:9/,
  },
  {
    what: 'an address of git that is only a page',
    ...gitAt((response) => response.end('<html>')),
    names: 'github.git',
    says: /does not serve git to the App \(status 200\)/,
  },
  {
    what: 'an address of git with a path behind it',
    set: async () => ({ GITHUB_URL: `${world.github.url}/acme` }),
    names: 'github.git',
    says: /does not serve git to the App \(status 404\)/,
  },
  {
    what: 'another GitHub for git than for the API',
    ...gitAt((response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end()),
    names: 'github.git',
    says: /does not accept the App’s tokens/,
  },
  {
    what: 'an address of git that leads elsewhere',
    ...gitAt((response) => response.writeHead(301, { location: 'https://git.example/acme/shop.git' }).end()),
    names: 'github.git',
    says: /leads to https:\/\/git\.example, which is not followed/,
  },
  {
    what: 'git hanging',
    break: () => world.github.failNext({ method: 'GET', path: /shop\.git\/info\/refs$/, status: 'timeout' }),
    options: { timeoutMs: 5000 },
    names: 'github.git',
    says: /no answer within 5 s/,
  },
  {
    what: 'git failing',
    break: () => world.github.failNext({ method: 'GET', path: /shop\.git\/info\/refs$/, status: 503 }),
    names: 'github.git',
    says: /answered 503/,
  },
  {
    what: 'a Slack token of another kind',
    set: { SLACK_BOT_TOKEN: 'xoxp-1234567890' },
    names: 'SLACK_BOT_TOKEN',
    says: /bot token/,
  },
  {
    what: 'no signing secret where it is needed',
    set: { SLACK_SIGNING_SECRET: '', SLACK_APP_TOKEN: '' },
    names: 'SLACK_SIGNING_SECRET',
    says: /is missing/,
  },
  {
    what: 'a workspace in the configuration without Slack’s secrets',
    set: { SLACK_BOT_TOKEN: '', SLACK_SIGNING_SECRET: '', SLACK_APP_TOKEN: '' },
    names: 'slack.token',
    says: /neither SLACK_BOT_TOKEN nor SLACK_SIGNING_SECRET is set/,
  },
  {
    what: 'a Slack token that Slack does not know',
    set: { SLACK_BOT_TOKEN: 'xoxb-1234567890-abcdefgh' },
    names: 'slack.token',
    says: /invalid_auth/,
  },
  {
    what: 'a revoked Slack token',
    break: () => world.slack.failNext({ method: 'auth.test', fails: { error: 'token_revoked' } }),
    names: 'slack.token',
    says: /token_revoked/,
  },
  {
    what: 'Slack hanging',
    break: () => world.slack.failNext({ method: 'auth.test', fails: 'timeout' }),
    options: { timeoutMs: 5000 },
    names: 'slack.token',
    says: /no answer within 5 s/,
  },
  {
    what: 'a Slack scope that is missing',
    break: () => world.slack.showScopes(scopes.filter((scope) => scope !== 'chat:write')),
    mend: () => world.slack.showScopes(scopes),
    names: 'slack.scopes',
    says: /lacks chat:write$/,
  },
  {
    what: 'a Slack app from before its own status',
    break: () => world.slack.showScopes(scopes.filter((scope) => scope !== 'assistant:write')),
    mend: () => world.slack.showScopes(scopes),
    names: 'slack.scopes',
    status: 'warn',
    says: /lacks assistant:write: .*Stop button; everything else works$/,
  },
  {
    what: 'a Slack scope too many',
    break: () => world.slack.showScopes([...scopes, 'files:write']),
    mend: () => world.slack.showScopes(scopes),
    names: 'slack.scopes',
    status: 'warn',
    says: /more than it needs: files:write$/,
  },
  {
    what: 'the token of another workspace',
    set: config('{"slack":{"team":"T0OTHER00"},"repositories":{"acme/shop":{}}}'),
    names: 'slack.team',
    says: /T0OTHER00/,
  },
  {
    what: 'no workspace in the configuration',
    set: config('{"repositories":{"acme/shop":{}}}'),
    names: 'slack.team',
    says: /names no workspace/,
  },
  {
    what: 'an app-level token that Slack does not know',
    set: { SLACK_APP_TOKEN: 'xapp-1-A000-123-abcdef' },
    names: 'slack.socket',
    says: /invalid_auth/,
  },
  {
    what: 'an app-level token of another kind',
    set: { SLACK_APP_TOKEN: 'xoxb-1234567890' },
    names: 'slack.socket',
    says: /xapp/,
  },
  {
    what: 'a permission that is missing',
    break: app({ permissions: withoutIssues }),
    mend: wholeApp,
    names: 'github.permissions',
    says: /lacks issues: write$/,
  },
  {
    what: 'a permission that only reads',
    break: app({ permissions: { ...needed, contents: 'read' } }),
    mend: wholeApp,
    names: 'github.permissions',
    says: /lacks contents: write$/,
  },
  {
    what: 'a permission too many',
    break: app({ permissions: { ...needed, workflows: 'write' } }),
    mend: wholeApp,
    names: 'github.permissions',
    status: 'warn',
    says: /workflows: write$/,
  },
  {
    what: 'an event that is missing',
    break: app({ events: neededEvents.filter((event) => event !== 'issue_comment') }),
    mend: wholeApp,
    names: 'github.events',
    says: /issue_comment$/,
  },
  {
    what: 'an older App without the events of reviews',
    break: app({ events: ['issue_comment', 'issues', 'pull_request'] }),
    mend: wholeApp,
    names: 'github.events',
    status: 'warn',
    says: /review \(a mention in a review starts nothing\), .*line comment starts nothing\); all else works$/,
  },
  {
    what: 'an older App without the permissions for checks',
    break: app({ permissions: withoutChecks }),
    mend: wholeApp,
    names: 'github.permissions',
    status: 'warn',
    says: /lacks checks: read \(“fix the checks” sees no check runs\), actions: read/,
  },
  {
    what: 'an event too many',
    break: app({ events: [...neededEvents, 'push'] }),
    mend: wholeApp,
    names: 'github.events',
    status: 'warn',
    says: /push$/,
  },
  {
    what: 'a repository without the App',
    set: withRepositories({ 'acme/shop': {}, 'other/site': {} }),
    names: 'github.installed',
    says: /^not installed on other\/site$/,
  },
  {
    what: 'a pattern for an account without the App',
    set: withRepositories({ 'nobody/*': {} }),
    names: 'github.installed',
    says: /account nobody/,
  },
  {
    what: 'another repository to read without the App',
    set: withRepositories({ 'acme/shop': { alsoRead: ['other/site'] } }),
    names: 'github.installed',
    says: /other\/site/,
  },
  {
    what: 'a suspended installation',
    break: () => world.github.suspendInstallation('acme'),
    mend: () => world.github.resumeInstallation('acme'),
    names: 'github.installed',
    says: /suspended on acme\/shop/,
  },
  {
    what: 'permissions that the account has not accepted yet',
    break: () => world.github.acceptPermissions('acme', { ...needed, contents: 'read' }),
    mend: () => world.github.acceptPermissions('acme', null),
    names: 'github.installed',
    says: /contents: write not accepted yet/,
  },
  {
    what: 'later permissions that the account has not accepted yet',
    break: () => world.github.acceptPermissions('acme', withoutChecks),
    mend: () => world.github.acceptPermissions('acme', null),
    names: 'github.installed',
    status: 'warn',
    says: /^not accepted yet: checks: read on acme\/shop \(.*all else works$/,
  },
  {
    what: 'the optional permission for receipts as check runs, not accepted yet',
    break: () => {
      world.github.changeApp({
        permissions: { ...needed, checks: 'write' },
        events: [...neededEvents, 'check_run', 'check_suite'],
      });
      world.github.acceptPermissions('acme', needed);
    },
    mend: () => {
      wholeApp();
      world.github.acceptPermissions('acme', null);
    },
    names: 'github.installed',
    status: 'warn',
    says: /^not accepted yet: checks: write on acme\/shop \(no receipt as a check run\).*; all else works$/,
  },
  {
    what: 'a ruleset that lets the App create no branch',
    ...ruleset({ rules: [{ type: 'creation' }, { type: 'update' }] }),
    names: 'github.rules',
    says: /^in acme\/shop the ruleset “ruleset \d+” does not let the App create `airlock\/change-.*; in acme/,
  },
  {
    what: 'a ruleset that keeps later commits off',
    ...ruleset({ rules: [{ type: 'pull_request' }], include: ['refs/heads/airlock/**/*'] }),
    names: 'github.rules',
    status: 'warn',
    says: /so a second round gets a patch; all else works$/,
  },
  {
    what: 'GitHub failing to list the rules of a branch',
    break: () => world.github.failNext({ method: 'GET', path: /\/rules\/branches\//, status: 503 }),
    names: 'github.rules',
    status: 'warn',
    says: /^rulesets could not be read: acme\/shop \(GitHub answered 503\)$/,
  },
  {
    what: 'a webhook with a wrong path',
    break: () => world.github.setWebhookUrl(`${world.bot.url}/webhooks`),
    mend: () => world.github.setWebhookUrl(`${world.bot.url}/github/webhooks`),
    names: 'github.webhook',
    says: /path \/webhooks/,
  },
  {
    what: 'an App without a webhook',
    break: () => world.github.setWebhookUrl(null),
    mend: () => world.github.setWebhookUrl(`${world.bot.url}/github/webhooks`),
    names: 'github.webhook',
    says: /no webhook URL/,
  },
  {
    what: 'another webhook secret in the App',
    break: async () => {
      world.github.setWebhookSecret('not what the bot was given');
      await deliver();
    },
    mend: async () => {
      world.github.setWebhookSecret(world.environment['GITHUB_WEBHOOK_SECRET'] ?? '');
      await deliver();
    },
    names: 'github.deliveries',
    says: /issues\.opened, just now.*answered 401/,
  },
  {
    what: 'an address that GitHub does not reach',
    break: async () => {
      world.github.setWebhookUrl('http://127.0.0.1:9/github/webhooks');
      await deliver();
    },
    mend: async () => {
      world.github.setWebhookUrl(`${world.bot.url}/github/webhooks`);
      await deliver();
    },
    names: 'github.deliveries',
    says: /got no answer/,
  },
  {
    what: 'GitHub failing',
    break: () => world.github.failNext({ method: 'GET', path: /\/app$/, status: 503 }),
    names: 'github.app',
    says: /503/,
  },
  {
    what: 'GitHub hanging',
    break: () => world.github.failNext({ method: 'GET', path: /\/app$/, status: 'timeout' }),
    options: { timeoutMs: 5000 },
    names: 'github.app',
    says: /no answer within 5 s/,
  },
  {
    what: 'a clock that is ahead',
    options: { now: () => Date.now() + 3_600_000 },
    names: 'clock',
    says: /3600 s ahead/,
  },
  {
    what: 'a clock that is behind',
    options: { now: () => Date.now() - 60_000 },
    names: 'clock',
    says: /60 s behind/,
  },
  {
    what: 'a clock that is a little off',
    options: { now: () => Date.now() + 12_000 },
    names: 'clock',
    status: 'warn',
    says: /ahead/,
  },
  {
    what: 'a mistake in the configuration',
    set: config('{"repositories":{"acme/shop":{"limit":1}}}'),
    names: 'config',
    says: /:1:\d+: repositories\["acme\/shop"\]\.limit: unknown key/,
  },
  {
    what: 'no configuration',
    set: { AIRLOCK_CONFIG: '/nowhere/airlock.jsonc' },
    names: 'config',
    says: /cannot be read/,
  },
  {
    what: 'a configuration that allows nothing',
    set: withRepositories({}),
    names: 'config',
    status: 'warn',
    says: /allows no repository/,
  },
  {
    what: 'a toolchain that no sandbox may see',
    set: withRepositories({ 'acme/shop': { sandbox: { toolchains: ['/etc/ssl'] } } }),
    names: 'sandbox.toolchain',
    says: /toolchain \/etc\/ssl cannot be given .*\/etc holds the state of this machine/,
  },
  {
    what: 'user namespaces that are forbidden',
    options: {
      sandboxes: async () =>
        await examineSandboxes(() =>
          Promise.resolve({
            ok: false,
            ...explain('EPERM', (path) => (path === 'user/max_user_namespaces' ? '0' : null)),
          }),
        ),
    },
    names: 'sandbox.boot',
    says: /user\.max_user_namespaces is 0/,
  },
  {
    what: 'a sandbox whose gateway lets everything out',
    options: { sandboxes: unsealedSandbox },
    names: 'sandbox.canary',
    says: /not sealed: .*a forbidden host is refused/,
  },
  {
    what: 'a sandbox that could not be checked in time',
    options: {
      sandboxes: sandboxThat({
        ...wholeSandbox,
        unanswered: [{ name: 'a forbidden host is refused', got: 'TimeoutError' }],
        codexVersion: null,
        nodeVersion: null,
      }),
    },
    names: 'sandbox.canary',
    status: 'warn',
    says: /^could not be checked, no answer in time: a forbidden host is refused/,
  },
  {
    what: 'a sandbox whose platform leaves a door open',
    options: {
      sandboxes: sandboxThat({
        ...wholeSandbox,
        platform: [
          { name: 'PID 1', got: 'sandbox', open: false },
          { name: 'UDP port 123', got: 'answers', open: true },
        ],
      }),
    },
    names: 'sandbox.platform',
    status: 'warn',
    says: /^UDP port 123 \(got answers\); all: PID 1 \(got sandbox\)/,
  },
  {
    what: 'a sandbox with another Codex',
    options: { sandboxes: sandboxThat({ ...wholeSandbox, codexVersion: '0.1.0' }) },
    names: 'sandbox.codex',
    says: /^Codex 0\.1\.0, and \d+\.\d+\.\d+ is pinned$/,
  },
  {
    what: 'a sandbox without Codex',
    options: { sandboxes: sandboxThat({ ...wholeSandbox, codexVersion: null }) },
    names: 'sandbox.codex',
    says: /does not run/,
  },
  {
    what: 'a sandbox with an old Node',
    options: { sandboxes: sandboxThat({ ...wholeSandbox, nodeVersion: '20.19.0' }) },
    names: 'sandbox.node',
    says: /Node 20\.19\.0 is too old/,
  },
  {
    what: 'a sandbox without Node',
    options: { sandboxes: sandboxThat({ ...wholeSandbox, nodeVersion: null }) },
    names: 'sandbox.node',
    says: /does not run/,
  },
  {
    what: 'no room for a sandbox',
    options: { sandboxes: sandboxThat(null) },
    names: 'sandbox.boot',
    status: 'warn',
    says: /all sandboxes are in use/,
  },
  {
    what: 'a bot of another version',
    ...atPort((response) => response.end(JSON.stringify({ ok: true, version: '0.0.1' }))),
    names: 'bot',
    says: /is version 0\.0\.1, this checkout/,
  },
  {
    what: 'a bot that is not configured',
    ...atPort((response) =>
      response
        .writeHead(503)
        .end(JSON.stringify({ error: { code: 'not-configured', message: 'Not configured.' } })),
    ),
    names: 'bot',
    says: /is not configured/,
  },
  {
    what: 'something else at the bot’s port',
    ...atPort((response) => response.end('<html>')),
    names: 'bot',
    status: 'warn',
    says: /something else listens/,
  },
];

/** What a probe of a sandbox would show, without one. */
function sandboxThat(shows: SandboxProbe | null) {
  return async () =>
    await runChecks(
      sandboxChecks(() => Promise.resolve(shows)),
      { deadlineMs: 60_000, secrets: [] },
    );
}

/** A real sandbox behind a gateway that decides nothing. */
async function unsealedSandbox(): Promise<readonly Finding[]> {
  const subject = await localSubject();
  try {
    const nothing = () => Promise.resolve();
    const sandbox = subject.sandboxes.get(subject.sandboxes.idFor('doctor-1'));
    const record = {
      close: async () => await sandbox.destroy(),
      open: nothing,
      learn: nothing,
      finish: nothing,
      snapshot: () => Promise.resolve({ canaryNonce: '0123456789abcdef' }),
    };
    const probe = async () => await probeSandbox('doctor-1', { record, sandbox, now: Date.now });
    return await runChecks(sandboxChecks(probe), { deadlineMs: 60_000, secrets: [] });
  } finally {
    await subject.close();
  }
}

describe('an installation that is broken in one way', () => {
  it('is tried in more than twenty ways', () => {
    expect(rows.length).toBeGreaterThan(20);
  });

  it.each(rows)('names $what', async ({ set, break: breakIt, mend, options, names, status, says }) => {
    const changed = typeof set === 'function' ? await set() : (set ?? {});
    await breakIt?.();
    let findings;
    try {
      findings = await here(changed, options);
    } finally {
      await mend?.();
    }
    expect({ failed: named(findings, 'fail'), warned: named(findings, 'warn') }).toEqual(
      status === 'warn' ? { failed: [], warned: [names] } : { failed: [names], warned: [] },
    );
    const [finding] = shown(findings);
    expect(finding?.found).toMatch(says);
    expect(finding?.todo).not.toBe('');
    const printed = JSON.stringify(findings);
    const secrets = secretsOf({ ...world.environment, ...changed });
    expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
  });
});

describe('a deployment that is broken in one way', () => {
  it('is another version than the checkout', async () => {
    const findings = await there({ checkout: { ...checkoutWith(world.configText), version: '9.9.9' } });
    expect(named(findings, 'fail')).toEqual(['version']);
  });

  it('has another configuration than the checkout, which may be meant', async () => {
    const findings = await there({ checkout: checkoutWith('{}') });
    expect(shown(findings).map(({ id, status }) => [id, status])).toEqual([['version.config', 'warn']]);
  });

  it('has another API token', async () => {
    const findings = await there({ apiToken: 'not-the-token-of-the-bot' });
    expect(named(findings, 'fail')).toEqual(['api']);
    expect(JSON.stringify(findings)).not.toContain('not-the-token-of-the-bot');
  });

  it('gets the webhooks of another deployment', async () => {
    world.github.setWebhookUrl('https://staging.example/github/webhooks');
    const findings = await there().finally(() =>
      world.github.setWebhookUrl(`${world.bot.url}/github/webhooks`),
    );
    expect(named(findings, 'fail')).toEqual(['github.webhook']);
    expect(shown(findings)[0]?.found).toMatch(/staging\.example, which is not this deployment/);
  });

  it('lacks a setting, and still says so itself', async () => {
    const {
      OPENAI_API_KEY: _key,
      SLACK_APP_TOKEN: _app,
      AIRLOCK_CONFIG: _config,
      PORT: _port,
      ...settings
    } = world.environment;
    const bot = await world.startBotWith(settings);
    world.github.setWebhookUrl(`${bot.url}/github/webhooks`);
    try {
      const findings = await there({ url: bot.url });
      expect(named(findings, 'fail')).toEqual(['OPENAI_API_KEY']);
      expect(named(findings, 'warn')).toEqual(['deployment']);
    } finally {
      world.github.setWebhookUrl(`${world.bot.url}/github/webhooks`);
    }
  });

  it('cannot be reached', async () => {
    const findings = await there({ url: 'http://127.0.0.1:9' });
    expect(findings.map(({ id, status }) => [id, status])).toEqual([['deployment', 'fail']]);
  });

  it('hangs', async () => {
    const silent = await listen(() => undefined);
    try {
      const findings = await there({ url: silent.origin, timeoutMs: 1000 });
      expect(findings.map(({ id, status }) => [id, status])).toEqual([['deployment', 'fail']]);
      expect(findings[0]?.found).toMatch(/no answer within 1 s/);
    } finally {
      silent.close();
    }
  });

  it('is something else', async () => {
    const other = await listen((_, response) => void response.end('<html>'));
    try {
      const findings = await there({ url: other.origin });
      expect(findings[0]?.found).toMatch(/is not Airlock/);
    } finally {
      other.close();
    }
  });
});

describe('POST /api/doctor', () => {
  it('says which version it is, and looks at nothing, when asked for that alone', async () => {
    const response = await fetch(`${world.bot.url}/api/doctor`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.environment['API_TOKEN'] ?? ''}` },
      body: '{"only":"version"}',
    });
    const report: unknown = await response.json();
    expect(report).toMatchObject({
      version: airlockVersion,
      // Only Cloudflare gives one.
      deploymentId: null,
      findings: [],
    });
    expect(doctorReportSchema.strict().parse(report)).toEqual(report);
  });

  it.each([
    ['without a token', {}],
    ['with another token', { authorization: 'Bearer not-the-token-of-the-bot' }],
  ])('shows nothing %s', async (_, headers) => {
    const response = await fetch(`${world.bot.url}/api/doctor`, { method: 'POST', headers });
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain('findings');
  });

  it.each([['{"url":"ftp://x"}'], ['{"only":"everything"}'], ['{"more":1}'], ['[]']])(
    'refuses %s',
    async (body) => {
      const response = await fetch(`${world.bot.url}/api/doctor`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.environment['API_TOKEN'] ?? ''}` },
        body,
      });
      expect(response.status).toBe(400);
    },
  );
});
