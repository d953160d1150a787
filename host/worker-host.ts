/**
 * Runs the built Worker in workerd with its state on disk, and binds the sandbox host. Miniflare restarts it
 * after a crash. Nothing waits for workerd synchronously: it blocks when nobody reads its output.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  Response as MiniflareResponse,
  type Request as MiniflareRequest,
} from 'miniflare';
import { logLine } from '../src/lib/log-line.ts';
import type { WorkerBundle } from './build-worker.ts';
import { projectRoot } from './project-root.ts';
import { setAsideDamaged } from './damaged-state.ts';
import { watchStateRoom } from './state-room.ts';
import { defaultWatch, watchWorker, type WorkerWatch } from './worker-watchdog.ts';
import { bindWorkerd, workerdPid } from './workerd-process.ts';

const defaultSweepMs = 15 * 60_000;
/** Deadline of one sweep, which asks every task. */
const sweepDeadlineMs = 10 * 60_000;

export interface WorkerHost {
  /** Public address, without a trailing slash. */
  readonly url: string;
  /** Where the gateways send requests: in HTTP proxy form, on loopback only, with the token. */
  readonly egress: { readonly origin: string; readonly token: string };
  dispose(): Promise<void>;
}

export interface WorkerHostOptions {
  readonly bundle: WorkerBundle;
  readonly stateDir: string;
  readonly hostname: string;
  readonly port: number;
  /** Bindings of the Worker: settings and the configuration's text. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly sandboxHost: (request: Request) => Promise<Response>;
  /** Whether the bot stops, and starts no more sandboxes; default: never. */
  readonly isDraining?: () => boolean;
  /** Host name → origin of a simulator in its place. Other hosts are reached as usual. */
  readonly standIns?: Readonly<Record<string, string>>;
  /** Milliseconds between two sweeps; default 15 minutes. */
  readonly sweepEveryMs?: number;
  readonly watch?: WorkerWatch;
  /** Receives each line of the Worker's log. */
  log(level: string, message: string): void;
}

/** Before the Worker and the gateways start, because both need them. */
export async function reserveEgress(): Promise<WorkerHost['egress']> {
  return { origin: `http://127.0.0.1:${await freePort()}`, token: randomBytes(32).toString('hex') };
}

/** Rejects with a message for people when the port cannot be used. */
export async function startWorker(
  options: WorkerHostOptions,
  egress: WorkerHost['egress'],
): Promise<WorkerHost> {
  await refuseTakenPort(options.hostname, options.port);
  const port = options.port === 0 ? await freePort(options.hostname) : options.port;
  const workerdId = randomUUID();
  const log = (event: string, fields: Readonly<Record<string, unknown>>): void =>
    options.log('log', logLine(event, fields, new Date()));
  for (const damage of setAsideDamaged(join(options.stateDir, 'worker'), join(options.stateDir, 'damaged')))
    log('state.damaged', { ...damage, level: 'error' });
  const restart = (problem: string): void => {
    const pid = workerdPid(workerdId);
    log('worker.restarted', { pid, problem });
    if (pid !== null) process.kill(pid, 'SIGKILL');
  };
  const room = watchStateRoom(options.stateDir, (problem) => {
    if (problem !== null) return log('state.unwritable', { problem });
    log('state.writable', {});
    // The alarms of the full disk's time are delayed by up to 17 minutes. A new workerd has none delayed.
    restart('the state folder can be written again');
  });
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      name: 'airlock',
      // Miniflare's own address serves developer pages and unauthenticated triggers: a random loopback port,
      // never printed.
      host: '127.0.0.1',
      port: 0,
      log: new Log(LogLevel.NONE),
      cf: false,
      modules: [...options.bundle.modules],
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['nodejs_compat'],
      bindings: { ...options.bindings, SANDBOX_GATEWAY_TOKEN: egress.token, BOT_ID: workerdId },
      durableObjects: {
        TASKS: { className: 'TaskRecord', useSQLite: true },
        TASK_INBOX: { className: 'TaskInbox', useSQLite: true },
        TASK_INDEX: { className: 'TaskIndex', useSQLite: true },
        DELIVERIES: { className: 'Deliveries', useSQLite: true },
        METRICS: { className: 'Metrics', useSQLite: true },
        LEDGER: { className: 'TaskLedger', useSQLite: true },
        SLOTS: { className: 'Slots', useSQLite: true },
      },
      workflows: { TASK_WORKFLOW: { name: 'tasks', className: 'TaskWorkflow' } },
      resourcePersistencePath: join(options.stateDir, 'worker'),
      // Lead directly to the Worker. Fixed ports stay the same when workerd is restarted.
      unsafeDirectSockets: [
        { host: options.hostname, port },
        {
          host: '127.0.0.1',
          port: Number(new URL(egress.origin).port),
          entrypoint: 'EgressGateway',
          proxy: true,
        },
      ],
      ...(options.standIns === undefined ? {} : { outboundService: outbound(options.standIns) }),
      serviceBindings: {
        ASSETS: async (request) => await asset(new URL(request.url).pathname),
        SANDBOX_HOST: async (request) =>
          new URL(request.url).pathname === '/state'
            ? MiniflareResponse.json({ problem: room.problem(), draining: options.isDraining?.() ?? false })
            : await callSandboxHost(request, options.sandboxHost),
      },
    }),
    // For sweeps, at Miniflare's own address only.
    unsafeTriggerHandlers: true,
    unsafeRuntimeEnv: bindWorkerd(workerdId),
    handleStructuredLogs: ({ level, message }) => options.log(level, message),
  });
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL();
  const stopSweeps = sweepEvery(options.sweepEveryMs ?? defaultSweepMs, miniflare, log);
  const stopWatch = watchWorker(
    options.watch ?? defaultWatch,
    async (signal) => await (await fetch(new URL('/healthz', url), { signal })).body?.cancel(),
    restart,
  );
  return {
    url: url.origin,
    egress,
    dispose: async () => {
      stopSweeps();
      stopWatch();
      room.stop();
      await miniflare.dispose();
    },
  };
}

/** As the `crons` of `wrangler.jsonc` do on Cloudflare. The next sweep makes up for a failure. */
function sweepEvery(
  everyMs: number,
  miniflare: Miniflare,
  log: (event: string, fields: Readonly<Record<string, unknown>>) => void,
): () => void {
  let running = false;
  const stopped = new AbortController();
  const runSweep = async (): Promise<void> => {
    if (running) return;
    running = true;
    try {
      const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(sweepDeadlineMs)]);
      const answer = await miniflare.dispatchFetch('http://airlock/cdn-cgi/local/scheduled', { signal });
      const outcome = await answer.text();
      if (!answer.ok) throw new Error(outcome);
    } catch (error) {
      if (!stopped.signal.aborted) log('sweep.failed', { error: String(error) });
    } finally {
      running = false;
    }
  };
  // Also at once: reads what GitHub could not deliver while nothing ran here.
  void runSweep();
  const timer = setInterval(() => void runSweep(), everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    stopped.abort();
  };
}

/** Converts between Miniflare's Request and Response classes and the global ones. Streams the answer. */
async function callSandboxHost(
  incoming: MiniflareRequest,
  sandboxHost: WorkerHostOptions['sandboxHost'],
): Promise<MiniflareResponse> {
  const body = incoming.body === null ? null : await incoming.arrayBuffer();
  const answer = await sandboxHost(
    new Request(incoming.url, { method: incoming.method, headers: [...incoming.headers], body }),
  );
  return new MiniflareResponse(answer.body, { status: answer.status, headers: [...answer.headers] });
}

/** As Cloudflare's `assets` of `wrangler.jsonc`. */
async function asset(path: string): Promise<MiniflareResponse> {
  const name = /^\/assets\/(page\.(css|js))$/.exec(path);
  if (name === null) return new MiniflareResponse(null, { status: 404 });
  const content = await readFile(join(projectRoot, 'src/web/static/assets', name[1] ?? ''), 'utf8');
  const headers = {
    'content-type': name[2] === 'css' ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  };
  return new MiniflareResponse(content, { headers });
}

/** With the simulator's origin for `standIns`. Redirects are left to the Worker. */
function outbound(standIns: Readonly<Record<string, string>>) {
  return async (request: MiniflareRequest): Promise<MiniflareResponse> => {
    const url = new URL(request.url);
    const origin = standIns[url.hostname];
    const target = origin === undefined ? url.href : `${origin}${url.pathname}${url.search}`;
    const body = request.body === null ? null : await request.arrayBuffer();
    const headers = new Headers([...request.headers]);
    headers.delete('host');
    const answer = await fetch(target, { method: request.method, headers, body, redirect: 'manual' });
    // Node has decoded the body, so the headers about its encoding no longer apply.
    const passed = [...answer.headers].filter(
      ([name]) => !/^(?:content-encoding|content-length)$/.test(name),
    );
    const hasBody = answer.body !== null && request.method !== 'HEAD';
    return new MiniflareResponse(hasBody ? answer.body : null, { status: answer.status, headers: passed });
  };
}

/** Below the ephemeral ports (32768 up), which the kernel could give away before workerd listens. */
const firstPort = 12_000;
const ports = 20_000;
const portTries = 50;

async function freePort(hostname = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < portTries; tries += 1) {
    const port = firstPort + randomInt(ports);
    if ((await listenError(hostname, port)) === null) return port;
  }
  throw new Error(`no free port on ${hostname}`);
}

/** null: the port is free. */
async function listenError(hostname: string, port: number): Promise<Error | null> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(port, hostname, () => probe.close(() => resolve(null)));
  });
}

async function refuseTakenPort(hostname: string, port: number): Promise<void> {
  if (port === 0) return;
  const error = await listenError(hostname, port);
  if (error !== null) throw new Error(listenProblem(error, hostname, port));
}

function listenProblem(error: Error, hostname: string, port: number): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  if (code === 'EADDRINUSE')
    return `port ${port} is in use: set PORT to another one, or stop the program that listens there`;
  if (code === 'EACCES') return `this user cannot listen on port ${port}: set PORT to a number above 1023`;
  return `cannot listen on ${hostname}:${port} (${code}): check AIRLOCK_HOST`;
}
