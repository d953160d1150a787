/** The bot as on Cloudflare, for `startWorld`: the uploaded bundle in real workerd, and a fake engine. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { z } from 'zod';
import type { Bot, BotOptions } from '../../host/bot.ts';
import { buildWorker, defaultSandboxKind, type SandboxKind } from '../../host/build-worker.ts';
import { projectRoot } from '../../host/project-root.ts';
import { remoteSandboxes } from '../../cli/doctor/remote-sandboxes.ts';
import { readWranglerConfig } from '../../cli/deploy/read-wrangler-config.ts';
import type { Sandboxes } from '../../src/core/ports/sandbox-port.ts';
import { fakeContainers, type FakeEngine } from '../fake-engine/engine.ts';
import { parseJson } from '../../src/lib/parse-json.ts';

const logLine = z.looseObject({ event: z.string() });

/** Miniflare's path that calls the Worker's scheduled handler, in place of the platform's cron. */
export const scheduledPath = '/cdn-cgi/local/scheduled';

/** The name of the bot's Worker, and of the one through which `sandboxOf` calls its sandboxes. */
const names = { bot: 'airlock-cloudflare', door: 'airlock-door' } as const;

/**
 * `stop` does not end the containers; neither does the end of a Worker. `withDoor` opens `sandboxOf`, which
 * no deployment has.
 */
export async function startCloudflareBot(
  options: BotOptions,
  engine: FakeEngine,
  { withDoor = false, kind = defaultSandboxKind }: { withDoor?: boolean; kind?: SandboxKind } = {},
): Promise<Bot> {
  const bundle = await buildWorker(options.progress, kind);
  const config = await readWranglerConfig();
  const withContainer = new Set(config.containers.map(({ class_name }) => class_name));
  const bot = {
    name: names.bot,
    modules: [...bundle.modules],
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    bindings: { ...config.vars, ...options.settings, AIRLOCK_CONFIG_TEXT: options.configText },
    durableObjects: Object.fromEntries(
      config.durable_objects.bindings.map(({ name, class_name: className }) => [
        name,
        {
          className,
          useSQLite: true,
          ...(withContainer.has(className) ? { container: fakeContainers[kind] } : {}),
        },
      ]),
    ),
    // Binds the bucket as a deployment with the cache does.
    r2Buckets: { SETUP_CACHE: 'airlock-setup-cache' },
    workflows: Object.fromEntries(
      config.workflows.map(({ name, binding, class_name: className }) => [binding, { name, className }]),
    ),
  };
  const door = {
    name: names.door,
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    durableObjects: { SANDBOX: { className: 'TaskSandbox', scriptName: names.bot, useSQLite: true } },
  };
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: options.hostname,
      port: options.port,
      log: new Log(LogLevel.NONE),
      cf: false,
      containerEngine: { localDocker: { socketPath: engine.socketPath } },
      resourcePersistencePath: join(options.stateDir, 'worker'),
      unsafeTriggerHandlers: true,
      workers: withDoor ? [bot, { ...door, ...(await bundleDoor()) }] : [bot],
    }),
    handleStructuredLogs: ({ level, message }: { level: string; message: string }) =>
      options.log(isLogLine(message) ? message : JSON.stringify({ event: `worker.${level}`, message })),
  });
  const url = await miniflare.ready;
  return {
    url: url.origin,
    sandboxes: () => engine.containers().map((name) => /[0-9a-f]{64}/.exec(name)?.[0] ?? name),
    sandboxOf: (sandboxId) => sandboxesBehind(miniflare).get(sandboxId),
    stop: async () => await miniflare.dispose(),
  };
}

async function bundleDoor() {
  const { outputFiles } = await build({
    absWorkingDir: projectRoot,
    entryPoints: ['test/workerd/sandbox-door.ts'],
    write: false,
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'silent',
  });
  const [{ text: contents } = { text: '' }] = outputFiles;
  return { modules: [{ type: 'ESModule' as const, path: 'door.js', contents }] };
}

function sandboxesBehind(miniflare: Miniflare): Sandboxes {
  const idFor = () => {
    throw new Error('only the bot derives the ids of its sandboxes');
  };
  return remoteSandboxes(idFor, async (sandboxId, call) => {
    const door = await miniflare.getWorker(names.door);
    const body = JSON.stringify(call);
    return await (await door.fetch(`http://door/sandboxes/${sandboxId}`, { method: 'POST', body })).text();
  });
}

/** The SDK also logs objects; workerd prints them with the same first character. */
const isLogLine = (message: string): boolean => logLine.safeParse(parseJson(message)).success;
