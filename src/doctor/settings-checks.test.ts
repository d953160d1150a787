import { expect, it } from 'vitest';
import { readSettings } from './settings-checks.ts';

it.each<[what: string, Record<string, string>, broken: readonly string[]]>([
  ['nothing', {}, ['GITHUB_APP_ID', 'GITHUB_APP_PRIVATE_KEY', 'GITHUB_WEBHOOK_SECRET', 'OPENAI_API_KEY']],
  [
    'a path for the key, and half of Slack',
    {
      GITHUB_APP_ID: '1',
      GITHUB_APP_PRIVATE_KEY: '/etc/key.pem',
      GITHUB_WEBHOOK_SECRET: 'a-secret-of-16-chars',
      OPENAI_API_KEY: 'sk-1',
      SLACK_BOT_TOKEN: 'hunter2',
    },
    ['GITHUB_APP_PRIVATE_KEY', 'SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET'],
  ],
])('reads %s, and puts a stand-in where a setting is broken', (_, environment, broken) => {
  const read = readSettings(environment);
  expect([...read.broken.keys()]).toEqual(broken);
  expect(read.settings.githubAppId).toBe(1);
});
