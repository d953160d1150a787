/**
 * The sandbox's Durable Object over Cloudflare's sandbox SDK, sealed. Decides nothing: `src/egress` decides
 * what may leave, and `cloudflare-life.ts` where the sandbox is in its life. Only this folder knows the SDK.
 *
 * The entry of the Worker exports `TaskSandbox` and `ContainerProxy` and calls `connectOutbound` when it is
 * loaded: the platform looks for the handlers in any isolate in which a container's request arrives. Until
 * then every request is refused.
 */
import { Sandbox } from '@cloudflare/sandbox';
import { waitUntil } from 'cloudflare:workers';
import type { SandboxSpec } from '../../core/ports/sandbox-port.ts';
import type { EgressDeps } from '../../egress/handler.ts';
import { withDeadline } from '../../lib/with-deadline.ts';
import { answerContainer, refused } from '../cloudflare-egress.ts';
import type { SandboxStatus } from '../cloudflare-life.ts';
import { ContainerLifecycle } from '../cloudflare-lifecycle.ts';
import type { Booted, CallResult, ContainerObject } from '../cloudflare-object.ts';
import { inputFolder, makeInputFolder, shellCommand, splitInput } from './shell-command.ts';

export { ContainerProxy } from '@cloudflare/sandbox';

/** The port of the SDK's server in the container. */
const controlPort = 3000;
/**
 * Deadlines for the platform to provide a machine, and for the server on it to listen. Cold starts take
 * 2–3 s; the first after a deployment pulls the image.
 */
const instanceMs = 20_000;
const portMs = 60_000;
/** Together below what the adapter waits. The platform only has to send a signal. */
const sdkDestroyMs = 10_000;
const platformDestroyMs = 5_000;
/** The SDK's value for commands without a session, which share nothing. */
const noSession = '__DISABLE_SESSION__';

/** The platform takes them from `wrangler.jsonc`, one for all containers of this class. */
const oneForAll =
  'the configuration names an image or an instance type for a repository, which the sandbox SDK cannot start. Deploy with --sandbox native, or remove "image" and "instance" from "sandbox" in the configuration';

type StartArguments = Parameters<Sandbox['startAndWaitForPorts']>;

export class TaskSandbox extends Sandbox implements ContainerObject {
  override enableInternet = false;
  /** Off by default; port 443 would then bypass our handler. */
  override interceptHttps = true;
  /** Polling keeps a container alive, a running process does not; the observer polls every few seconds. */
  override sleepAfter: string | number = '15m';
  // No static fields, above all no `outbound…`: a field of that name hides the setter that registers the
  // handlers, and nothing is intercepted. The handlers are assigned below the class.

  readonly #life = new ContainerLifecycle(this.ctx, {
    start: async () => await this.#start(),
    end: async () => await this.#end(),
  });

  async bootOnce(spec: SandboxSpec): Promise<Booted> {
    if ((spec.image ?? spec.instance ?? null) !== null) return { kind: 'unsupported', why: oneForAll };
    return await this.#life.bootOnce(spec);
  }

  async settle(instance: string): Promise<SandboxStatus> {
    return this.#life.settle(instance);
  }

  async lifeStatus(): Promise<SandboxStatus> {
    return this.#life.status();
  }

  async containerRuns(): Promise<boolean> {
    return this.#life.runs();
  }

  async markLost(why: string): Promise<void> {
    this.#life.markLost(why);
  }

  override async destroy(): Promise<void> {
    await this.#life.destroy();
  }

  async call(argv: readonly string[], stdin: Uint8Array | null, deadlineMs: number): Promise<CallResult> {
    const parts = stdin === null ? [] : splitInput(crypto.randomUUID(), stdin);
    // Base64, so that every byte arrives unchanged.
    for (const { path, base64 } of parts)
      await this.writeFile(path, base64, { encoding: 'base64', sessionId: noSession });
    const paths = parts.map(({ path }) => path);
    const executed = this.execWithSessionToken(shellCommand(argv, paths), noSession);
    const { exitCode, stdout } = await withDeadline(executed, deadlineMs, 'the command in the container');
    return { exitCode, stdout };
  }

  /**
   * Prevents the SDK from starting a container for any call that finds none. Only `bootOnce` starts one: a
   * new container lacks what ran before.
   */
  override async startAndWaitForPorts(...args: StartArguments): Promise<void> {
    if (!this.#life.runs() && !this.#life.mayStart()) throw new Error('no call starts a container');
    await super.startAndWaitForPorts(...args);
  }

  async #start(): Promise<void> {
    // Remembered by the SDK for every later object.
    await this.setTransport('rpc');
    await this.startAndWaitForPorts(controlPort, {
      instanceGetTimeoutMS: instanceMs,
      portReadyTimeoutMS: portMs,
    });
    const made = await this.execWithSessionToken(makeInputFolder, noSession);
    if (made.exitCode !== 0) throw new Error(`the container has no room for ${inputFolder}`);
  }

  /**
   * The SDK's destroy can hang, and then every later one waits for it in the SDK. So this asks the platform
   * directly next.
   */
  async #end(): Promise<void> {
    const bySdk: unknown = await withDeadline(super.destroy(), sdkDestroyMs, 'the SDK’s destroy').then(
      () => null,
      (error: unknown) => error,
    );
    if (this.ctx.container?.running !== true) return;
    await withDeadline(this.ctx.container.destroy(), platformDestroyMs, 'the platform’s destroy');
    if (this.#life.runs()) throw new Error('the SDK did not end the container', { cause: bySdk });
  }
}

// The bundle is minified, and a container's requests carry this name: it outlives a deployment and has to
// name this class in the next one too. Set before the handlers, which are registered under it.
Object.defineProperty(TaskSandbox, 'name', { value: 'TaskSandbox' });
// Assigned after the class and before anything else: without `connectOutbound` a sandbox reaches nothing.
TaskSandbox.outbound = () => refused(403);

/**
 * A method type, as the SDK types the environment as `Cloudflare.Env` and the Worker's own type is narrower.
 */
type DepsOf = {
  of(env: Cloudflare.Env, waitUntil: (work: Promise<unknown>) => void): EgressDeps;
}['of'];

/**
 * Sends every request of every sandbox, to any host, through the egress handler. One handler and no table of
 * hosts: the grant says what is allowed, and denied requests have to be recorded too. The grant is looked up
 * by the container's id alone, which the platform sets and the container cannot change. Called at the top
 * level of the entry; `depsOf` is called for each request.
 */
export function connectOutbound(depsOf: DepsOf): void {
  TaskSandbox.outbound = async (request, env, { containerId }) =>
    await answerContainer(request, containerId, () => depsOf(env, waitUntil));
}
