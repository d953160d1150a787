import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { scriptedSandboxHost } from './test/workerd-host/sandbox-host.ts';

/** As in `wrangler.jsonc`, which the pool does not take them from. */
const unavailable = fileURLToPath(new URL('./src/slack/stubs/unavailable.cjs', import.meta.url));
const notInTheWorker = ['express', 'raw-body', '@slack/socket-mode', '@slack/oauth'];

export default defineConfig({
  test: {
    // The default leaves one processor idle: half of a small machine.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,host,cli,simulators,probes,container,scripts}/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/{flows,workerd}/**'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
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
          globalSetup: ['test/workerd-host/github.ts'],
          setupFiles: ['test/workerd/only-simulated-github.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'flows',
          include: ['test/flows/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
