/**
 * A test Worker in real workerd, over the platform's container interface or the real SDK, with a fake engine
 * and a recording upstream.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { remoteSandboxes } from '../../cli/doctor/remote-sandboxes.ts';
import { bundleWorker, type SandboxKind, type WorkerModule } from '../../host/build-worker.ts';
import type { Sandboxes } from '../../src/core/ports/sandbox-port.ts';
import { realEngine } from './real-engine.ts';
import { fakeContainers, startEngine, type EngineOptions, type FakeEngine } from '../fake-engine/engine.ts';

const classes: Readonly<Record<SandboxKind, Readonly<Record<string, string>>>> = {
  native: { SANDBOX: 'TaskSandbox' },
  sdk: { SANDBOX: 'TaskSandbox', TRAP: 'StaticFieldTrap', ASSIGNED: 'AssignedAfter' },
};

export interface CloudflareHost {
  readonly engine: FakeEngine;
  /** The log of the Worker, and of the SDK at its most verbose level. */
  readonly logged: readonly string[];
  readonly sandboxes: Sandboxes;
  /** Derives the id of a Durable Object from a name, as the platform does. */
  idOf(binding: string, name: string): string;
  call(method: string, path: string, json?: unknown): Promise<{ status: number; text: string }>;
  takeAway(sandboxId: string): Promise<void>;
  /** As a deployment does: objects start again from their storage, containers keep running. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

type Namespace = Awaited<ReturnType<Miniflare['getDurableObjectNamespace']>>;

/** `upstream`: the origin of GitHub, OpenAI and the hosts of a grant. By default none answers. */
export async function startCloudflareHost(
  kind: SandboxKind,
  upstream = 'http://127.0.0.1:9',
  engineOptions: EngineOptions = {},
): Promise<CloudflareHost> {
  const modules = await (bundled[kind] ??= bundle(kind));
  const names = classes[kind];
  const engine = await startEngine(engineOptions);
  const real = kind === 'native' ? realEngine() : null;
  const container = real?.container ?? fakeContainers[kind];
  const logged: string[] = [];
  const stateFolder = await mkdtemp(join(tmpdir(), 'airlock-objects-'));
  const options = {
    ...convertV4MiniflareOptions({
      name: 'airlock-cloudflare-test',
      log: new Log(LogLevel.NONE),
      cf: false,
      modules: [...modules],
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['nodejs_compat'],
      bindings: { UPSTREAM: upstream, SANDBOX_LOG_LEVEL: 'debug' },
      durableObjects: {
        ...Object.fromEntries(
          Object.entries(names).map(([binding, className]) => [
            binding,
            { className, useSQLite: true, container },
          ]),
        ),
        GRANTS: { className: 'Grants', useSQLite: true },
      },
      containerEngine: { localDocker: { socketPath: real?.socketPath ?? engine.socketPath } },
      resourcePersistencePath: stateFolder,
    }),
    handleStructuredLogs: ({ message }: { message: string }) => logged.push(message),
  };
  const miniflare = new Miniflare(options);
  await miniflare.ready;
  const readNamespaces = async () =>
    new Map<string, Namespace>(
      await Promise.all(
        Object.keys(names).map(
          async (binding) => [binding, await miniflare.getDurableObjectNamespace(binding)] as const,
        ),
      ),
    );
  let byBinding = await readNamespaces();
  const idOf = (binding: string, name: string) => {
    const id = byBinding.get(binding)?.idFromName(name).toString();
    if (id === undefined) throw new Error('there is no such binding');
    return id;
  };
  const call = async (method: string, path: string, json?: unknown) => {
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const response = await miniflare.dispatchFetch(`http://worker${path}`, { method, ...body });
    return { status: response.status, text: await response.text() };
  };
  return {
    engine,
    logged,
    idOf,
    call,
    sandboxes: remoteSandboxes(
      (taskId) => idOf('SANDBOX', taskId),
      async (sandboxId, what) => (await call('POST', `/sandboxes/${sandboxId}`, what)).text,
    ),
    async takeAway(sandboxId) {
      if (real === null) await engine.container(sandboxId)?.kill();
      else await real.takeAway(sandboxId);
    },
    async restart() {
      await miniflare.setOptions(options);
      byBinding = await readNamespaces();
    },
    async close() {
      await miniflare.dispose();
      await engine.close();
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}

const bundled: Partial<Record<SandboxKind, Promise<readonly WorkerModule[]>>> = {};

/** Bundles as for a deployment: class names key the handlers of the SDK and have to survive it. */
async function bundle(kind: SandboxKind): Promise<readonly WorkerModule[]> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-bundle-'));
  try {
    return await bundleWorker(folder, `test/workerd/${kind}-worker.ts`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
