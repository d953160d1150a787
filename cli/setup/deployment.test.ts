import { expect, it, vi } from 'vitest';
import type { RunProgram } from '../deploy/run-program.ts';
import { handToWrangler, secretsIn } from './deployment.ts';

it('hands over the settings of the Worker, and none of this machine', () => {
  const text = '# mine\nOPENAI_API_KEY=sk-x\nSLACK_APP_TOKEN=xapp-1\nPORT=9\nAPI_TOKEN=\nOTHER=1\n';
  expect(secretsIn(text)).toEqual({ OPENAI_API_KEY: 'sk-x' });
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
