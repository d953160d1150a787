/**
 * Wires ports to adapters. The only file that knows both the environment and every folder.
 */
import bundledConfig from '../../airlock.config.jsonc';
import type { Hono } from 'hono';
import { createApp } from '../web/app.ts';
import { createCodex } from '../codex/codex.ts';
import { formatProblem, loadConfig } from '../config/load-config.ts';
import {
  hasPatterns,
  namedRepositories,
  priceOf,
  repositoryByAlias,
  resolveRepository,
  slackPolicyOf,
} from '../config/resolve-repository.ts';
import type { AirlockConfig } from '../config/schema.ts';
import { costUsd } from '../core/cost.ts';
import type { Approval } from '../core/authorization.ts';
import type { Policy } from '../core/policy.ts';
import type { Chat, TaskIndex } from '../core/ports/chat-port.ts';
import type { RepositoryRef, TaskRequest } from '../core/task.ts';
import type { EgressDeps } from '../egress/handler.ts';
import { addToReceipt } from '../egress/receipt.ts';
import {
  insideOpenaiBaseUrl,
  recordOf,
  sandboxesOf,
  sendToInstance,
  setupCacheOf,
  slotsOf,
  type Env,
} from './env.ts';
import { createAppTokens, type AppTokens } from '../github/app-auth.ts';
import { createCodeHost } from '../github/code-host.ts';
import { progressComment } from '../github/comments.ts';
import { githubWebhooks } from '../github/webhooks.ts';
import { log, now, platformFetch } from './runtime.ts';
import { createPublication } from '../publish/publisher.ts';
import { parseSettings, type Settings } from '../settings.ts';
import { createChat } from '../slack/chat.ts';
import { slackRoutes } from '../slack/routes.ts';
import { createNotifier } from '../tasks/record/notifier.ts';
import type { RecordDeps } from '../tasks/record/record-core.ts';
import type { TaskDeps } from '../tasks/workflow/stage.ts';
import type { SlotsDeps } from '../tasks/queue/slots.ts';
import { startTask, workflowIdOf } from '../tasks/start-task.ts';
import type { InboxDeps } from '../tasks/queue/task-inbox.ts';
import { createTaskIndex } from '../tasks/queue/task-index.ts';
import { airlockVersion } from '../version.ts';

/** What does not change while an isolate lives. */
interface Base {
  readonly settings: Settings;
  readonly config: AirlockConfig;
  readonly tokens: AppTokens;
  readonly codex: RecordDeps['codex'];
  readonly policy: Policy;
  /** null: Slack is not configured. */
  readonly chat: Chat | null;
}

/** Tokens are cached in it: in memory only, and gone with the isolate. */
let base: Base | null = null;
/** Throws what is wrong with the deployment; the caller fails closed. */
function baseOf(env: Env): Base {
  if (base !== null) return base;
  const parsed = parseSettings({ ...env });
  if (!parsed.ok) throw new Error(parsed.problem);
  const loaded = loadConfig(env.AIRLOCK_CONFIG_TEXT ?? bundledConfig, 'airlock.config.jsonc');
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => formatProblem(problem)).join('\n'));
  const { settings } = parsed;
  const { config } = loaded;
  const slack = settings.slack === null ? null : slackPolicyOf(config);
  if (settings.slack !== null && slack === null)
    throw new Error('SLACK_BOT_TOKEN is set, but airlock.config.jsonc names no workspace under "slack.team"');
  const github = { apiUrl: settings.githubApiUrl, fetch: platformFetch, now };
  const { githubAppId: appId, githubAppPrivateKey: privateKey } = settings;
  const tokens = createAppTokens({ ...github, appId, privateKey });
  base = {
    settings,
    config,
    policy: {
      mention: config.github.mention,
      forRepository: (repository) => resolveRepository(config, repository),
      named: namedRepositories(config),
      hasPatterns: hasPatterns(config),
      slack,
    },
    chat:
      settings.slack === null || slack === null
        ? null
        : createChat({ ...settings.slack, policy: slack, fetch: platformFetch, log }),
    tokens,
    codex: createCodex({ openaiBaseUrl: insideOpenaiBaseUrl(env) }),
  };
  return base;
}

/** Its routes are put together once; nothing of a request stays in it. */
let app: Hono | null = null;
export function composeApp(env: Env): Hono {
  app ??= appOf(env);
  return app;
}

function appOf(env: Env): Hono {
  const { settings, config, policy, chat } = baseOf(env);
  return createApp({
    version: airlockVersion,
    log,
    githubWebhooks: githubWebhooks({
      secret: settings.githubWebhookSecret,
      handle: config.github,
      startTask: async (request) => await start(env, request),
      now: () => new Date(),
      log,
    }),
    slack:
      settings.slack === null || chat === null
        ? null
        : slackRoutes({
            ...settings.slack,
            policy,
            repositoryByAlias: (alias) => repositoryByAlias(config, alias),
            startTask: async (request) => await accept(env, request),
            task: (taskId) => recordOf(env, taskId),
            publishAgain: async (taskId, approval) => await publishAgain(env, taskId, approval),
            index: indexOf(env),
            chat,
            installedRepositories: async () => await installedRepositories(env),
            fetch: platformFetch,
            now: () => new Date(),
            log,
          }),
    api: {
      apiToken: settings.apiToken,
      start: async (request) => await start(env, request),
      task: (taskId) => recordOf(env, taskId),
      publishAgain: async (taskId, approval) => await publishAgain(env, taskId, approval),
      repositoryByAlias: (alias) => repositoryByAlias(config, alias),
      now: () => new Date(),
    },
  });
}

async function start(env: Env, request: TaskRequest): Promise<'started' | 'exists'> {
  return await startTask(request, {
    open: async (opening) => await recordOf(env, opening.taskId).open(opening),
    create: async (params) =>
      await env.TASK_WORKFLOW.create({ id: params.taskId, params: { kind: 'task', request: params } }),
    exists: async (taskId) =>
      await env.TASK_WORKFLOW.get(taskId).then(
        () => true,
        () => false,
      ),
  });
}

/** One inbox for each channel: a rush in one is not in the way of the others. */
async function accept(env: Env, request: TaskRequest): Promise<'started' | 'exists'> {
  const { trigger } = request;
  const place = trigger.kind === 'slack' ? `slack:${trigger.teamId}:${trigger.channelId}` : trigger.kind;
  return await env.TASK_INBOX.get(env.TASK_INBOX.idFromName(place)).accept(request);
}

export function composeInbox(env: Env): InboxDeps {
  return { start: async (request) => await start(env, request), now, log };
}

export function composeTask(env: Env, taskId: string): TaskDeps {
  const { config, codex, tokens, settings, policy, chat } = baseOf(env);
  const sandboxes = sandboxesOf(env);
  const sandbox = sandboxes.get(sandboxes.idFor(taskId));
  return {
    record: recordOf(env, taskId),
    sandbox,
    slots: slotsOf(env),
    setupCache: setupCacheOf(env, taskId, sandbox),
    codex,
    codeHost: createCodeHost({ tokens, taskId, apiUrl: settings.githubApiUrl, fetch: platformFetch, now }),
    publication: createPublication({ tokens, apiUrl: settings.githubApiUrl, fetch: platformFetch, now, log }),
    policy,
    chat,
    index: indexOf(env),
    recordOf: (other) => recordOf(env, other),
    publishAgain: async (other, approval) => await publishAgain(env, other, approval),
    taskUrl: () => null,
    costOf: (model, usage) => costUsd(usage, priceOf(config, model)),
    now,
    log,
  };
}

export function composeRecord(env: Env): RecordDeps {
  const { codex, tokens, settings, config, chat } = baseOf(env);
  return {
    sandboxes: sandboxesOf(env),
    slots: slotsOf(env),
    codex,
    notifier: createNotifier({
      codeHost: createCodeHost({ tokens, apiUrl: settings.githubApiUrl, fetch: platformFetch, now }),
      renderComment: (view) => progressComment({ ...view, taskUrl: null }),
      chat,
      index: indexOf(env),
    }),
    costOf: (model, usage) => costUsd(usage, priceOf(config, model)),
    addToReceipt,
    notifyWorkflow: async (instanceId, type) => await sendToInstance(env, instanceId, type),
    workflowIsOver: async (instanceId) => {
      try {
        const { status } = await (await env.TASK_WORKFLOW.get(instanceId)).status();
        return status === 'errored' || status === 'terminated' || status === 'complete';
      } catch {
        return false; // not created yet (a redelivery will do it), or not to be asked now: the watchdog's time decides
      }
    },
    retentionMs: retentionMsOf(env),
    now,
    log,
  };
}

export function composeSlots(env: Env): SlotsDeps {
  const { slots } = baseOf(env).config;
  const room = Number(env.SANDBOX_SLOTS ?? Number.POSITIVE_INFINITY);
  return {
    limits: { ...slots, total: Math.min(slots.total, room) },
    granted: async (taskId) => await sendToInstance(env, taskId, 'slot-granted'),
    moved: async (taskId, place) => await recordOf(env, taskId).queued(place),
    needsSlot: async (taskId) => await recordOf(env, taskId).needsSlot(),
    now,
    log,
  };
}

export function retentionMsOf(env: Env): number {
  return baseOf(env).config.retentionDays * 24 * 60 * 60_000;
}

export function composeEgress(env: Env, waitUntil: (work: Promise<unknown>) => void): EgressDeps {
  const { settings, tokens } = baseOf(env);
  // The record's own id is the sandbox's id under its namespace: nothing but the container id is needed to find it.
  const record = (sandboxId: string) => env.TASKS.get(env.TASKS.idFromName(sandboxId));
  return {
    admit: async (sandboxId) => await record(sandboxId).admitEgress(),
    record: async (sandboxId, entry, used) => await record(sandboxId).recordEgress(entry, used),
    readToken: async (taskId, { installationId, repositoryId }) =>
      await tokens.tokenFor({ taskId, installationId, repositoryId, permissions: { contents: 'read' } }),
    openaiApiKey: settings.openaiApiKey,
    ...settings.openaiAccount,
    githubUrl: settings.githubUrl,
    openaiBaseUrl: settings.openaiBaseUrl,
    fetch: platformFetch,
    now,
    waitUntil,
  };
}

function indexOf(env: Env): TaskIndex {
  const team = baseOf(env).policy.slack?.team ?? 'none';
  return createTaskIndex(team, (name) => env.TASK_INDEX.get(env.TASK_INDEX.idFromName(name)));
}

/** Asked of GitHub at most once a minute: who types into a form asks at each key. Values only, so that no request waits for another's I/O. */
let installed: { readonly at: number; readonly repositories: readonly RepositoryRef[] } | null = null;
const installedMs = 60_000;

async function installedRepositories(env: Env): Promise<readonly RepositoryRef[]> {
  if (installed !== null && now() - installed.at < installedMs) return installed.repositories;
  const { tokens, settings } = baseOf(env);
  const codeHost = createCodeHost({ tokens, apiUrl: settings.githubApiUrl, fetch: platformFetch, now });
  const repositories = await codeHost.installedRepositories();
  installed = { at: now(), repositories };
  return repositories;
}

/** A Workflow instance of its own for each attempt: the first one has ended. */
async function publishAgain(
  env: Env,
  taskId: string,
  approval: Approval | null,
): ReturnType<TaskDeps['publishAgain']> {
  const again = await recordOf(env, taskId).reopen(approval);
  if (!again.reopened) return { started: false, reason: again.reason };
  await env.TASK_WORKFLOW.create({
    id: workflowIdOf(taskId, again.attempt),
    params: { kind: 'publish', request: again.request },
  });
  return { started: true };
}
