/** Starts the bot on this machine: builds the Worker, and connects sandbox host and workerd. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { TaskSandbox } from '../src/core/ports/sandbox-port.ts';
import { localSandboxes } from '../src/sandbox/local.ts';
import { logLine } from '../src/lib/log-line.ts';
import { parseSettings } from '../src/settings.ts';
import { buildWorker } from './build-worker.ts';
import { checkSandboxSupport, startSandboxHost } from './sandbox/host.ts';
import { closeInheritedDescriptors } from './sandbox/inherited-descriptors.ts';
import type { SlackSocket } from './slack-socket.ts';
import { openStateFolder } from './state-folder.ts';
import { reserveEgress, startWorker, type WorkerHost } from './worker-host.ts';

type SandboxCalls = (request: Request) => Promise<Response>;

export interface BotOptions {
  readonly stateDir: string;
  readonly hostname: string;
  readonly port: number;
  /** Settings of the Worker by name; see `src/settings.ts`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly configText: string;
  /** Connects over Socket Mode instead of receiving requests. Needs the other Slack settings. */
  readonly slackAppToken?: string | null;
  /** How many sandboxes can run at the same time; default: the host's own limit. */
  readonly maxSandboxes?: number;
  /** Host name → origin of a simulator that replaces it, for use without the internet. */
  readonly standIns?: Readonly<Record<string, string>>;
  /** Wraps the Worker's calls to the sandbox host, to break some of them. */
  readonly sandboxCalls?: (handle: SandboxCalls) => SandboxCalls;
  /** Receives lines for the person who waits for the start. */
  readonly progress: (line: string) => void;
  /** Receives the structured log lines of the Worker and the host. */
  log(line: string): void;
}

export interface Bot {
  readonly url: string;
  /** Ids of the sandboxes that exist now. */
  sandboxes(): readonly string[];
  /** Through the Worker's adapter, so that tests and probes can inspect it while it runs. */
  sandboxOf(sandboxId: string): TaskSandbox;
  /** Stops the Worker and destroys all sandboxes. */
  stop(): Promise<void>;
}

export interface DrainableBot extends Bot {
  /** Lists tasks over the API at `url`, also without an `API_TOKEN`. Random at each start. */
  readonly readToken: string;
  /** Starts no more sandboxes. Tasks that need one wait, until the next start if need be. */
  drain(): void;
}

/** Rejects with a message for people, such as that the port or the state folder is in use. */
export async function startBot(options: BotOptions): Promise<DrainableBot> {
  closeInheritedDescriptors(2);
  const unlock = openStateFolder(options.stateDir);
  try {
    const bot = await startWithState(options);
    return { ...bot, stop: async () => await bot.stop().finally(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function startWithState(options: BotOptions): Promise<DrainableBot> {
  const [support, bundle, egress] = await Promise.all([
    checkSandboxSupport(),
    buildWorker(options.progress),
    reserveEgress(),
  ]);
  if (!support.ok)
    throw new Error(
      `${support.problem}\n${support.remedy}\nAirlock does not run Codex outside a sealed sandbox.`,
    );
  const log = (event: { readonly event: string }) => options.log(logLine(event.event, event, new Date()));
  const host = await startSandboxHost({
    stateDir: join(options.stateDir, 'sandboxes'),
    hidden: { 'the state folder': options.stateDir },
    egress: () => egress,
    ...(options.maxSandboxes === undefined ? {} : { limits: { maxSandboxes: options.maxSandboxes } }),
    log,
  });
  const handle: SandboxCalls = async (request) => await host.handle(request);
  const readToken = randomBytes(32).toString('hex');
  let isDraining = false;
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
          HOST_READ_TOKEN: readToken,
        },
        sandboxHost: options.sandboxCalls?.(handle) ?? handle,
        isDraining: () => isDraining,
        ...(options.standIns === undefined ? {} : { standIns: options.standIns }),
        log: (level, message) => options.log(workerLine(level, message)),
      },
      egress,
    );
    const slack = await connectSlack(options, worker);
    return {
      url: worker.url,
      readToken,
      sandboxes: () => host.list(),
      drain: () => {
        isDraining = true;
        host.drain();
      },
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

/** Returns the Worker's own lines unchanged, and wraps what workerd or a library printed. */
export function workerLine(level: string, message: string): string {
  return message.startsWith('{"event":')
    ? message
    : logLine(`worker.${level}`, { level, message }, new Date());
}

async function connectSlack(options: BotOptions, worker: WorkerHost): Promise<SlackSocket | null> {
  const appToken = options.slackAppToken ?? null;
  if (appToken === null) return null;
  try {
    const parsed = parseSettings(options.settings);
    if (!parsed.ok || parsed.settings.slack === null)
      throw new Error('SLACK_APP_TOKEN is set, but the other Slack settings are missing; see docs/setup.md');
    const { apiUrl, signingSecret } = parsed.settings.slack;
    // Loaded on demand, because Bolt's receivers import a whole web server.
    const { startSlackSocket } = await import('./slack-socket.ts');
    return await startSlackSocket({
      appToken,
      apiUrl,
      signingSecret,
      url: worker.url,
      log: (event) => options.log(logLine(event.event, event, new Date())),
    });
  } catch (error) {
    await worker.dispose();
    throw error;
  }
}
