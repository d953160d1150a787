import { expect, it } from 'vitest';
import { misspeltSettings } from './misspelt-settings.ts';

it.each<[name: string, meant: string]>([
  ['GITHUB_APPID', 'GITHUB_APP_ID'],
  ['GITHUB_APP_PRIVATEKEY', 'GITHUB_APP_PRIVATE_KEY'],
  ['GITHUB_PRIVATE_KEY', 'GITHUB_APP_PRIVATE_KEY'],
  ['GITHUB_SECRET', 'GITHUB_WEBHOOK_SECRET'],
  ['OPENAI_KEY', 'OPENAI_API_KEY'],
  ['openai_api_key', 'OPENAI_API_KEY'],
  ['API_TOKN', 'API_TOKEN'],
  ['SLACK_BOTTOKEN', 'SLACK_BOT_TOKEN'],
  ['AIRLOCK_CONFIGS', 'AIRLOCK_CONFIG'],
])('finds %s in .dev.vars, for %s', (name, meant) => {
  expect(misspeltSettings({ [name]: 'x' }, {})).toEqual([
    `.dev.vars: ${name} is not a setting; did you mean ${meant}?`,
  ]);
});

it.each([
  [{ OPENAI_KEY: 'x', OPENAI_API_KEY: 'y' }, {}],
  [{ OPENAI_KEY: 'x' }, { OPENAI_API_KEY: 'y' }],
  [{ CLOUDFLARE_API_TOKEN: 'x', DEBUG: '1', NODE_ENV: 'x', GITHUB_TOKEN: 'x' }, {}],
  [{}, { PATH: 'x', POST: 'x', TERM: 'x', GITHUB_ENV: 'x', GITHUB_TOKEN: 'x', OPENAI_API_BASE: 'x' }],
  [{}, { GITHUB_PRIVATE_KEY: 'x' }],
])('lets %j in .dev.vars and %j in the environment be', (devVars, environment) => {
  expect(misspeltSettings(devVars, environment)).toEqual([]);
});

it('lets the secrets be that the configuration names', () => {
  expect(misspeltSettings({ OPENAI_KEY: 'x' }, {}, ['OPENAI_KEY'])).toEqual([]);
});

it('finds a name in the environment only if two letters differ at most', () => {
  expect(misspeltSettings({}, { OPENAI_APIKEY: 'x' })).toEqual([
    'OPENAI_APIKEY is not a setting; did you mean OPENAI_API_KEY?',
  ]);
});
