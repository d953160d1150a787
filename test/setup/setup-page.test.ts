/** The set-up's page: what each wrong thing says, what is stored, and who may look. */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../host/listen-on-loopback.ts';
import { openaiKey, Person, startSetupWorld, type SetupWorld } from './setup-world.ts';

let world: SetupWorld;
/** The settings of an App that is created and installed. */
let installed: Readonly<Record<string, string>>;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  world = await startSetupWorld();
});
beforeEach(async () => await world.reset());
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});
afterAll(async () => await world.close());

const definedIn = (all: NodeJS.Dict<string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

type Changes = Parameters<SetupWorld['start']>[0];

/** Starts the command and opens its page. */
async function begin(changes: Changes = {}) {
  const started = await world.start(changes);
  running.push(started);
  const person = await new Person().open(started.address);
  return { ...started, person };
}

/** As `begin`, with these settings stored. */
async function beginWith(settings: Readonly<Record<string, string>>, changes: Changes = {}) {
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
  await writeFile(world.devVarsPath, lines.join(''));
  return await begin(changes);
}

/** Up to GitHub's answer, which leads back to the page. */
async function createApp(person: Person, name: string): Promise<Person> {
  await person.send('/app/create', { organization: 'acme' });
  await person.send('/settings/apps/new');
  return await person.send('/settings/apps/manifest', { name });
}

const model = { OPENAI_API_KEY: openaiKey };
const config = (rest: object = {}): string =>
  JSON.stringify({ ...rest, repositories: { 'acme/shop': {} } }, null, 2);

describe('creating the App', () => {
  it('asks GitHub for what the bot needs, and stores what GitHub answers for its owner alone', async () => {
    const before = '# mine\nUNKNOWN=kept # also\nGITHUB_APP_ID=\n';
    await writeFile(world.devVarsPath, before);
    const { person } = await begin();
    expect(person.text).toContain('Create your GitHub App');
    await person.send('/app/create', { organization: 'acme' });
    const sent: unknown = JSON.parse(
      /name="manifest" value="([^"]*)"/.exec(person.html)?.[1]?.replaceAll('&quot;', '"') ?? '',
    );
    expect(sent).toMatchObject({
      name: 'airlock-acme',
      public: false,
      hook_attributes: { url: 'https://airlock.invalid/github/webhooks', active: true },
      redirect_url: `${new URL(person.url).origin}/github/created`,
      callback_urls: ['http://127.0.0.1:8787/auth/callback'],
      default_permissions: { contents: 'write', issues: 'write', pull_requests: 'write', checks: 'read' },
    });
    await person.send('/settings/apps/new');
    await person.send('/settings/apps/manifest', { name: 'Acme Codex 2' });
    expect(person.text).toContain('Install @acme-codex-2');
    const stored = await world.devVars();
    expect(Object.keys(stored).toSorted()).toEqual([
      'API_TOKEN',
      'GITHUB_APP_ID',
      'GITHUB_APP_PRIVATE_KEY',
      'GITHUB_CLIENT_ID',
      'GITHUB_CLIENT_SECRET',
      'GITHUB_WEBHOOK_SECRET',
      'UNKNOWN',
    ]);
    expect(await world.devVarsMode()).toBe(0o600);
    expect(await world.devVarsText()).toMatch(/^# mine\nUNKNOWN=kept # also\nGITHUB_APP_ID=\d+\n/);
    for (const name of ['GITHUB_APP_PRIVATE_KEY', 'GITHUB_WEBHOOK_SECRET', 'GITHUB_CLIENT_SECRET'])
      expect(person.html).not.toContain(stored[name]?.slice(40, 80) || 'nothing');
  });

  it.each<[what: string, fields: Readonly<Record<string, string>>, words: RegExp]>([
    ['a name that no organization has', { organization: 'acme/shop' }, /is not the name of an organization/],
    ['what is no address', { githubUrl: 'nowhere' }, /not the address of a GitHub\. Enter its address/],
    ['an address at which no GitHub answers', { githubUrl: 'http://127.0.0.1:9' }, /No GitHub answers at/],
  ])('refuses %s', async (_, fields, words) => {
    const { person } = await begin({ environment: { GITHUB_URL: '' } });
    await person.send('/app/create', fields);
    expect(person.status).toBe(422);
    expect(person.text).toMatch(words);
    expect(person.text).toContain('Create your GitHub App');
  });

  it('continues on the page when GitHub is left without an App', async () => {
    const { person, address } = await begin();
    await person.send('/app/create', { organization: 'acme' });
    await person.send('/settings/apps/new');
    await person.open(new URL(address).origin);
    expect(person.text).toContain('Create your GitHub App');
  });

  it('takes an answer of GitHub once, and only one that it waits for', async () => {
    const { person } = await begin();
    const origin = new URL(person.url).origin;
    await person.open(`${origin}/github/created?code=abc&state=guessed`);
    expect(person.text).toMatch(/not one that this set-up waits for.*Create the App again/);
    await person.send('/app/create', { organization: 'acme' });
    const state = /state=([0-9a-f]+)/.exec(person.html)?.[1] ?? '';
    await person.open(`${origin}/github/created?code=unknown&state=${state}`);
    expect(person.text).toMatch(/GitHub does not accept the code: it works once, and for an hour/);
    await createApp(await person.open(origin), 'Acme Codex 3');
    expect(person.text).toContain('Install @acme-codex-3');
    await person.open(`${origin}/github/created?code=abc&state=${state}`);
    expect(person.text).toMatch(/used already\. Nothing is lost/);
  });

  it.each<[what: string, spoil: () => void, words: RegExp]>([
    ['after an hour', () => world.github.ageManifestCodes(61 * 60_000), /does not accept the code/],
    [
      'if the answer gets lost',
      () => world.github.failNext({ method: 'POST', path: /conversions$/, status: 'reset', when: 'after' }),
      /did not hand over the App’s key \(.*\)\. Generate a private key/,
    ],
  ])('names the next step if the key does not arrive, such as %s', async (what, spoil, words) => {
    const { person } = await begin();
    await person.send('/app/create', { organization: 'acme' });
    await person.send('/settings/apps/new');
    const answer = await person.answer('/settings/apps/manifest', { name: `Late ${what.length}` });
    spoil();
    await person.open(answer);
    expect(person.text).toMatch(words);
    expect(Object.keys(await world.devVars())).toEqual(['API_TOKEN']);
  });
});

describe('with an App', () => {
  beforeAll(async () => {
    await world.reset();
    const { person, ...started } = await begin();
    await createApp(person, 'Acme Codex');
    await person.open(`${world.github.url}/apps/acme-codex/installations/new`);
    await person.send('/installations/new');
    installed = definedIn(await world.devVars());
    await started.stop();
    running.length = 0;
  });

  describe('an App that exists', () => {
    it.each<[what: string, fields: Readonly<Record<string, string>>, words: RegExp]>([
      ['a client id', { id: 'Iv1.abc' }, /GITHUB_APP_ID has to be the numeric App ID/],
      [
        'the id of another App',
        { id: '77' },
        /GitHub has no App with the id 77|does not accept the signature/,
      ],
      ['a path in place of the key', { pem: '/home/mona/key.pem' }, /has to be the PEM text itself/],
      ['a short webhook secret', { secret: 'short' }, /is shorter than 16 characters/],
    ])('refuses %s', async (_, fields, words) => {
      const { person } = await begin();
      const right = { id: installed['GITHUB_APP_ID'] ?? '', pem: installed['GITHUB_APP_PRIVATE_KEY'] ?? '' };
      await person.send('/app/use', { ...right, ...fields });
      expect(person.status).toBe(422);
      expect(person.text).toMatch(words);
      expect(Object.keys(await world.devVars())).toEqual(['API_TOKEN']);
    });
  });

  describe('who may look', () => {
    it('opens once by the word, and prints the next address', async () => {
      const { person, address, opened } = await begin();
      expect(person.status).toBe(200);
      expect(person.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'.*form-action 'self' http/,
      );
      expect(opened).toHaveLength(1);
      const other = await new Person().open(address);
      expect([other.status, other.text]).toEqual([403, expect.stringContaining('was used already')]);
      expect((await new Person().open(opened[0] ?? '')).status).toBe(200);
    });

    it.each<[what: string, headers: Readonly<Record<string, string>>, status: number]>([
      ['without the word', { cookie: '' }, 403],
      ['from another site', { origin: 'https://evil.example' }, 403],
      ['without an origin', { origin: '' }, 403],
      ['from a page that hides its origin', { origin: 'null' }, 403],
      ['under another name of the loopback', { host: 'evil.example' }, 421],
    ])('refuses a form %s', async (_, headers, status) => {
      const { person } = await begin();
      expect(await person.forge('/slack/skip', headers)).toBe(status);
      expect(await person.forge('/slack/skip', {})).toBe(303);
    });

    it('takes a free port if its own is in use, and names the remedy for a port that was given', async () => {
      const taken = createServer();
      const port = await listenOnLoopback(taken, 0);
      try {
        await expect(world.start({ port })).rejects.toThrow(/cannot listen on port \d+.*-- --port NUMBER/);
        const [one, other] = [await begin(), await begin()];
        expect(new URL(one.address).port).not.toBe(new URL(other.address).port);
      } finally {
        taken.close();
      }
    });
  });

  describe('the model’s key', () => {
    it('is stored when it works and has the configured model', async () => {
      const { person } = await beginWith(installed);
      expect(person.text).toContain('Enter the key of the model');
      await person.send('/model', { key: ` ${openaiKey}\n` });
      expect(person.text).toContain('Choose repositories');
      expect(await world.devVars()).toMatchObject({ OPENAI_API_KEY: openaiKey });
      expect(person.html).not.toContain(openaiKey);
    });

    it.each<[what: string, fields: Readonly<Record<string, string>>, words: RegExp]>([
      [
        'a key that OpenAI does not know',
        { key: 'sk-another-key' },
        /OpenAI refuses OPENAI_API_KEY\. Create/,
      ],
      [
        'a key from elsewhere',
        { key: 'ghp_abc def' },
        /OPENAI_API_KEY has characters that no such secret has/,
      ],
      [
        'an organization’s name in place of its id',
        { organization: 'acme' },
        /OPENAI_ORGANIZATION has to be/,
      ],
      [
        'a gateway that is not there',
        { baseUrl: 'http://127.0.0.1:9/v1' },
        /precedence over \.dev\.vars|cannot be/,
      ],
    ])('is refused with %s', async (_, fields, words) => {
      const { person } = await beginWith(installed);
      await person.send('/model', { key: openaiKey, ...fields });
      expect(person.status).toBe(422);
      expect(person.text).toMatch(words);
      expect(await world.devVars()).not.toHaveProperty('OPENAI_API_KEY');
    });

    it('is refused without access to the configured model, and a stored one too', async () => {
      await writeFile(world.configPath, '{ "defaults": { "model": "gpt-none" }, "repositories": {} }');
      const { person } = await beginWith(installed);
      await person.send('/model', { key: openaiKey });
      expect(person.text).toMatch(/Not there for this key: gpt-none\. Correct "model"/);
      const later = await beginWith({ ...installed, ...model });
      expect(later.person.text).toMatch(/Not there for this key: gpt-none/);
    });
  });

  describe('repositories', () => {
    it('are written by their exact names, and everything else in the file stays', async () => {
      await writeFile(
        world.configPath,
        '// ours\n{\n  "repositories": {\n    "acme/site": {}, // kept\n  },\n}\n',
      );
      const { person } = await beginWith({ ...installed, ...model });
      // One is allowed already, so that the step is done.
      expect(person.text).toContain('Connect Slack');
      await world.reset();
      const { person: fresh } = await beginWith({ ...installed, ...model });
      expect(fresh.text).toContain('acme/shop');
      await fresh.send('/repositories');
      expect(fresh.text).toContain('No repository was chosen');
      await fresh.send('/repositories', { repository: ['acme/shop', '../etc'] });
      expect(fresh.text).toContain('No repository was chosen');
      await fresh.send('/repositories', { repository: 'acme/shop' });
      expect(JSON.parse(await world.config())).toMatchObject({ repositories: { 'acme/shop': {} } });
      expect(fresh.text).toContain('Connect Slack');
    });

    it('wait for a mistake in the file to be corrected', async () => {
      await writeFile(world.configPath, '{ "repositorys": {} }');
      const { person } = await beginWith({ ...installed, ...model });
      expect(person.text).toMatch(/airlock\.config\.jsonc:1:\d+.*Correct that line/);
    });
  });

  describe('Slack', () => {
    const beginSlack = async () => {
      await writeFile(world.configPath, config());
      return await beginWith({ ...installed, ...model });
    };
    const tokens = () => ({ botToken: world.slack.botToken, second: world.slack.appToken });

    it('is connected with two tokens, and a channel gets its repository by a command', async () => {
      const { person } = await beginSlack();
      const link = /href="([^"]*new_app=1[^"]*)"/.exec(person.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
      const created = await new Person().open(link);
      expect(created.text).toContain('Socket Mode on');
      await person.send('/slack', tokens());
      expect(person.text).toContain('/codex here acme/shop');
      expect(await world.devVars()).toMatchObject({
        SLACK_BOT_TOKEN: world.slack.botToken,
        SLACK_APP_TOKEN: world.slack.appToken,
      });
      for (const text of ['fix it', 'here acme/shop']) {
        const answer = await world.slack.slashCommand({
          user: 'mona',
          channel: 'shop',
          command: '/codex',
          text,
        });
        expect(answer.status).toBe(200);
      }
      await person.open('/');
      expect(person.text).toMatch(/mona asked in #shop \(C\w+\) for acme\/shop/);
      const command = { user: 'mona', channel: 'shop', command: '/codex' };
      await world.slack.slashCommand({ ...command, text: 'here acme/site' });
      await person.send('/slack/channel');
      expect(person.text).toContain('That command is gone');
      await world.slack.slashCommand({ ...command, text: 'here acme/shop' });
      await person.open('/');
      await person.send('/slack/channel');
      const { id } = world.slack.channel('shop');
      expect(JSON.parse(await world.config())).toMatchObject({
        slack: { team: world.slack.teamId, channels: { [id]: 'acme/shop' } },
        repositories: { 'acme/shop': { slack: { channels: [id] } } },
      });
      expect(person.text).toContain('See it work');
    });

    it.each<[what: string, fields: () => Readonly<Record<string, string>>, words: RegExp]>([
      [
        'an app token in place of the bot token',
        () => ({ botToken: 'xapp-1-A1-1-abcdefgh' }),
        /SLACK_BOT_TOKEN has to be a bot token/,
      ],
      [
        'a bot token in place of the app token',
        () => ({ second: world.slack.botToken }),
        /is not an app-level token/,
      ],
      ['a bot token without an app token', () => ({ second: ' ' }), /SLACK_APP_TOKEN is missing/],
      [
        'a bot token that Slack does not know',
        () => ({ botToken: 'xoxb-1-1-abcdefghij' }),
        /does not accept SLACK_BOT_TOKEN: invalid_auth/,
      ],
      [
        'an app token that Slack does not know',
        () => ({ second: 'xapp-1-A1-1-abcdefgh' }),
        /Slack offers no connection: invalid_auth/,
      ],
    ])('refuses %s', async (_, fields, words) => {
      const { person } = await beginSlack();
      await person.send('/slack', { ...tokens(), ...fields() });
      expect(person.status).toBe(422);
      expect(person.text).toMatch(words);
      expect(await world.devVars()).not.toHaveProperty('SLACK_BOT_TOKEN');
      expect(person.html).not.toContain(world.slack.appToken);
    });

    it('refuses a token of another workspace than the configuration serves', async () => {
      await writeFile(world.configPath, config({ slack: { team: 'T0000000001' } }));
      const { person } = await beginWith({ ...installed, ...model });
      await person.send('/slack', tokens());
      expect(person.text).toMatch(/The token is of the workspace T\w+, the configuration serves T0000000001/);
    });
  });

  it('continues where it ended, and says what does not work any more', async () => {
    await writeFile(world.configPath, config());
    const { person, ...started } = await beginWith({ ...installed, ...model });
    await person.send('/slack/skip');
    expect(person.text).toContain('See it work');
    await started.stop();
    expect((await beginWith({ ...installed, ...model })).person.text).toContain('Connect Slack');
    const other = await beginWith({ ...installed, GITHUB_APP_ID: '77' });
    expect(other.person.text).toMatch(/GitHub has no App with the id 77.*Create your GitHub App/);
  });

  it('asks GitHub no more about an App that is installed, so that a page can wait for hours', async () => {
    const { person } = await beginWith(installed);
    const before = world.github.requests().length;
    await person.open('/');
    expect(person.text).toContain('Enter the key of the model');
    expect(world.github.requests().slice(before)).toEqual([]);
  });

  it('leads webhooks to a public address that comes later', async () => {
    const publicUrl = 'https://bot.invalid';
    // Its own setting says so already, and GitHub does not know.
    const { setup } = await beginWith({ ...installed, AIRLOCK_URL: publicUrl }, { publicUrl });
    expect(await setup.movePublicUrl()).toBeNull();
    expect(await world.devVars()).toMatchObject({ AIRLOCK_URL: publicUrl });
    const issue = { owner: 'acme', name: 'shop', author: 'mona', title: 'a', body: 'b' };
    const { delivery } = await world.github.openIssue(issue);
    expect(delivery.attempts[0]?.url).toBe(`${publicUrl}/github/webhooks`);
  });

  it('does not store what the environment would hide', async () => {
    const { person } = await beginWith(installed, { environment: { OPENAI_API_KEY: 'sk-from-the-shell' } });
    await person.send('/model', { key: openaiKey });
    expect(person.text).toMatch(/OPENAI_API_KEY is set in the environment.*unset OPENAI_API_KEY/);
  });

  it('names what keeps the bot from starting', async () => {
    await writeFile(world.configPath, config());
    const { person, proof } = await beginWith({ ...installed, ...model });
    await person.send('/slack/skip');
    await proof.settled();
    await person.open('/');
    expect(person.text).toMatch(/No namespaces\. Allow them\./);
    expect(person.text).toContain('Start the bot');
  });
});
