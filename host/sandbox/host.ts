/** Runs the local sandboxes and serves the Worker's `SANDBOX_HOST` binding. Opens no port. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxSpec } from '../../src/core/ports/sandbox-port.ts';
import { createCertificateAuthority } from './certificate-authority.ts';
import { removeAbandonedCgroups } from './cgroup.ts';
import { createEgress, type EgressSocket } from './egress-forward.ts';
import { closeInheritedDescriptors } from './inherited-descriptors.ts';
import { createRegistry, type Registry } from './registry.ts';
import { sandboxRoutes } from './routes.ts';
import { launchSandbox } from './running-sandbox.ts';
import { checkSandboxSupport, privilegeFor, type SandboxSupport } from './support.ts';
import { openSetupCache } from './setup-cache.ts';
import { setupCacheRoutes } from './setup-cache-routes.ts';
import { placesWith, toolchainAt } from './toolchains.ts';
import { openUsedIds } from './used-ids.ts';
import { startWatchdog } from './watchdog.ts';

export { checkSandboxSupport };

export interface SandboxHostOptions {
  /** Folder for used sandbox ids and the setup cache. Only one host may use it at a time. */
  readonly stateDir: string;
  /** Where requests go. Called for each request, because a restarted Worker listens on another port. */
  readonly egress: () => EgressSocket;
  readonly log?: (event: SandboxEvent) => void;
  readonly limits?: { readonly maxSandboxes?: number };
  /** Further folders of which no sandbox ever sees anything, by the words for each. */
  readonly hidden?: Readonly<Record<string, string>>;
}

export type SandboxEvent =
  | { readonly event: 'sandbox.started'; readonly sandboxId: string; readonly elapsedMs: number }
  | { readonly event: 'sandbox.start_failed'; readonly sandboxId: string; readonly problem: string }
  | { readonly event: 'sandbox.ended'; readonly sandboxId: string; readonly reason: string };

export interface SandboxHost {
  /** Serves the binding. Never rejects. */
  handle(request: Request): Promise<Response>;
  list: Registry['list'];
  drain: Registry['drain'];
  /** How many sandboxes can run at the same time. */
  readonly maxSandboxes: number;
  /** Which limits this machine enforces, and by which mechanism. */
  readonly limits: Extract<SandboxSupport, { ok: true }>['limits'];
  /** Destroys every sandbox and removes every temporary file. */
  close(): Promise<void>;
}

const defaultMaxSandboxes = 8;
const excessReasons = {
  memory: 'the sandbox used more memory than its limit',
  processes: 'the sandbox had more processes than its limit',
};

/** Rejects where this machine cannot seal sandboxes. The message names the problem and the remedy. */
export async function startSandboxHost(options: SandboxHostOptions): Promise<SandboxHost> {
  closeInheritedDescriptors(2);
  const support = await checkSandboxSupport();
  if (!support.ok) throw new Error(`${support.problem} ${support.remedy}`);
  const { programs, privilege, limits } = support;
  const { stateDir, log = () => undefined } = options;
  const usedIds = await openUsedIds(join(stateDir, 'sandbox-ids'));
  const folder = await makeRunFolder(stateDir);
  await removeAbandonedCgroups();
  const watchdog = startWatchdog();
  const egress = createEgress(options.egress);
  const places = await placesWith({
    'the checkout of Airlock': programs.checkout,
    'the state folder': stateDir,
    'the folder of the sandboxes': folder,
    ...options.hidden,
  });
  // One authority is created in advance, so that no task waits for key generation.
  let spareAuthority = createCertificateAuthority(Date.now());

  async function launch(sandboxId: string, spec: SandboxSpec, slot: number) {
    const before = performance.now();
    try {
      const asked = spec.toolchains ?? [];
      const toolchains = await Promise.all(asked.map((one) => toolchainAt(one, places, Date.now())));
      const authority = spareAuthority;
      spareAuthority = createCertificateAuthority(Date.now());
      spareAuthority.catch(() => undefined);
      const sandbox = await launchSandbox({
        sandboxId,
        spec,
        toolchains,
        programs,
        privilege: privilegeFor(privilege, slot),
        folder: join(folder, sandboxId.slice(0, 16)),
        cgroupName: `${process.pid}-${sandboxId.slice(0, 16)}`,
        authority: await authority,
        egress,
      });
      const unwatch = watchdog.watch({ pid: sandbox.pid, processIds: sandbox.processIds, spec }, (excess) => {
        void registry.destroy(sandboxId, excessReasons[excess.kind]);
      });
      void sandbox.ended.then(unwatch);
      log({ event: 'sandbox.started', sandboxId, elapsedMs: Math.round(performance.now() - before) });
      return sandbox;
    } catch (error) {
      log({
        event: 'sandbox.start_failed',
        sandboxId,
        problem: error instanceof Error ? error.message : 'unknown',
      });
      throw error;
    }
  }

  const maxSandboxes = options.limits?.maxSandboxes ?? defaultMaxSandboxes;
  const registry = createRegistry({
    maxSandboxes,
    usedIds,
    launch,
    onEnded: (sandboxId, reason) => log({ event: 'sandbox.ended', sandboxId, reason }),
  });
  const app = sandboxRoutes(registry);
  app.route('/', setupCacheRoutes(registry, openSetupCache(join(stateDir, 'setup-cache'))));

  return {
    handle: async (request) => await app.fetch(request),
    list: () => registry.list(),
    drain: () => registry.drain(),
    maxSandboxes,
    limits,
    async close() {
      await registry.destroyAll('the host was closed');
      watchdog.close();
      egress.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Below the temporary folder, because a socket's path must be short. Removes a killed host's. */
async function makeRunFolder(stateDir: string): Promise<string> {
  await mkdir(stateDir, { recursive: true });
  const nameFile = join(stateDir, 'sandbox-folder');
  const abandoned = await readFile(nameFile, 'utf8').catch(() => '');
  if (/^airlock-sandboxes-\w+$/.test(abandoned))
    await rm(join(tmpdir(), abandoned), { recursive: true, force: true });
  const folder = await mkdtemp(join(tmpdir(), 'airlock-sandboxes-'));
  await writeFile(nameFile, folder.slice(folder.lastIndexOf('/') + 1));
  return folder;
}
