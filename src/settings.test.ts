import { describe, expect, it } from 'vitest';
import { parseSettings, settingNames } from './settings.ts';

const pem = '-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----';
const good = {
  GITHUB_APP_ID: '4711',
  GITHUB_APP_PRIVATE_KEY: pem,
  GITHUB_WEBHOOK_SECRET: 'a-secret-of-16-chars',
  OPENAI_API_KEY: 'sk-test',
};
const slack = {
  SLACK_SIGNING_SECRET: '0123456789abcdef0123456789abcdef',
  SLACK_BOT_TOKEN: ['xoxb', '1', '2', 'abcdefgh'].join('-'),
};
const parse = (changes: Record<string, unknown> = {}) => parseSettings({ ...good, ...changes });

describe('parseSettings', () => {
  it('needs four values and knows the public upstreams', () => {
    expect(parse()).toEqual({
      ok: true,
      settings: {
        githubAppId: 4711,
        githubAppPrivateKey: pem,
        githubWebhookSecret: 'a-secret-of-16-chars',
        openaiApiKey: 'sk-test',
        openaiAccount: {},
        githubUrl: 'https://github.com',
        githubApiUrl: 'https://api.github.com',
        githubDeliveries: 'auto',
        openaiBaseUrl: 'https://api.openai.com/v1',
        apiToken: null,
        url: null,
        signIn: null,
        slack: null,
      },
    });
  });

  it('reads which organization and project OpenAI charges', () => {
    expect(parse({ OPENAI_ORGANIZATION: 'org-a1', OPENAI_PROJECT: 'proj_b2' })).toMatchObject({
      settings: { openaiAccount: { openaiOrganization: 'org-a1', openaiProject: 'proj_b2' } },
    });
    expect(parse({ OPENAI_PROJECT: 'proj_b2' })).toMatchObject({
      settings: { openaiAccount: { openaiProject: 'proj_b2' } },
    });
  });

  it.each([
    ['OPENAI_ORGANIZATION', 'Acme Inc.'],
    ['OPENAI_ORGANIZATION', 'org-'],
    ['OPENAI_ORGANIZATION', 'org-a b'],
    ['OPENAI_ORGANIZATION', 'org-a\r\nx-evil: 1'],
    ['OPENAI_ORGANIZATION', `org-${'a'.repeat(101)}`],
    ['OPENAI_PROJECT', 'org-a1'],
    ['OPENAI_PROJECT', 'proj_ä'],
    ['OPENAI_PROJECT', 'proj_a\n'],
  ])('refuses %s=%j', (name, value) => {
    const result = parse({ [name]: value });
    expect(result.ok ? '' : result.problem).toMatch(new RegExp(`^${name} has to be the id`));
  });

  it.each([
    [undefined, 'https://slack.com/api/'],
    ['https://slack.com/api/', 'https://slack.com/api/'],
    ['http://127.0.0.1:4000/api', 'http://127.0.0.1:4000/api/'],
  ])('turns Slack on with both of its secrets; the address %j becomes %s', (SLACK_API_URL, apiUrl) => {
    expect(parse({ ...slack, SLACK_API_URL })).toMatchObject({
      ok: true,
      settings: {
        slack: { signingSecret: slack.SLACK_SIGNING_SECRET, botToken: slack.SLACK_BOT_TOKEN, apiUrl },
      },
    });
  });

  it.each([
    ['SLACK_SIGNING_SECRET', { SLACK_BOT_TOKEN: slack.SLACK_BOT_TOKEN }],
    ['SLACK_BOT_TOKEN', { SLACK_SIGNING_SECRET: slack.SLACK_SIGNING_SECRET }],
  ])('names %s when only that is missing', (name, changes) => {
    const result = parse(changes);
    expect(result.ok ? '' : result.problem).toMatch(new RegExp(`^${name} is missing: [^\\n]+$`));
  });

  it('leaves Slack off when only its address is set', () => {
    expect(parse({ SLACK_API_URL: 'http://127.0.0.1:4000/api/' })).toMatchObject({
      settings: { slack: null },
    });
  });

  it.each([
    ['GITHUB_APP_ID', undefined],
    ['GITHUB_APP_ID', '  '],
    ['GITHUB_APP_ID', 'Iv1.abc'],
    ['GITHUB_APP_PRIVATE_KEY', undefined],
    ['GITHUB_APP_PRIVATE_KEY', '/path/to/key.pem'],
    ['GITHUB_APP_PRIVATE_KEY', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['GITHUB_WEBHOOK_SECRET', undefined],
    ['GITHUB_WEBHOOK_SECRET', 'hunter2'],
    ['OPENAI_API_KEY', undefined],
    ['OPENAI_API_KEY', ''],
    ['GITHUB_URL', 'github.example.com'],
    ['GITHUB_URL', 'ssh://github.example.com'],
    ['GITHUB_API_URL', 'nonsense'],
    ['OPENAI_BASE_URL', 'file:///etc/passwd'],
    ['API_TOKEN', 'hunter2'],
    ['SLACK_SIGNING_SECRET', 'hunter2'],
    ['SLACK_BOT_TOKEN', 'hunter2'],
    ['SLACK_BOT_TOKEN', ['xapp', '1', 'A0', 'abcdefgh'].join('-')],
    ['SLACK_API_URL', 'slack.com/api'],
    ['AIRLOCK_URL', 'http://airlock.example'],
    ['AIRLOCK_URL', 'http://127.0.0.1.evil.example'],
    ['GITHUB_CLIENT_SECRET', undefined],
    ['GITHUB_CLIENT_ID', 'a b'],
  ])('names %s in one line when it is %j, and never repeats the value', (name, value) => {
    const signIn = name.startsWith('GITHUB_CLIENT_')
      ? { GITHUB_CLIENT_ID: 'Iv23lA', GITHUB_CLIENT_SECRET: 's'.repeat(40) }
      : {};
    const result = parse({ ...(name.startsWith('SLACK_') ? slack : signIn), [name]: value });
    const problem = result.ok ? '' : result.problem;
    expect(problem).toMatch(new RegExp(`^${name} [^\\n]+$`));
    const secret = typeof value === 'string' && value.length > 2 ? value : 'nothing to repeat';
    expect(problem).not.toContain(secret);
  });

  it('names every setting that is missing or wrong, in a line each', () => {
    const wrong = { GITHUB_APP_ID: 'x', OPENAI_API_KEY: '', SLACK_SIGNING_SECRET: 'hunter2' };
    const result = parse(wrong);
    expect((result.ok ? '' : result.problem).split('\n').map((line) => line.split(' ')[0])).toEqual([
      'GITHUB_APP_ID',
      'OPENAI_API_KEY',
      'SLACK_SIGNING_SECRET',
      'SLACK_BOT_TOKEN',
    ]);
  });

  it.each([
    [{ GITHUB_URL: 'https://ghe.example/' }, 'https://ghe.example', 'https://ghe.example/api/v3'],
    [
      { GITHUB_URL: 'https://ghe.example', GITHUB_API_URL: 'https://api.ghe.example' },
      'https://ghe.example',
      'https://api.ghe.example',
    ],
    [{ GITHUB_URL: 'https://github.com/' }, 'https://github.com', 'https://api.github.com'],
    [{ GITHUB_URL: 'https://www.github.com' }, 'https://www.github.com', 'https://api.github.com'],
    [{ GITHUB_URL: 'https://acme.ghe.com/' }, 'https://acme.ghe.com', 'https://api.acme.ghe.com'],
    [{ GITHUB_URL: 'https://Acme.GHE.com' }, 'https://Acme.GHE.com', 'https://api.acme.ghe.com'],
    [{ GITHUB_URL: 'https://notghe.com' }, 'https://notghe.com', 'https://notghe.com/api/v3'],
    [{ GITHUB_URL: 'https://ghe.com.example' }, 'https://ghe.com.example', 'https://ghe.com.example/api/v3'],
    [{ GITHUB_URL: 'http://127.0.0.1:8080' }, 'http://127.0.0.1:8080', 'http://127.0.0.1:8080/api/v3'],
    [{ GITHUB_API_URL: 'https://proxy.example' }, 'https://github.com', 'https://proxy.example'],
  ])('reads %j as web base %s and API %s', (changes, githubUrl, githubApiUrl) => {
    expect(parse(changes)).toMatchObject({ ok: true, settings: { githubUrl, githubApiUrl } });
  });

  it('lists every name that it reads', () => {
    expect(settingNames).toEqual(
      expect.arrayContaining([...Object.keys(good), ...Object.keys(slack), 'API_TOKEN', 'SLACK_API_URL']),
    );
  });
});
