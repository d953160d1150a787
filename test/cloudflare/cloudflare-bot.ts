/** The bot as on Cloudflare, for `startWorld`: the uploaded bundle in real workerd, and a fake engine. */
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { z } from 'zod';
import type { Bot, BotOptions } from '../../host/bot.ts';
import { buildWorker } from '../../host/build-worker.ts';
import { readWranglerConfig } from '../../cli/deploy/read-wrangler-config.ts';
import type { FakeEngine } from '../fake-engine/engine.ts';
import { parseJson } from '../../src/lib/parse-json.ts';

const logLine = z.looseObject({ event: z.string() });

/** Miniflare's path that calls the Worker's scheduled handler, in place of the platform's cron. */
export const scheduledPath = '/cdn-cgi/local/scheduled';

/** `stop` does not end the containers; neither does the end of a Worker. */
export async function startCloudflareBot(options: BotOptions, engine: FakeEngine): Promise<Bot> {
  const bundle = await buildWorker(options.progress);
  const config = await readWranglerConfig();
  const withContainer = new Set(config.containers.map(({ class_name }) => class_name));
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      name: 'airlock-cloudflare',
      host: options.hostname,
      port: options.port,
      log: new Log(LogLevel.NONE),
      cf: false,
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
            ...(withContainer.has(className) ? { container: { imageName: 'airlock/sandbox:test' } } : {}),
          },
        ]),
      ),
      // Binds the bucket as a deployment with the cache does.
      r2Buckets: { SETUP_CACHE: 'airlock-setup-cache' },
      workflows: Object.fromEntries(
        config.workflows.map(({ name, binding, class_name: className }) => [binding, { name, className }]),
      ),
      containerEngine: { localDocker: { socketPath: engine.socketPath } },
      resourcePersistencePath: join(options.stateDir, 'worker'),
      unsafeTriggerHandlers: true,
    }),
    handleStructuredLogs: ({ level, message }: { level: string; message: string }) =>
      options.log(isLogLine(message) ? message : JSON.stringify({ event: `worker.${level}`, message })),
  });
  const url = await miniflare.ready;
  return {
    url: url.origin,
    sandboxes: () => engine.containers(),
    sandboxOf: () => {
      throw new Error('a container on Cloudflare is not reached from outside');
    },
    stop: async () => await miniflare.dispose(),
  };
}

/** The SDK also logs objects; workerd prints them with the same first character. */
const isLogLine = (message: string): boolean => logLine.safeParse(parseJson(message)).success;
