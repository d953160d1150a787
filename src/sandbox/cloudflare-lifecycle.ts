/**
 * Performs the life of one container for its Durable Object: starts it at most once, and ends it for good.
 * What to do is decided in `cloudflare-life.ts`; how a container starts and ends is the class's own.
 */
import type { SandboxSpec } from '../core/ports/sandbox-port.ts';
import { DeadlineError, withDeadline } from '../lib/with-deadline.ts';
import { failureKind, failureOf } from './cloudflare-failure.ts';
import { lifeSchema, mayStartContainer, statusOf, type Life, type SandboxStatus } from './cloudflare-life.ts';

const lifeKey = 'airlock.life';
const syncMs = 2_000;
const stillRuns = 'the container still runs';

export interface ContainerControl {
  /** Starts the container. Resolves when it answers calls. */
  start(spec: SandboxSpec): Promise<void>;
  /** Ends the container. Rejects with `DeadlineError` if the platform does not answer. */
  end(): Promise<void>;
}

export class ContainerLifecycle {
  readonly #ctx: DurableObjectState;
  readonly #control: ContainerControl;
  #starting: Promise<void> | null = null;

  constructor(ctx: DurableObjectState, control: ContainerControl) {
    this.#ctx = ctx;
    this.#control = control;
  }

  async bootOnce(spec: SandboxSpec): Promise<SandboxStatus | { readonly kind: 'busy' }> {
    const before = this.status();
    if (before.kind !== 'fresh') return before;
    if (this.#life() === null) this.#remember({ state: 'starting' });
    try {
      this.#starting ??= this.#start(spec);
      await this.#starting;
    } catch (error) {
      const after = this.status();
      if (after.kind === 'lost') return after;
      if (failureKind(failureOf(error)) === 'busy') return { kind: 'busy' };
      throw error;
    } finally {
      this.#starting = null;
    }
    return this.status();
  }

  settle(instance: string): SandboxStatus {
    if (this.#life()?.state === 'starting') this.#remember({ state: 'started', instance });
    return this.status();
  }

  /** Whether a container may start now. */
  mayStart(): boolean {
    return mayStartContainer(this.#life(), this.#starting !== null);
  }

  status(): SandboxStatus {
    return statusOf(this.#life(), this.runs());
  }

  runs(): boolean {
    return this.#ctx.container?.running === true;
  }

  markLost(why: string): void {
    if (this.#life()?.state !== 'ended') this.#remember({ state: 'ended', why });
  }

  async destroy(): Promise<void> {
    this.markLost('it was destroyed');
    await this.#end();
    // A concurrent start may have brought a container up since.
    await this.#starting?.catch(() => undefined);
    if (this.runs()) await this.#end();
  }

  /**
   * The platform's destroy can hang, and then every later one waits for it in workerd until this object is
   * gone. So this aborts the object and everything that waits in it. A retry reaches a new object, which
   * reads its state from storage.
   */
  async #end(): Promise<void> {
    const problem: unknown = await this.#control.end().then(
      () => null,
      (error: unknown) => error,
    );
    if (!this.runs()) return;
    if (problem instanceof DeadlineError) {
      await withDeadline(this.#ctx.storage.sync(), syncMs, 'storing that it was destroyed');
      this.#ctx.abort(stillRuns);
    }
    throw new Error(stillRuns, { cause: problem });
  }

  async #start(spec: SandboxSpec): Promise<void> {
    // Lets the caller set `#starting` before it is read.
    await Promise.resolve();
    await this.#control.start(spec);
    if (this.#life()?.state === 'ended') await this.#end();
  }

  // Synchronous, so that nothing runs between a read and the write that depends on it. Needs the SQLite
  // storage of `new_sqlite_classes`.
  #life(): Life | null {
    const kept: unknown = this.#ctx.storage.kv.get(lifeKey);
    return kept === undefined ? null : lifeSchema.parse(kept);
  }

  #remember(life: Life): void {
    this.#ctx.storage.kv.put(lifeKey, life);
  }
}
