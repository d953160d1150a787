import { expect, it, vi } from 'vitest';
import type { RunProgram } from '../deploy/run-program.ts';
import { afterwards, handToWrangler, secretsIn } from './deployment.ts';

it.each<[string, Record<string, string>, string[]]>([
  ['what is of this machine', { PORT: '9', SLACK_APP_TOKEN: 'xapp-1', OTHER: '1' }, []],
  ['half of Slack', { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' }, []],
  ['its address', { AIRLOCK_URL: 'http://127.0.0.1:8787' }, []],
  [
    'nothing of Slack',
    { SLACK_BOT_TOKEN: 'x', SLACK_SIGNING_SECRET: 'y' },
    ['SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET'],
  ],
  ['no public address', { AIRLOCK_URL: 'https://bot.example' }, ['AIRLOCK_URL']],
])('hands over the settings of the Worker, and leaves out %s', (_, settings, names) => {
  expect(Object.keys(secretsIn({ OPENAI_API_KEY: 'sk-x', ...settings }))).toEqual([
    'OPENAI_API_KEY',
    ...names,
  ]);
});

it.each([
  [null, /^npm run deploy -- --env staging\nnpm run setup -- --cloudflare --env staging --url /],
  ['https://bot.example', /^npm run deploy -- --env staging\nhttps:\/\/bot\.example\/auth\/callback$/],
])('names what is left for a person with the address %s', (publicUrl, expected) => {
  const left = afterwards('staging', publicUrl);
  expect(left.map(({ what }) => what).join('\n')).toMatch(expected);
});

it('writes secrets to the standard input of wrangler, never to its arguments', async () => {
  const run = vi.fn<RunProgram>(async () => await Promise.resolve({ code: 0, stdout: '', output: '' }));
  expect(await handToWrangler({ OPENAI_API_KEY: 'sk-x' }, 'staging', run)).toBeNull();
  expect(run.mock.calls).toEqual([
    [['wrangler', 'secret', 'bulk', '--env', 'staging'], { input: '{"OPENAI_API_KEY":"sk-x"}' }],
  ]);
});

it.each([
  ['You are not authenticated. Run `wrangler login`', /^Not logged in to Cloudflare/],
  ['✘ [ERROR] something else', /^wrangler did not take the secrets: .*something else/],
])('says what to do when wrangler answers %j', async (output, words) => {
  const run: RunProgram = async () => await Promise.resolve({ code: 1, stdout: '', output });
  expect(await handToWrangler({}, 'staging', run)).toEqual({
    problem: expect.stringMatching(words),
    remedy: expect.stringMatching(/npm run setup -- --cloudflare/),
  });
});
