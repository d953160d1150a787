/** Builds once per isolate what all tasks share: settings, configuration, tokens, Slack. */
import { createCodex } from '../codex/codex.ts';
import { formatProblem, loadConfig } from '../config/load-config.ts';
import {
  hasPatterns,
  namedRepositories,
  priceOf,
  resolveRepository,
  slackPolicyOf,
} from '../config/resolve-repository.ts';
import type { AirlockConfig } from '../config/schema.ts';
import { costUsd } from '../core/cost.ts';
import type { Policy } from '../core/policy.ts';
import type { Chat, Conversations, IssueTasks, TaskIndex } from '../core/ports/chat-port.ts';
import { createAppTokens, type AppTokens } from '../github/app-auth.ts';
import { mentionName, type MentionName } from '../github/mention-name.ts';
import type { ReadHtml } from '../github/html-events.ts';
import { readHtml } from '../github/read-html.ts';
import { parseSettings, type Settings } from '../settings.ts';
import { createChat } from '../slack/chat.ts';
import type { RecordDeps } from '../tasks/record/record.ts';
import type { Env } from './env.ts';
import { indexOf, tokenLedger } from './objects.ts';
import { platformOf } from './platform.ts';
import { log, now, platformFetch } from './runtime.ts';

export interface Base {
  readonly settings: Settings;
  readonly config: AirlockConfig;
  readonly policy: Policy;
  /** The name that people mention on GitHub. */
  readonly mention: () => Promise<MentionName>;
  /** Caches tokens in memory; the records of their tasks know which are live. */
  readonly tokens: AppTokens;
  /** What an adapter of GitHub's API needs. */
  readonly github: {
    readonly tokens: AppTokens;
    readonly apiUrl: string;
    readonly fetch: typeof fetch;
    readonly now: () => number;
    readonly readHtml: ReadHtml;
    readonly webUrl: string;
  };
  readonly codex: RecordDeps['codex'];
  /** Null: Slack is not configured. */
  readonly chat: Chat | null;
  readonly index: TaskIndex & IssueTasks & Conversations;
  /** The address of a task's page; null where pages are off. */
  readonly taskUrl: (taskId: string) => string | null;
  readonly costOf: RecordDeps['costOf'];
  readonly retentionMs: number;
}

let base: Base | null = null;

/** Throws an error that lists what is wrong with the deployment; the caller fails closed. */
export function baseOf(env: Env): Base {
  base ??= createBase(env);
  return base;
}

function createBase(env: Env): Base {
  const platform = platformOf(env);
  const parsed = parseSettings({ ...env });
  if (!parsed.ok) throw new Error(parsed.problem);
  const loaded = loadConfig(platform.configText, 'airlock.config.jsonc');
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => formatProblem(problem)).join('\n'));
  const { settings } = parsed;
  const { config } = loaded;
  const slack = settings.slack === null ? null : slackPolicyOf(config);
  if (settings.slack !== null && slack === null)
    throw new Error('SLACK_BOT_TOKEN is set, but airlock.config.jsonc names no workspace under "slack.team"');
  const api = { apiUrl: settings.githubApiUrl, fetch: platformFetch, now };
  const { githubAppId: appId, githubAppPrivateKey: privateKey } = settings;
  const tokens = createAppTokens({ ...api, appId, privateKey, ledger: tokenLedger(env) });
  const { url, signIn } = settings;
  const pagesUrl = signIn === null && platform.botId === null ? null : url;
  const taskUrl = (taskId: string) => (pagesUrl === null ? null : `${pagesUrl}/t/${taskId}`);
  return {
    taskUrl,
    settings,
    config,
    policy: {
      forRepository: (repository) => resolveRepository(config, repository),
      named: namedRepositories(config),
      hasPatterns: hasPatterns(config),
      slack,
      budget: config.budget,
    },
    mention: mentionName(config.github, { slug: async () => await tokens.slug(), now, log }),
    tokens,
    github: { ...api, tokens, readHtml, webUrl: settings.githubUrl },
    codex: createCodex({ openaiBaseUrl: platform.insideOpenaiBaseUrl }),
    chat:
      settings.slack === null || slack === null
        ? null
        : createChat({ ...settings.slack, taskUrl, policy: slack, fetch: platformFetch, log }),
    index: indexOf(env, slack?.team ?? null),
    costOf: (model, usage) => costUsd(usage, priceOf(config, model)),
    retentionMs: config.retentionDays * 24 * 60 * 60_000,
  };
}
