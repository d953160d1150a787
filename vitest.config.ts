import { builtinModules } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongFirst } from './test/run/long-first.ts';

/** As in `wrangler.jsonc`, which the pool does not take them from. */
const unavailable = fileURLToPath(new URL('./src/slack/stubs/unavailable.cjs', import.meta.url));
/** So that the record's class runs in Node too. */
const durableObject = fileURLToPath(new URL('./test/memory/durable-object.ts', import.meta.url));
const notInTheWorker = ['express', 'raw-body', '@slack/socket-mode', '@slack/oauth'];

/** Nothing that a test replaces outlives it: the files of a worker share their globals. */
const restored = { restoreMocks: true, unstubEnvs: true, unstubGlobals: true };
/** Many times what an idle machine takes: a deadline only ends a test that hangs. */
const patient = {
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 150_000, interval: 20 } },
};
/**
 * Without V8's last stage of optimization, tests that serve and start processes take an eighth less processor
 * time, and those that compute the same. In flows it makes no difference.
 */
const withoutTurbofan = ['--no-opt'];
const endWithRun = 'test/run/end-with-run.ts';
/** Of projects whose tests start bots. */
const withBots = {
  pool: 'forks' as const,
  isolate: false,
  globalSetup: [endWithRun, 'test/run/build-worker.ts'],
  ...restored,
  ...patient,
  testTimeout: 600_000,
  hookTimeout: 600_000,
};
// Programs that tests start load their modules several times as fast from V8's cache.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('./node_modules/.cache/node', import.meta.url));

export default defineConfig({
  test: {
    // Tests wait for processes more than they compute. `npm test` runs a project on each processor.
    maxWorkers: 1 + availableParallelism(),
    sequence: { sequencer: LongFirst },
    projects: [
      {
        resolve: { alias: { 'cloudflare:workers': durableObject } },
        test: {
          // Pure functions: threads that share one registry of modules. A file that starts a process or a
          // server belongs to `processes`.
          name: 'unit',
          include: [
            '{src,cli,simulators,probes,chaos,container,scripts}/**/*.test.ts',
            '{host,test}/*.test.ts',
          ],
          pool: 'threads',
          isolate: false,
          ...restored,
          ...patient,
        },
      },
      {
        test: {
          // What starts processes, servers or sandboxes. Files run one after the other in two processes,
          // which keep their modules.
          name: 'processes',
          include: ['host/sandbox/**/*.test.ts', 'test/*/**/*.test.ts'],
          exclude: ['test/{browser,flows,registry,workerd}/**'],
          pool: 'forks',
          isolate: false,
          execArgv: withoutTurbofan,
          globalSetup: [endWithRun],
          ...restored,
          ...patient,
        },
      },
      ...(isChosen('workerd') ? [await workerdProject()] : []),
      {
        test: {
          name: 'flows',
          include: ['test/flows/**/*.test.ts'],
          ...withBots,
        },
      },
      {
        test: {
          // A registry that really checks tokens. Not part of `npm test`: `npm test -- registry` runs it.
          name: 'registry',
          include: ['test/registry/*.test.ts'],
          ...withBots,
        },
      },
      {
        test: {
          // Pages in a real Chromium. Not part of `npm test`: `npm test -- browser` runs them.
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          ...withBots,
        },
      },
    ],
  },
});

/** False if the command line names other projects only. */
function isChosen(project: string): boolean {
  const names = process.argv.flatMap((argument, index, all) =>
    argument === '--project' ? (all[index + 1] ?? []) : (/^--project=(.*)$/.exec(argument)?.[1] ?? []),
  );
  return names.length === 0 || names.some((name) => name === project || /\W/.test(name));
}

/** Its plugin loads Miniflare, half of the start of a run. */
async function workerdProject(): Promise<TestProjectInlineConfiguration> {
  const [{ cloudflareTest }, { scriptedSandboxHost }] = await Promise.all([
    import('@cloudflare/vitest-plugin'),
    import('./test/workerd-host/sandbox-host.ts'),
  ]);
  return {
    plugins: [
      cloudflareTest(({ inject }) => {
        const github = inject('github');
        const sandboxHost = scriptedSandboxHost();
        return {
          wrangler: { configPath: './wrangler.jsonc' },
          miniflare: {
            bindings: {
              GITHUB_APP_ID: github.appId,
              GITHUB_APP_PRIVATE_KEY: github.pkcs1,
              GITHUB_WEBHOOK_SECRET: github.webhookSecret,
              GITHUB_API_URL: github.apiUrl,
              OPENAI_API_KEY: 'sk-never-used',
              API_TOKEN: 'a-token-of-the-tests',
              SANDBOX_GATEWAY_TOKEN: 'the-gateway-of-the-tests',
            },
            serviceBindings: { SANDBOX_HOST: sandboxHost },
            r2Buckets: ['SETUP_CACHE'],
          },
        };
      }),
    ],
    resolve: { alias: Object.fromEntries(notInTheWorker.map((name) => [name, unavailable])) },
    test: {
      name: 'workerd',
      deps: {
        optimizer: {
          ssr: {
            // CommonJS, which the pool does not load as it is.
            enabled: true,
            include: ['@slack/bolt', '@slack/web-api'],
            rolldownOptions: { platform: 'node', external: [...builtinModules, /^node:/] },
          },
        },
      },
      include: ['test/workerd/**/*.test.ts'],
      isolate: false,
      globalSetup: [endWithRun, 'test/workerd-host/github.ts'],
      setupFiles: ['test/workerd/only-simulated-github.ts'],
      ...patient,
    },
  };
}
