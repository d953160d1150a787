/** Setup installs from a registry that really checks tokens, and the token is nowhere in the sandbox. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { splitBillPatch } from '../../cli/demo/demo-script.ts';
import { splitBillFiles } from '../../cli/demo/split-bill.ts';
import { applyPatch, finish, shell } from '../../simulators/openai/script.ts';
import {
  api,
  ask,
  startFlow,
  untilCommand,
  untilEnded,
  untilNothingIsLeft,
  type FlowWorld,
} from '../flows/ask.ts';
import { holders, needlesFor, search } from '../flows/find-secrets.ts';
import { startVerdaccio, type Verdaccio } from './verdaccio.ts';

const host = 'npm.acme.example';
const letGo = '/tmp/let-go';
const startedAt = Date.now();
let registry: Verdaccio;
let flow: FlowWorld;

const filesWith = (integrity: string) => {
  const dependencies = { '@acme/cents': '1.0.0' };
  const resolved = `https://${host}/@acme/cents/-/cents-1.0.0.tgz`;
  const named = { name: 'split-bill', type: 'module' };
  return {
    ...splitBillFiles,
    '.gitignore': 'node_modules/\n',
    '.npmrc': `@acme:registry=https://${host}/\n`,
    'package.json': JSON.stringify({ ...named, dependencies }),
    'package-lock.json': JSON.stringify({
      ...named,
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: named.name, dependencies },
        'node_modules/@acme/cents': { version: '1.0.0', resolved, integrity },
      },
    }),
    'test/cents.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cents } from '@acme/cents';
test('cents', () => assert.equal(cents(1.1), 110));
`,
  };
};

beforeAll(async () => {
  registry = await startVerdaccio(`https://${host}/`);
  const again = 'npm view @acme/cents version > /dev/null 2>&1';
  flow = await startFlow({
    files: filesWith(registry.integrity),
    standIns: { [host]: registry.origin },
    registrySecrets: { NPM_TOKEN: registry.token },
    configText: JSON.stringify({
      repositories: {
        'acme/split-bill': {
          setup: { run: 'npm ci --no-audit', registries: [{ host, scheme: 'bearer', secret: 'NPM_TOKEN' }] },
        },
      },
    }),
    script: [
      shell(`${again}; until [ -e ${letGo} ]; do sleep 0.1; done; node --test`),
      applyPatch(splitBillPatch),
      shell('node --test'),
      finish({ title: 'Hand out every cent', summary: 'Counts in whole cents.' }),
    ],
  });
});
afterAll(async () => {
  await flow.close();
  await registry.close();
});

it('refuses who has no token', async () => {
  expect((await fetch(`${registry.origin}/@acme/cents/-/cents-1.0.0.tgz`)).status).toBe(401);
});

it('serves setup, and its token is nowhere in the sandbox, the record, the log or the state', async () => {
  const { taskId } = await ask(flow.world, '@airlock fix the rounding');
  await untilCommand(flow.world, taskId, letGo);
  const [sandboxId = ''] = flow.world.bot.sandboxes();
  const sandbox = flow.world.bot.sandboxOf(sandboxId);
  const installed = await sandbox.readFile('/workspace/repo/node_modules/@acme/cents/index.js', {
    offset: 0,
    maxBytes: 100,
  });
  expect(new TextDecoder().decode(installed?.bytes)).toContain('export const cents');

  const needles = needlesFor(new Map([['NPM_TOKEN', registry.token]]));
  const { found, files } = await search(sandbox, needles, startedAt);
  expect([found, files > 30]).toEqual([[], true]);

  await sandbox.writeFile(letGo, '');
  const view = await untilEnded(flow.world, taskId);
  expect(view.outcome).toMatchObject({ kind: 'pull-request' });
  expect(view.setup).toMatchObject({ status: 'ok', exitCode: 0 });
  expect(view.receipt.hosts.find((row) => row.host === host)?.requests).toBeGreaterThan(0);
  // Closed after setup.
  expect(view.receipt.denied).toContainEqual(expect.objectContaining({ host, rule: 'registry.closed' }));
  await untilNothingIsLeft(flow);
  const parts = ['', '/events', '/change'].map(
    async (part) => await (await api(flow.world, `/api/tasks/${taskId}${part}`)).text(),
  );
  const written = [...(await Promise.all(parts)), ...flow.logText].join('\n');
  expect(needles.filter(({ text }) => written.includes(text)).map(({ name }) => name)).toEqual([]);
  // What setup installed is kept in the cache below.
  expect(await holders(join(flow.stateDir, 'bot'), needles)).toEqual([]);
});
