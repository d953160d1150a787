/**
 * Runs the built Worker in workerd on this machine, with its Workflows and Durable Objects on disk, and lends it the
 * sandbox host. workerd is restarted when it crashes; what was running goes on from what is on disk.
 */
import { randomBytes } from 'node:crypto';
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
import type { WorkerBundle } from './build-worker.ts';

const sweepEveryMs = 15 * 60_000;

export interface WorkerHost {
  /** The public address, without a slash at the end. */
  readonly url: string;
  /** Where the sandboxes' gateway hands in requests: HTTP-proxy style, loopback only, useless without the token. */
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
  /** Host name → origin that stands in for it. For worlds without an internet; everything else goes where it is meant to. */
  readonly standIns?: Readonly<Record<string, string>>;
  /** Milliseconds between two sweeps; shorter in tests. */
  readonly sweepEveryMs?: number;
  /** One line of the Worker's own log, as it wrote it. */
  log(level: string, message: string): void;
}

/** The token is passed both ways, so it is made before either side starts. */
export async function reserveEgress(): Promise<WorkerHost['egress']> {
  return { origin: `http://127.0.0.1:${await freePort()}`, token: randomBytes(32).toString('hex') };
}

/** Rejects when the port is taken. */
export async function startWorker(
  options: WorkerHostOptions,
  egress: WorkerHost['egress'],
): Promise<WorkerHost> {
  await refuseTakenPort(options.hostname, options.port);
  const port = options.port === 0 ? await freePort(options.hostname) : options.port;
  const modules = await Promise.all(
    options.bundle.modules.map(async ({ name, type }) => ({
      type,
      path: name,
      contents: await readFile(join(options.bundle.directory, name), 'utf8'),
    })),
  );
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      name: 'airlock',
      // Miniflare's own address, with pages for developers and triggers that ask for no credential: nobody is told of it.
      host: '127.0.0.1',
      port: 0,
      log: new Log(LogLevel.NONE),
      cf: false,
      modules,
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['nodejs_compat'],
      bindings: { ...options.bindings, SANDBOX_GATEWAY_TOKEN: egress.token },
      durableObjects: {
        TASKS: { className: 'TaskRecord', useSQLite: true },
        TASK_INBOX: { className: 'TaskInbox', useSQLite: true },
        TASK_INDEX: { className: 'TaskIndex', useSQLite: true },
        SLOTS: { className: 'Slots', useSQLite: true },
      },
      workflows: { TASK_WORKFLOW: { name: 'tasks', className: 'TaskWorkflow' } },
      resourcePersistencePath: join(options.stateDir, 'worker'),
      // Straight to the Worker. Ports that are named stay the same when workerd is restarted.
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
      serviceBindings: { SANDBOX_HOST: async (request) => await lend(request, options.sandboxHost) },
    }),
    handleStructuredLogs: ({ level, message }) => options.log(level, message),
  });
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL();
  const clock = setInterval(
    () => void runSweep(miniflare, (level, message) => options.log(level, message)),
    options.sweepEveryMs ?? sweepEveryMs,
  );
  clock.unref();
  return {
    url: url.origin,
    egress,
    dispose: async () => {
      clearInterval(clock);
      await miniflare.dispose();
    },
  };
}

/** What the platform's clock does on Cloudflare, by the `crons` of `wrangler.jsonc`. A turn that fails is the next one's. */
async function runSweep(miniflare: Miniflare, log: WorkerHostOptions['log']): Promise<void> {
  try {
    const worker = await miniflare.getWorker('airlock');
    await worker.scheduled();
  } catch (error) {
    log('error', JSON.stringify({ event: 'sweep.failed', error: String(error) }));
  }
}

/** Miniflare's Request and Response are its own classes; the sandbox host speaks the platform's. Answers are streamed through. */
async function lend(
  lent: MiniflareRequest,
  sandboxHost: WorkerHostOptions['sandboxHost'],
): Promise<MiniflareResponse> {
  const body = lent.body === null ? null : await lent.arrayBuffer();
  const answer = await sandboxHost(
    new Request(lent.url, { method: lent.method, headers: [...lent.headers], body }),
  );
  return new MiniflareResponse(answer.body, { status: answer.status, headers: [...answer.headers] });
}

/** Every fetch of the Worker, and the same with another origin where a host has a stand-in. Redirects are the Worker's to follow. */
function outbound(standIns: Readonly<Record<string, string>>) {
  return async (request: MiniflareRequest): Promise<MiniflareResponse> => {
    const url = new URL(request.url);
    const origin = standIns[url.hostname];
    const target = origin === undefined ? url.href : `${origin}${url.pathname}${url.search}`;
    const body = request.body === null ? null : await request.arrayBuffer();
    const headers = new Headers([...request.headers]);
    headers.delete('host');
    const answer = await fetch(target, { method: request.method, headers, body, redirect: 'manual' });
    // What Node has decoded must not be said to be encoded.
    const passed = [...answer.headers].filter(
      ([name]) => !/^(?:content-encoding|content-length)$/.test(name),
    );
    const hasBody = answer.body !== null && request.method !== 'HEAD';
    return new MiniflareResponse(hasBody ? answer.body : null, { status: answer.status, headers: passed });
  };
}

async function freePort(hostname = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error(`no free port on ${hostname}`);
  return address.port;
}

async function refuseTakenPort(hostname: string, port: number): Promise<void> {
  if (port === 0) return;
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(new Error(listenProblem(error, hostname, port))));
    probe.listen(port, hostname, () => probe.close(() => resolve()));
  });
}

function listenProblem(error: Error, hostname: string, port: number): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  if (code === 'EADDRINUSE')
    return `port ${port} is taken: set PORT to another one, or stop what listens there`;
  if (code === 'EACCES') return `port ${port} is not open to this user: set PORT to one above 1023`;
  return `cannot listen on ${hostname}:${port} (${code}): check AIRLOCK_HOST`;
}
