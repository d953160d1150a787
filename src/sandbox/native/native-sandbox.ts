/**
 * The sandbox's Durable Object over the platform's own container interface, `ctx.container`: no SDK in the
 * Worker and no server in the container. Decides nothing: `src/egress` decides what may leave, and
 * `cloudflare-life.ts` where the sandbox is in its life.
 */
import { DurableObject } from 'cloudflare:workers';
import type { SandboxSpec } from '../../core/ports/sandbox-port.ts';
import { readBody } from '../../lib/read-body.ts';
import { withDeadline } from '../../lib/with-deadline.ts';
import type { SandboxStatus } from '../cloudflare-life.ts';
import { ContainerLifecycle } from '../cloudflare-lifecycle.ts';
import { maxReplyBytes, type Booted, type CallResult, type ContainerObject } from '../cloudflare-object.ts';
import { containerEnvironment } from './environment.ts';

/**
 * The export of the Worker's entry that takes every request of every container. Running containers know this
 * name and outlive a deployment: it must never change.
 */
const entrypointName = 'SandboxEgress';
/** The name in `wrangler.jsonc` of the image for repositories that name none. */
const defaultImage = 'base';
/** ½ vCPU, 4 GiB of memory, 8 GB of disk: the smallest type on which a build of some size completes. */
const defaultInstance = 'standard-1';
const noImage = (name: string | null | undefined): string =>
  `wrangler.jsonc has no image named “${name ?? defaultImage}”. Add it to "images" of its container and deploy, or name another one in the configuration`;
/**
 * Milliseconds without a call after which the platform ends the container. Without it the container ends
 * together with its object, which every deployment restarts. The observer calls every few seconds.
 */
const idleMs = 15 * 60_000;
/** Cold starts take 2–3 s; the first after a deployment pulls the image. */
const bootMs = 80_000;
const registerMs = 10_000;
const destroyMs = 15_000;
/** The platform reports the end of a container shortly after the end of its processes. */
const endReportMs = 2_000;
const pollMs = 100;
const killed = 137;

export class TaskSandbox extends DurableObject implements ContainerObject {
  readonly #life = new ContainerLifecycle(this.ctx, {
    start: async (spec) => await this.#start(spec),
    end: async () => await withDeadline(this.#container.destroy(), destroyMs, 'the platform’s destroy'),
  });
  /** Set once this object has registered with its running container. */
  #registered: Promise<void> | null = null;

  async bootOnce(spec: SandboxSpec): Promise<Booted> {
    if (this.#imageOf(spec) === null) return { kind: 'unsupported', why: noImage(spec.image) };
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

  async destroy(): Promise<void> {
    await this.#life.destroy();
  }

  async call(argv: readonly string[], stdin: Uint8Array | null, deadlineMs: number): Promise<CallResult> {
    await this.#register();
    const input = stdin === null ? null : new Response(stdin).body;
    const process = await this.#container.exec([...argv], {
      env: containerEnvironment,
      // In production the default is `/`, whatever the image says. The user is numeric for the same reason.
      cwd: '/',
      user: '0:0',
      stderr: 'ignore',
      ...(input === null ? {} : { stdin: input }),
    });
    const read = await readBody(new Response(process.stdout), { maxBytes: maxReplyBytes, deadlineMs });
    if (read.kind !== 'bytes') {
      process.kill(9);
      throw new Error(`the container’s answer is ${read.kind}`);
    }
    const exitCode = await process.exitCode;
    // A container that is lost does not reject its calls: they end as if they were killed.
    if (exitCode === killed && (await this.#hasEnded())) throw new Error('the container has ended');
    return { exitCode, stdout: new TextDecoder().decode(read.bytes) };
  }

  get #container(): Container {
    const { container } = this.ctx;
    if (container === undefined) throw new Error('this deployment has no containers');
    return container;
  }

  async #start(spec: SandboxSpec): Promise<void> {
    const container = this.#container;
    if (!container.running) {
      const image = this.#imageOf(spec);
      if (image === null) throw new Error(noImage(spec.image));
      // Before the start, so that the first process finds its traffic intercepted. The platform forgets it
      // with the container.
      await this.#intercept();
      container.start({ image, instance: spec.instance ?? defaultInstance, enableInternet: false });
      this.#registered = null;
    }
    await this.#register();
    await this.#firstCommand();
  }

  /** A digest of the account's registry is an image by itself. Null: there is no such image. */
  #imageOf({ image }: SandboxSpec): string | null {
    if (image?.includes('@sha256:') === true) return image;
    const { images } = this.#container;
    const name = image ?? defaultImage;
    return Object.hasOwn(images, name) ? (images[name] ?? null) : null;
  }

  /**
   * Registers once for each object: a new object has forgotten how long its container may idle, and after a
   * restart of the runtime nothing is intercepted, and everything closed, until it is registered again. Not
   * in the constructor, where a platform that hangs would keep `destroy` out too.
   */
  async #register(): Promise<void> {
    this.#registered ??= this.#intercept().then(async () => {
      const kept = this.#container.setInactivityTimeout(idleMs);
      await withDeadline(kept, registerMs, 'keeping the container');
    });
    try {
      await this.#registered;
    } catch (error) {
      this.#registered = null;
      throw error;
    }
  }

  /** One entrypoint for every host: denied requests have to be recorded too. */
  async #intercept(): Promise<void> {
    const entrypoint: unknown = Reflect.get(this.ctx.exports, entrypointName);
    if (!isEntrypoint(entrypoint)) throw new Error(`this Worker does not export ${entrypointName}`);
    // The container cannot touch the properties.
    const egress = entrypoint({ props: { sandboxId: this.ctx.id.toString() } });
    const registered = Promise.all([
      this.#container.interceptAllOutboundHttp(egress),
      this.#container.interceptOutboundHttps('*', egress),
    ]);
    await withDeadline(registered, registerMs, 'registering the interceptor');
  }

  /** The first command waits until the container is up. */
  async #firstCommand(): Promise<void> {
    let isOver = false;
    const first = this.#container
      .exec(['true'], { env: containerEnvironment, stdout: 'ignore', stderr: 'ignore' })
      .then(async ({ exitCode }) => await exitCode);
    const ended = this.#untilEnded(() => isOver).then(() => {
      throw new Error('the container has ended');
    });
    try {
      await withDeadline(Promise.race([first, ended]), bootMs, 'the start of the container');
    } catch (error) {
      throw this.#life.runs() ? error : await this.#reasonOfEnd();
    } finally {
      isOver = true;
      ended.catch(() => undefined);
    }
  }

  /**
   * Asks only now, because a pending `monitor()` would keep this object in memory. `start()` itself never
   * says why it failed.
   */
  async #reasonOfEnd(): Promise<unknown> {
    const monitored = withDeadline(this.#container.monitor(), endReportMs, 'the reason of the end');
    return await monitored.then(
      () => new Error('the container ended while it started'),
      (reason: unknown) => reason,
    );
  }

  async #hasEnded(): Promise<boolean> {
    const until = Date.now() + endReportMs;
    await this.#untilEnded(() => Date.now() > until);
    return !this.#life.runs();
  }

  async #untilEnded(isOver: () => boolean): Promise<void> {
    while (this.#life.runs() && !isOver()) await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

type Entrypoint = (options: { readonly props: { readonly sandboxId: string } }) => Fetcher;
const isEntrypoint = (value: unknown): value is Entrypoint => typeof value === 'function';
