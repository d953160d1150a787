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
  ['PKCS#1, as GitHub hands it out', pkcs1],
  ['PKCS#8', rsa.export({ type: 'pkcs8', format: 'pem' })],
  ['one line with \\n written out', pkcs1.replaceAll('\n', '\\n')],
])('takes a private key as %s, and listens on the loopback by default', async (_, key) => {
  expect(await readEnvironment({ ...good, GITHUB_APP_PRIVATE_KEY: key })).toMatchObject({
    hostname: '127.0.0.1',
    port: 8787,
    configPath: config,
    stateDir: folder,
  });
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
  ['a key of another kind', { GITHUB_APP_PRIVATE_KEY: elliptic }, /not an RSA key/],
  ['a port that is none', { PORT: '80000' }, /^PORT has to be a number/],
  ['a configuration that is not there', { AIRLOCK_CONFIG: join(folder, 'x') }, /cannot be read \(ENOENT\)/],
])('stops at %s with one line that names it', async (_, changes, message) => {
  const problem: unknown = await readEnvironment({ ...good, ...changes }).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(StartProblem);
  expect(problem).toHaveProperty('message', expect.stringMatching(message));
  expect(problem).toHaveProperty('message', expect.not.stringContaining('\n'));
});
