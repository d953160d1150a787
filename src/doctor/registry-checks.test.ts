import { expect, it } from 'vitest';
import { loadConfig } from '../config/load-config.ts';
import { runChecks } from './check.ts';
import { registryChecks } from './registry-checks.ts';

const secret = 'npm_secret_of_acme';
type Answer = number | 'gone';
interface Registry {
  /** The root with the credential, without it, and `/-/whoami` with it. */
  readonly mine: Answer;
  readonly stranger?: Answer;
  readonly whoami?: Answer;
}

async function check({ mine, stranger = 200, whoami = 404 }: Registry, value: string | undefined = secret) {
  const read = loadConfig(
    JSON.stringify({
      repositories: {
        'acme/shop': {
          setup: {
            run: 'x',
            registries: [
              { host: 'npm.acme.example', scheme: 'bearer', secret: 'NPM_TOKEN', pathPrefix: '/p' },
            ],
          },
        },
        'acme/*': {
          setup: {
            run: 'y',
            registries: [
              { host: 'npm.acme.example', scheme: 'bearer', secret: 'NPM_TOKEN', pathPrefix: '/p' },
            ],
          },
        },
      },
    }),
    'c.jsonc',
  );
  if (!read.ok) throw new Error('the configuration is not valid');
  const asked: string[] = [];
  const checks = registryChecks({
    environment: { NPM_TOKEN: value },
    config: read.config,
    asApp: async () => null,
    appId: 1,
    privateKey: '',
    apiUrl: '',
    timeoutMs: 1000,
    now: () => 0,
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : input.toString();
      const authorization = new Headers(init?.headers).get('authorization');
      asked.push(`${url} ${authorization ?? 'nothing'}`);
      const answer = url.endsWith('/-/whoami') ? whoami : authorization === null ? stranger : mine;
      if (answer === 'gone') throw new Error('ECONNREFUSED');
      return new Response(`you sent ${authorization}`, { status: answer });
    },
  });
  const findings = await runChecks(checks, { deadlineMs: 1000, secrets: [] });
  expect(JSON.stringify(findings)).not.toContain(secret);
  return { findings, asked };
}

it.each<[string, Registry, string, string]>([
  ['asks strangers for a credential', { mine: 200, stranger: 401 }, 'ok', 'accepts NPM_TOKEN'],
  ['has no page there, but for strangers a refusal', { mine: 404, stranger: 403 }, 'ok', 'accepts NPM_TOKEN'],
  ['shows everybody its root, and knows who asks', { mine: 200, whoami: 200 }, 'ok', 'accepts NPM_TOKEN'],
  [
    'shows everybody its root, and does not know who asks',
    { mine: 200, whoami: 401 },
    'fail',
    'npm.acme.example refuses NPM_TOKEN',
  ],
  ['refuses the credential', { mine: 401, stranger: 401 }, 'fail', 'npm.acme.example refuses NPM_TOKEN'],
  [
    'lists nothing for anybody',
    { mine: 403, stranger: 403 },
    'warn',
    'answers with 403; it does not say whether it accepts NPM_TOKEN',
  ],
  ['asks nobody', { mine: 200 }, 'warn', 'answers with 200; it does not say whether it accepts NPM_TOKEN'],
  ['is broken', { mine: 503 }, 'fail', 'npm.acme.example answered 503'],
  ['is gone', { mine: 'gone' }, 'fail', 'npm.acme.example cannot be reached: ECONNREFUSED'],
])('a registry that %s', async (_, registry, status, found) => {
  const { findings, asked } = await check(registry);
  expect(findings).toMatchObject([{ id: 'registry.npm.acme.example/p', status, found }]);
  expect(asked[0]).toBe(`https://npm.acme.example/p/ Bearer ${secret}`);
});

it.each([
  ['missing', undefined, 'NPM_TOKEN is missing: the credential of npm.acme.example'],
  [
    'malformed',
    'secret\nsecret',
    'NPM_TOKEN has characters that no header carries, or a space or line break at an end',
  ],
])('a secret that is %s is named and not sent', async (_, value, found) => {
  const { findings, asked } = await check({ mine: 200 }, value ?? '');
  expect(findings).toMatchObject([
    {
      status: 'fail',
      found,
      todo: 'Set it in .dev.vars or the environment; on Cloudflare: npx wrangler secret put NPM_TOKEN',
    },
  ]);
  expect(asked).toEqual([]);
});
