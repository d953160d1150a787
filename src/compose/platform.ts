/** Decides by the bindings, alone, where the Worker runs: on Cloudflare or on one machine. */
import bundledConfig from '../../airlock.config.jsonc';
import type { Sandboxes, TaskSandbox } from '../core/ports/sandbox-port.ts';
import type { SetupCache } from '../core/ports/setup-cache-port.ts';
import { cloudflareSandboxes } from '../sandbox/cloudflare-sandboxes.ts';
import { localSetupCache } from '../sandbox/local-setup-cache.ts';
import { localHostState, localSandboxes } from '../sandbox/local.ts';
import { r2SetupCache } from '../sandbox/r2-setup-cache.ts';
import type { Health } from '../web/health.ts';
import type { Env } from './env.ts';
import { log } from './runtime.ts';

export interface Platform {
  /** The text of `airlock.config.jsonc`. */
  readonly configText: string;
  /** Cloudflare's id of this upload; null on one machine. */
  readonly deploymentId: string | null;
  /** Sandboxes that there is room for, whatever the configuration says. */
  readonly room: number;
  /** Id of this start, which `/healthz` shows: do the App's webhooks lead here? null on Cloudflare. */
  readonly botId: string | null;
  /** The address under which Codex calls OpenAI from inside a sandbox. */
  readonly insideOpenaiBaseUrl: string;
  /** Lists tasks for the bot itself, which waits for them at a stop; null on Cloudflare. */
  readonly readToken: string | null;
  /** Proves that an egress request comes from the gateway. An empty token opens nothing. */
  readonly gatewayToken: string;
  /** What of this machine decides whether tasks can be accepted and run. Never rejects. */
  health(): Promise<Health>;
  /** Throws when the deployment binds nothing to run a sandbox with. */
  sandboxes(): Sandboxes;
  /** Null: setup always starts from nothing. */
  setupCache(taskId: string, sandbox: TaskSandbox): SetupCache | null;
}

/** A sandbox host counts before a container, because nobody binds a host by accident. */
export function platformOf(env: Env): Platform {
  const configText = env.AIRLOCK_CONFIG_TEXT ?? bundledConfig;
  return env.SANDBOX_HOST === undefined
    ? cloudflare(env, configText)
    : oneMachine(env, configText, env.SANDBOX_HOST);
}

function cloudflare(env: Env, configText: string): Platform {
  const { SANDBOX: containers, SETUP_CACHE: bucket } = env;
  return {
    configText,
    deploymentId: env.DEPLOYED_VERSION?.id ?? null,
    room: Number.POSITIVE_INFINITY,
    botId: null,
    // Cloudflare's interceptor ends TLS without `close_notify`, which rustls, and so Codex, takes for a
    // broken answer (cloudflare/containers#220). Plain HTTP only goes to the interceptor on the same machine;
    // the handler uses HTTPS.
    insideOpenaiBaseUrl: 'http://api.openai.com/v1',
    readToken: null,
    gatewayToken: '',
    health: async () => await Promise.resolve({ status: 'ready' }),
    sandboxes: () => {
      if (containers === undefined) throw new Error('no sandbox binding: this Worker cannot run tasks here');
      return cloudflareSandboxes(containers);
    },
    setupCache: (taskId, sandbox) => (bucket === undefined ? null : r2SetupCache(bucket, sandbox, taskId)),
  };
}

function oneMachine(env: Env, configText: string, host: Fetcher): Platform {
  // The host needs any injective function of the task's id into 64 hex digits. This one needs no digest.
  const idFor = (taskId: string): string => env.TASKS.idFromName(`sandbox:${taskId}`).toString();
  return {
    configText,
    deploymentId: null,
    room: Number(env.SANDBOX_SLOTS ?? Number.POSITIVE_INFINITY),
    botId: env.BOT_ID ?? null,
    insideOpenaiBaseUrl: 'https://api.openai.com/v1',
    readToken: env.HOST_READ_TOKEN ?? null,
    gatewayToken: env.SANDBOX_GATEWAY_TOKEN ?? '',
    health: async () => await localHealth(host),
    sandboxes: () => localSandboxes(host, idFor),
    setupCache: (taskId) => localSetupCache(host, idFor(taskId), taskId),
  };
}

async function localHealth(host: Fetcher): Promise<Health> {
  try {
    const { problem, draining } = await localHostState(host);
    if (problem !== null) return { status: 'broken', why: 'not-writable', reason: problem };
    return { status: draining ? 'draining' : 'ready' };
  } catch (error) {
    log('health.unknown', { error: String(error) });
    const reason = 'The sandbox host does not answer, so no sandbox can be started: restart Airlock.';
    return { status: 'broken', why: 'no-sandbox-host', reason };
  }
}
