/**
 * The sandbox's Durable Object on Cloudflare: the SDK's `Sandbox`, sealed. Decides nothing: `src/egress`
 * decides what may leave, and `cloudflare-life.ts` where the sandbox is in its life. Only the files
 * `cloudflare*.ts` of this folder know the SDK.
 *
 * The entry of the Worker exports `TaskSandbox` and `ContainerProxy` and calls `connectOutbound` when it is
 * loaded: the platform looks for the handlers in any isolate in which a container's request arrives. Until
 * then every request is refused.
 */
import { Sandbox } from '@cloudflare/sandbox';
import { waitUntil } from 'cloudflare:workers';
import { DeadlineError, withDeadline } from '../lib/with-deadline.ts';
import { handleEgress, type EgressDeps } from '../egress/handler.ts';
import { failureKind } from './cloudflare-failure.ts';
import { lifeSchema, mayStartContainer, statusOf, type Life, type SandboxStatus } from './cloudflare-life.ts';

export { ContainerProxy } from '@cloudflare/sandbox';

const lifeKey = 'airlock.life';
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
const syncMs = 2_000;
const stillRuns = 'the container still runs';

type StartArguments = Parameters<Sandbox['startAndWaitForPorts']>;

export class TaskSandbox extends Sandbox {
  override enableInternet = false;
  /** Off by default; port 443 would then bypass our handler. */
  override interceptHttps = true;
  /** Polling keeps a container alive, a running process does not; the observer polls every few seconds. */
  override sleepAfter: string | number = '15m';
  // No static fields, above all no `outbound…`: a field of that name hides the setter that registers the
  // handlers, and nothing is intercepted. The handlers are assigned below the class.

  #starting: Promise<void> | null = null;

  /** Starts the container, once. `busy`: the platform has no free container now. */
  async bootOnce(): Promise<SandboxStatus | { readonly kind: 'busy' }> {
    const before = this.#status();
    if (before.kind !== 'fresh') return before;
    if (this.#life() === null) this.#remember({ state: 'starting' });
    try {
      this.#starting ??= this.#startContainer();
      await this.#starting;
    } catch (error) {
      const after = this.#status();
      if (after.kind === 'lost') return after;
      if (failureKind({ message: String(error), platform: false }) === 'busy') return { kind: 'busy' };
      throw error;
    } finally {
      this.#starting = null;
    }
    return this.#status();
  }

  /**
   * Marks the container as prepared. The first caller wins, so that concurrent starts use the same instance.
   */
  async settle(instance: string): Promise<SandboxStatus> {
    const life = this.#life();
    if (life?.state === 'starting') this.#remember({ state: 'started', instance });
    return this.#status();
  }

  async lifeStatus(): Promise<SandboxStatus> {
    return this.#status();
  }

  async containerRuns(): Promise<boolean> {
    return this.ctx.container?.running === true;
  }

  /** Ends the sandbox because another container answers in place of the one that was started. */
  async markLost(why: string): Promise<void> {
    this.#end(why);
  }

  /**
   * Rejects while the container still runs. It is remembered as ended before that, so no call runs in it any
   * more.
   */
  override async destroy(): Promise<void> {
    this.#end('it was destroyed');
    await this.#destroyContainer();
    // A concurrent start may have brought a container up since.
    await this.#starting?.catch(() => undefined);
    if (this.ctx.container?.running === true) await this.#destroyContainer();
  }

  /**
   * Rejects while the container still runs. The SDK's destroy can hang, and then every later one waits for
   * it, in the SDK and in workerd, until this object is gone. So this asks the platform directly next; if
   * that hangs too, it aborts this object and everything that waits in it. A retry reaches a new object,
   * which reads its state from storage.
   */
  async #destroyContainer(): Promise<void> {
    const problem = await failureOf(withDeadline(super.destroy(), sdkDestroyMs, 'the SDK’s destroy'));
    if (this.ctx.container?.running !== true) return;
    const direct = withDeadline(this.ctx.container.destroy(), platformDestroyMs, 'the platform’s destroy');
    const next = await failureOf(direct);
    if (!this.ctx.container.running) return;
    if (next instanceof DeadlineError) {
      await withDeadline(this.ctx.storage.sync(), syncMs, 'storing that it was destroyed');
      this.ctx.abort(stillRuns);
    }
    throw new Error(stillRuns, { cause: next ?? problem });
  }

  /**
   * Prevents the SDK from starting a container for any call that finds none. Only `bootOnce` starts one: a
   * new container lacks what ran before.
   */
  override async startAndWaitForPorts(...args: StartArguments): Promise<void> {
    if (this.ctx.container?.running !== true && !mayStartContainer(this.#life(), this.#starting !== null))
      throw new Error('no call starts a container');
    await super.startAndWaitForPorts(...args);
  }

  async #startContainer(): Promise<void> {
    // Lets the caller set `#starting` before it is read.
    await Promise.resolve();
    await this.startAndWaitForPorts(controlPort, {
      instanceGetTimeoutMS: instanceMs,
      portReadyTimeoutMS: portMs,
    });
    if (this.#life()?.state === 'ended') await this.#destroyContainer();
  }

  // Synchronous, so that nothing runs between a read and the write that depends on it. Needs the SQLite
  // storage of `new_sqlite_classes`.
  #life(): Life | null {
    const kept: unknown = this.ctx.storage.kv.get(lifeKey);
    return kept === undefined ? null : lifeSchema.parse(kept);
  }

  #remember(life: Life): void {
    this.ctx.storage.kv.put(lifeKey, life);
  }

  #end(why: string): void {
    if (this.#life()?.state !== 'ended') this.#remember({ state: 'ended', why });
  }

  #status(): SandboxStatus {
    return statusOf(this.#life(), this.ctx.container?.running === true);
  }
}

/** Returns the error of failed work; null if it succeeded. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => null,
    (error: unknown) => error,
  );
}

const refused = (status: number): Response =>
  Response.json(
    { error: { message: 'Airlock: the request could not be carried out', type: 'airlock_egress' } },
    { status },
  );

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
  TaskSandbox.outbound = async (request, env, { containerId }) => {
    try {
      if (!/^[0-9a-f]{64}$/.test(containerId)) return refused(403);
      return await handleEgress(request, containerId, depsOf(env, waitUntil));
    } catch {
      // For example a deployment with invalid settings. Uncaught, its message could reach the container.
      return refused(502);
    }
  };
}
