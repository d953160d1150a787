/** Runs `cli/open.ts` against a server that answers as a bot of this machine. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { listen } from '../sandbox/local-subject.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const settings = {
  GITHUB_APP_ID: '1',
  GITHUB_APP_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  GITHUB_WEBHOOK_SECRET: 'a-secret-of-the-app',
  OPENAI_API_KEY: 'sk-not-a-real-key',
};
const server = await listen((_, response) =>
  response.end(JSON.stringify({ status: 'ready', bot: 'start-1' })),
);
afterAll(() => server.close());

async function open(...argv: readonly string[]): Promise<string> {
  const program = join(import.meta.dirname, '..', '..', 'cli', 'open.ts');
  const env = { ...process.env, ...settings };
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--url', server.origin, ...argv], {
    env,
  });
  return stdout.trim();
}

it('prints a link to the list of tasks', async () => {
  expect(new URL(await open()).searchParams.get('to')).toBe('/tasks');
});

it('prints a link to one task', async () => {
  expect(new URL(await open('gh-1-c2')).searchParams.get('to')).toBe('/t/gh-1-c2');
});

it.each([[['Shop#7']], [['gh-1-c2', 'gh-1-c3']]])('refuses %j with status 2', async (argv) => {
  await expect(open(...argv)).rejects.toMatchObject({ code: 2 });
});
