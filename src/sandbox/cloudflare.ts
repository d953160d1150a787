/**
 * The sandbox's Durable Object on Cloudflare: the SDK's `Sandbox`, closed. It decides nothing: what may leave it is `src/egress`'s, where it
 * stands in its life is `cloudflare-life.ts`'s. Only the files `cloudflare*.ts` of this folder know the SDK.
 *
 * The entry of the Worker has to export `TaskSandbox` and `ContainerProxy`, and to call `connectOutbound` when it is loaded: the platform
 * asks for the handlers in whatever isolate a request of a container comes up in. Until then everything is refused.
 */
import { Sandbox } from '@cloudflare/sandbox';
import { waitUntil } from 'cloudflare:workers';
import { DeadlineError, withDeadline } from '../lib/with-deadline.ts';
import { handleEgress, type EgressDeps } from '../egress/handler.ts';
import { failureKind } from './cloudflare-failure.ts';
import { lifeSchema, mayStartContainer, standingOf, type Life, type Standing } from './cloudflare-life.ts';

export { ContainerProxy } from '@cloudflare/sandbox';

const lifeKey = 'airlock.life';
/** The port of the SDK's server in the container. */
const controlPort = 3000;
/** Until the platform has a machine, and until the server on it listens. Cold starts take 2–3 s; the first after a deployment pulls the image. */
const instanceMs = 20_000;
const portMs = 60_000;
/** All three within what the adapter waits. The platform only has to send a signal. */
const sdkDestroyMs = 10_000;
const platformDestroyMs = 5_000;
const syncMs = 2_000;
const stillRuns = 'the container still runs';

type StartArguments = Parameters<Sandbox['startAndWaitForPorts']>;

export class TaskSandbox extends Sandbox {
  override enableInternet = false;
  /** Off by default, and then port 443 would not pass our handler. */
  override interceptHttps = true;
  /** Polling keeps a container alive, a running process alone does not; the observer polls every few seconds. */
  override sleepAfter: string | number = '15m';
  // No static fields, above all no `outbound…`: a field of that name would hide the setter that registers the handlers, and nothing
  // would be intercepted. They are assigned below the class.

  #starting: Promise<void> | null = null;

  /** Starts the container, once. `busy`: the platform has none to give now. */
  async bootOnce(): Promise<Standing | { readonly kind: 'busy' }> {
    const before = this.#standing();
    if (before.kind !== 'fresh') return before;
    if (this.#life() === null) this.#remember({ state: 'starting' });
    try {
      this.#starting ??= this.#startContainer();
      await this.#starting;
    } catch (error) {
      const after = this.#standing();
      if (after.kind === 'lost') return after;
      if (failureKind({ message: String(error), platform: false }) === 'busy') return { kind: 'busy' };
      throw error;
    } finally {
      this.#starting = null;
    }
    return this.#standing();
  }

  /** The container is prepared. The first preparation counts, so that all who start at once use the same. */
  async settle(instance: string): Promise<Standing> {
    const life = this.#life();
    if (life?.state === 'starting') this.#remember({ state: 'started', instance });
    return this.#standing();
  }

  async standing(): Promise<Standing> {
    return this.#standing();
  }

  /** Another container answers in the place of the one that was started. */
  async markLost(why: string): Promise<void> {
    this.#end(why);
  }

  /** Rejects while the container still runs. What was remembered first holds even then: nothing is carried out in it any more. */
  override async destroy(): Promise<void> {
    this.#end('it was destroyed');
    await this.#destroyContainer();
    // A start that was under way may have brought a container up after that.
    await this.#starting?.catch(() => undefined);
    if (this.ctx.container?.running === true) await this.#destroyContainer();
  }

  /**
   * Rejects while the container still runs. The platform's answer may never come, and then every later destroy waits for the one that
   * hangs: the SDK has it so, and workerd as well, until this object is gone. So the platform is asked past the SDK, and if that does not
   * help this object ends, with all that waits in it. Whoever tries again finds a new one, which knows from its storage how it stands.
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

  /** The SDK starts a container for any call that finds none. Here only `bootOnce` does: what ran in the old one would be missing. */
  override async startAndWaitForPorts(...args: StartArguments): Promise<void> {
    if (this.ctx.container?.running !== true && !mayStartContainer(this.#life(), this.#starting !== null))
      throw new Error('no call starts a container');
    await super.startAndWaitForPorts(...args);
  }

  async #startContainer(): Promise<void> {
    // Lets `#starting` be set before the first look at it.
    await Promise.resolve();
    await this.startAndWaitForPorts(controlPort, {
      instanceGetTimeoutMS: instanceMs,
      portReadyTimeoutMS: portMs,
    });
    if (this.#life()?.state === 'ended') await this.#destroyContainer();
  }

  // Without awaiting: between a look and what is written after it nobody else comes in. Needs the SQLite storage of `new_sqlite_classes`.
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

  #standing(): Standing {
    return standingOf(this.#life(), this.ctx.container?.running === true);
  }
}

/** null when it has none. */
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

// The bundle is minified, and this name goes with a container's requests: it outlives a deployment, and has to mean this class in
// the next one as well. Before the handlers, which are registered under it.
Object.defineProperty(TaskSandbox, 'name', { value: 'TaskSandbox' });
// By assignment, after the class, and before anything else: whoever forgets to connect it has a sandbox that reaches nothing.
TaskSandbox.outbound = () => refused(403);

/** As a method: the SDK knows the environment only as `Cloudflare.Env`, and the Worker's own says more of the same object. */
type DepsOf = {
  of(env: Cloudflare.Env, waitUntil: (work: Promise<unknown>) => void): EgressDeps;
}['of'];

/**
 * Sends every request of every sandbox, to whatever host, through the egress decision. One handler and no table of hosts: what is allowed
 * is a matter of the grant, and what is forbidden has to be recorded too. The grant is found by the container's id alone, which the platform gives and
 * the container cannot change. To be called at the top level of the entry; `depsOf` is called for each request.
 */
export function connectOutbound(depsOf: DepsOf): void {
  TaskSandbox.outbound = async (request, env, { containerId }) => {
    try {
      if (!/^[0-9a-f]{64}$/.test(containerId)) return refused(403);
      return await handleEgress(request, containerId, depsOf(env, waitUntil));
    } catch {
      // A deployment whose settings are broken, for one. Uncaught, its message could reach the container.
      return refused(502);
    }
  };
}
