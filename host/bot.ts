/**
 * The bot on this machine: builds the Worker, starts the sandbox host and workerd, and ties them together. Used by
 * `npm start`, the demo, the tests and the benches alike, so that all of them run the same thing.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskSandbox } from '../src/core/ports/sandbox-port.ts';
import { localSandboxes } from '../src/sandbox/local.ts';
import { parseSettings } from '../src/settings.ts';
import { buildWorker } from './build-worker.ts';
import { checkSandboxSupport, startSandboxHost } from './sandbox/host.ts';
import type { SlackSocket } from './slack-socket.ts';
import { reserveEgress, startWorker, type WorkerHost } from './worker-host.ts';

export interface BotOptions {
  readonly stateDir: string;
  readonly hostname: string;
  readonly port: number;
  /** Settings of the Worker by name; see `src/settings.ts`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly configText: string;
  /** Connects to Slack over Socket Mode, instead of waiting for its requests. Needs the Worker's settings of Slack. */
  readonly slackAppToken?: string | null;
  /** Sandboxes at the same time; the host's own limit when left out. */
  readonly maxSandboxes?: number;
  /** Host name → origin that stands in for it, for worlds without an internet. */
  readonly standIns?: Readonly<Record<string, string>>;
  /** What a person should see while it starts. */
  readonly progress: (line: string) => void;
  /** Structured log lines of Worker and host. */
  log(line: string): void;
}

export interface Bot {
  readonly url: string;
  /** Ids of the sandboxes that exist now. */
  sandboxes(): readonly string[];
  /** The sandbox of a task, as the Worker reaches it: to look inside while it runs. */
  sandboxOf(sandboxId: string): TaskSandbox;
  /** Stops the Worker, destroys all sandboxes. */
  stop(): Promise<void>;
}

/**
 * Rejects with a sentence for people when this machine cannot run sandboxes, the Worker does not build, the port is taken,
 * or Slack does not take the socket.
 */
export async function startBot(options: BotOptions): Promise<Bot> {
  await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
  const [support, bundle, egress] = await Promise.all([
    checkSandboxSupport(),
    buildWorker(options.progress),
    reserveEgress(),
  ]);
  if (!support.ok)
    throw new Error(
      `${support.problem}\n${support.remedy}\nAirlock does not run Codex outside a sealed sandbox.`,
    );
  const host = await startSandboxHost({
    stateDir: join(options.stateDir, 'sandboxes'),
    egress: () => egress,
    ...(options.maxSandboxes === undefined ? {} : { limits: { maxSandboxes: options.maxSandboxes } }),
    log: (event) => options.log(JSON.stringify(event)),
  });
  try {
    const worker = await startWorker(
      {
        bundle,
        stateDir: options.stateDir,
        hostname: options.hostname,
        port: options.port,
        bindings: {
          ...options.settings,
          AIRLOCK_CONFIG_TEXT: options.configText,
          SANDBOX_SLOTS: String(host.maxSandboxes),
        },
        sandboxHost: async (request) => await host.handle(request),
        ...(options.standIns === undefined ? {} : { standIns: options.standIns }),
        log: (level, message) =>
          options.log(
            message.startsWith('{') ? message : JSON.stringify({ event: `worker.${level}`, message }),
          ),
      },
      egress,
    );
    const slack = await connectSlack(options, worker);
    return {
      url: worker.url,
      sandboxes: () => host.list(),
      sandboxOf: (sandboxId) =>
        localSandboxes(
          { fetch: async (input, init) => await host.handle(new Request(input, init)) },
          () => sandboxId,
        ).get(sandboxId),
      stop: async () => {
        await slack?.stop();
        await worker.dispose();
        await host.close();
      },
    };
  } catch (error) {
    await host.close();
    throw error;
  }
}

async function connectSlack(options: BotOptions, worker: WorkerHost): Promise<SlackSocket | null> {
  const appToken = options.slackAppToken ?? null;
  if (appToken === null) return null;
  try {
    const parsed = parseSettings(options.settings);
    if (!parsed.ok || parsed.settings.slack === null)
      throw new Error('an app-level token is of no use without the other settings of Slack');
    const { apiUrl, signingSecret } = parsed.settings.slack;
    // Loaded on demand: Bolt's receivers bring a web server of their own.
    const { startSlackSocket } = await import('./slack-socket.ts');
    return await startSlackSocket({
      appToken,
      apiUrl,
      signingSecret,
      url: worker.url,
      log: (event) => options.log(JSON.stringify(event)),
    });
  } catch (error) {
    await worker.dispose();
    throw error;
  }
}
