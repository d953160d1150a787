/** Wires the HTTP routes: GitHub's webhooks, Slack's requests, the API. */
import type { Hono } from 'hono';
import { repositoryByAlias } from '../config/resolve-repository.ts';
import type { Approval } from '../core/authorization.ts';
import type { RepositoryRef } from '../core/task.ts';
import { createCodeHost } from '../github/code-host.ts';
import { githubWebhooks } from '../github/webhooks.ts';
import { createBodyRoom } from '../lib/body-room.ts';
import { slackRoutes } from '../slack/routes.ts';
import { airlockVersion } from '../version.ts';
import { claimRepetition } from '../tasks/run-again.ts';
import { createApp } from '../web/app.ts';
import { baseOf } from './base.ts';
import type { Env } from './env.ts';
import { accept, retryPublication, start } from './instances.ts';
import { count, countedTotals, gauges } from './metrics.ts';
import { ask, ledgerOf, listLedger, recordOf, slotsObjectOf } from './objects.ts';
import { composePages } from './pages.ts';
import { platformOf } from './platform.ts';
import { composeReceipts } from './receipts.ts';
import { log, now, platformFetch } from './runtime.ts';

/** Bytes of bodies that wait for their signature's check, in this isolate: eight of the largest. */
const unverifiedBytes = 16 * 1024 * 1024;

/** Built once per isolate; it keeps nothing of a request. */
let app: Hono | null = null;

export function composeApp(env: Env): Hono {
  app ??= createRoutes(env);
  return app;
}

function createRoutes(env: Env): Hono {
  const { settings, config, policy, mention, chat, index } = baseOf(env);
  const room = createBodyRoom(unverifiedBytes);
  const shared = {
    task: (taskId: string) => recordOf(env, taskId),
    retryPublication: async (taskId: string, approval: Approval | null) =>
      await retryPublication(env, taskId, approval),
    repositoryByAlias: (alias: string) => repositoryByAlias(config, alias),
    now: () => new Date(),
  };
  return createApp({
    metrics: {
      apiToken: settings.apiToken,
      counted: async () => await countedTotals(env),
      gauges: async () => await gauges(env),
    },
    refused: (door, status) => count(env, 'airlock_refused_requests_total', { door, status: String(status) }),
    version: airlockVersion,
    botId: platformOf(env).botId,
    health: async () => await platformOf(env).health(),
    log,
    githubWebhooks: githubWebhooks({
      secret: settings.githubWebhookSecret,
      room,
      mention,
      startTask: async (request) => await accept(env, request),
      onReceiptEvent: composeReceipts(env),
      onPullEnd: async (end) => await ledgerOf(env).pullEnded(end),
      now: () => new Date(),
      log,
    }),
    slack:
      settings.slack === null || chat === null
        ? null
        : slackRoutes({
            ...settings.slack,
            ...shared,
            room,
            policy,
            startTask: async (request) => await accept(env, request),
            claimRepetition: async (taskId) => await claimRepetition(taskId, (other) => recordOf(env, other)),
            index,
            chat,
            installedRepositories: async () => await installedRepositories(env),
            fetch: platformFetch,
            log,
          }),
    asset: async (request) => (await env.ASSETS?.fetch(request)) ?? new Response(null, { status: 404 }),
    pages: async () => await composePages(env),
    api: {
      ...shared,
      apiToken: settings.apiToken,
      readToken: platformOf(env).readToken,
      start: async (request) => {
        const started = await start(env, request);
        if (started === 'exists') count(env, 'airlock_duplicates_total', { source: 'api' });
        return started;
      },
      ledger: async (query) => await listLedger(env, query),
      recent: async (limit) => await ask('listing tasks', async () => await slotsObjectOf(env).recent(limit)),
    },
  });
}

/** Cached for a minute: the value, not the promise, because in workerd no request may await another's I/O. */
let installed: { readonly at: number; readonly repositories: readonly RepositoryRef[] } | null = null;
const installedMs = 60_000;

async function installedRepositories(env: Env): Promise<readonly RepositoryRef[]> {
  if (installed !== null && now() - installed.at < installedMs) return installed.repositories;
  const repositories = await createCodeHost(baseOf(env).github).installedRepositories();
  installed = { at: now(), repositories };
  return repositories;
}
