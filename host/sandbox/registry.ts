/** Every sandbox's state: absent → starting → running → ending → gone, once per id (`SandboxGone`). */
import type { SandboxSpec } from '../../src/core/ports/sandbox-port.ts';
import type { RunningSandbox } from './running-sandbox.ts';
import type { UsedIds } from './used-ids.ts';

export class SandboxGone extends Error {
  override readonly name = 'SandboxGone';
}

/** The host runs its maximum of sandboxes. Transient: a later attempt can succeed. */
export class TooManySandboxes extends Error {
  override readonly name = 'TooManySandboxes';
}

type Entry =
  | { readonly state: 'starting'; readonly slot: number; readonly started: Promise<RunningSandbox> }
  | { readonly state: 'running'; readonly slot: number; readonly sandbox: RunningSandbox }
  | { readonly state: 'ending'; readonly slot: number; readonly done: Promise<void>; readonly reason: string }
  | { readonly state: 'gone'; readonly reason: string };

export interface RegistryOptions {
  readonly maxSandboxes: number;
  readonly usedIds: UsedIds;
  /** `slot`: 0 to `maxSandboxes` - 1; no two live sandboxes share one. */
  readonly launch: (sandboxId: string, spec: SandboxSpec, slot: number) => Promise<RunningSandbox>;
  readonly onEnded: (sandboxId: string, reason: string) => void;
}

export interface Registry {
  /** Starts a sandbox; no effect if it runs already. Rejects with `SandboxGone` or `TooManySandboxes`. */
  start(sandboxId: string, spec: SandboxSpec): Promise<void>;
  /** Returns a running sandbox; throws `SandboxGone` otherwise. */
  running(sandboxId: string): RunningSandbox;
  /** Resolves once nothing of it is left. A later start is refused, even for a new id. */
  destroy(sandboxId: string, reason: string): Promise<void>;
  /** Ids of the sandboxes that are starting or running. */
  list(): readonly string[];
  /** Starts no more sandboxes: `start` rejects with `TooManySandboxes`, except for one that is there. */
  drain(): void;
  destroyAll(reason: string): Promise<void>;
}

export function createRegistry({ maxSandboxes, usedIds, launch, onEnded }: RegistryOptions): Registry {
  const entries = new Map<string, Entry>();
  let isDraining = false;

  function freeSlot(): number {
    if (isDraining) throw new TooManySandboxes('this host is stopping, and starts no more sandboxes');
    const taken = new Set([...entries.values()].map((entry) => (entry.state === 'gone' ? -1 : entry.slot)));
    for (let slot = 0; slot < maxSandboxes; slot++) if (!taken.has(slot)) return slot;
    throw new TooManySandboxes(`this host runs ${maxSandboxes} sandboxes already`);
  }

  function end(sandboxId: string, slot: number, sandbox: RunningSandbox, reason: string): Promise<void> {
    const done = sandbox.end().finally(() => {
      entries.set(sandboxId, { state: 'gone', reason });
      onEnded(sandboxId, reason);
    });
    entries.set(sandboxId, { state: 'ending', slot, done, reason });
    return done;
  }

  async function bringUp(sandboxId: string, spec: SandboxSpec, slot: number): Promise<RunningSandbox> {
    let claimed = false;
    try {
      claimed = await usedIds.claim(sandboxId);
      if (!claimed) throw new SandboxGone('this sandbox was used before');
      return await launch(sandboxId, spec, slot);
    } catch (error) {
      // Nothing ran in it, so a retry can use the id again, unless the sandbox was destroyed meanwhile.
      const current = entries.get(sandboxId);
      if (current?.state === 'starting') {
        if (claimed) {
          await usedIds.forget(sandboxId);
          entries.delete(sandboxId);
        } else entries.set(sandboxId, { state: 'gone', reason: 'this sandbox was used before' });
      }
      throw error;
    }
  }

  return {
    async start(sandboxId, spec) {
      const entry = entries.get(sandboxId);
      switch (entry?.state) {
        case 'running':
          return;
        case 'starting':
          await entry.started;
          this.running(sandboxId);
          return;
        case 'ending':
        case 'gone':
          throw new SandboxGone(entry.reason);
        case undefined: {
          const slot = freeSlot();
          const started = bringUp(sandboxId, spec, slot);
          entries.set(sandboxId, { state: 'starting', slot, started });
          const sandbox = await started;
          const current = entries.get(sandboxId);
          if (current?.state !== 'starting')
            throw new SandboxGone('the sandbox was destroyed while it started');
          entries.set(sandboxId, { state: 'running', slot, sandbox });
          void sandbox.ended.then((reason) => {
            if (entries.get(sandboxId)?.state === 'running') return end(sandboxId, slot, sandbox, reason);
            return undefined;
          });
        }
      }
    },

    running(sandboxId) {
      const entry = entries.get(sandboxId);
      if (entry?.state === 'running') return entry.sandbox;
      throw new SandboxGone(
        entry === undefined || entry.state === 'starting' ? 'no such sandbox runs' : entry.reason,
      );
    },

    async destroy(sandboxId, reason) {
      const entry = entries.get(sandboxId);
      switch (entry?.state) {
        case 'running':
          return await end(sandboxId, entry.slot, entry.sandbox, reason);
        case 'starting': {
          const done = entry.started
            .then(
              (sandbox) => sandbox.end(),
              () => undefined,
            )
            .finally(() => entries.set(sandboxId, { state: 'gone', reason }));
          entries.set(sandboxId, { state: 'ending', slot: entry.slot, done, reason });
          return await done;
        }
        case 'ending':
          return await entry.done;
        case 'gone':
          return;
        case undefined:
          entries.set(sandboxId, { state: 'gone', reason });
          await usedIds.claim(sandboxId);
      }
    },

    list: () =>
      [...entries].filter(([, { state }]) => state === 'starting' || state === 'running').map(([id]) => id),

    drain() {
      isDraining = true;
    },

    async destroyAll(reason) {
      await Promise.allSettled([...entries.keys()].map((sandboxId) => this.destroy(sandboxId, reason)));
    },
  };
}
