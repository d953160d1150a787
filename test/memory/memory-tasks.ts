/**
 * Records, of the product's own class on SQLite, and Workflows, in memory. The clock is virtual: it moves
 * only while a Workflow waits.
 */
import type { WorkflowStep } from 'cloudflare:workers';
import { TaskRecordBase, type RecordDeps } from '../../src/tasks/record/record.ts';
import { MemoryStorage } from './memory-storage.ts';

interface Planned {
  readonly at: number;
  readonly run: () => Promise<void> | void;
}

export class MemoryTasks {
  now: number;
  /** Steps that Workflows took, waits included. */
  steps = 0;
  /** Drops every `wake`, as a platform that loses events. */
  losesEvents = false;
  readonly #deps: (tasks: MemoryTasks) => RecordDeps;
  readonly #records = new Map<string, MemoryRecord>();
  readonly #wakes = new Map<string, number>();
  #planned: readonly Planned[] = [];

  constructor(now: number, deps: (tasks: MemoryTasks) => RecordDeps) {
    this.now = now;
    this.#deps = deps;
  }

  record(taskId: string): MemoryRecord {
    const known = this.#records.get(taskId);
    if (known !== undefined) return known;
    const record = new MemoryRecord(new MemoryStorage(), this.#deps(this));
    this.#records.set(taskId, record);
    return record;
  }

  /** Ends the record's process, now if it has not crashed, and starts it again. */
  restart(taskId: string): void {
    const storage = this.record(taskId).storage.afterCrash();
    storage.repeatAlarm(this.now);
    this.#records.set(taskId, new MemoryRecord(storage, this.#deps(this)));
  }

  plan(at: number, run: Planned['run']): void {
    this.#planned = [...this.#planned, { at, run }].toSorted((a, b) => a.at - b.at);
  }

  wake(instanceId: string): void {
    if (!this.losesEvents) this.#wakes.set(instanceId, (this.#wakes.get(instanceId) ?? 0) + 1);
  }

  /** Runs steps at once, retried without a pause. */
  workflow(instanceId: string): WorkflowStep {
    const step: unknown = {
      do: async (_: string, config: { retries?: { limit: number } }, work: () => Promise<unknown>) => {
        this.steps += 1;
        for (let attempt = 0; ; attempt += 1) {
          try {
            return stored(await work());
          } catch (error) {
            if (attempt >= (config.retries?.limit ?? 0)) throw error;
          }
        }
      },
      sleep: async (_: string, ms: number) => {
        this.steps += 1;
        await this.#pass(this.now + ms);
      },
      waitForEvent: async (name: string, { timeout }: { timeout: number }) => {
        this.steps += 1;
        await this.#wait(instanceId, this.now + timeout, name);
      },
    };
    // oxlint-disable-next-line typescript/consistent-type-assertions, typescript/no-unsafe-type-assertion -- the methods that tasks use
    return step as WorkflowStep;
  }

  /** Lets time pass, whatever events come. */
  async #pass(until: number): Promise<void> {
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.now = Math.max(this.now, next.at);
      await next.run();
    }
    this.now = Math.max(this.now, until);
  }

  async #wait(instanceId: string, deadline: number, name: string): Promise<void> {
    for (;;) {
      // Lets concurrent work end first.
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      const wakes = this.#wakes.get(instanceId) ?? 0;
      if (wakes > 0) {
        this.#wakes.set(instanceId, wakes - 1);
        return;
      }
      const next = this.#next(deadline);
      if (next === null) {
        this.now = Math.max(this.now, deadline);
        throw new Error(`${name}: timed out`);
      }
      this.now = Math.max(this.now, next.at);
      await next.run();
    }
  }

  #next(deadline: number): Planned | null {
    const alarms = [...this.#records].flatMap(([taskId, record]): Planned[] =>
      record.storage.alarm === null
        ? []
        : [
            {
              at: record.storage.alarm,
              run: async () => {
                record.storage.takeAlarm();
                await record.alarm().catch(() => record.storage.repeatAlarm(this.now));
                if (record.storage.isDead) this.restart(taskId);
              },
            },
          ],
    );
    const [planned] = this.#planned;
    const first = [...alarms, ...this.#planned].toSorted((a, b) => a.at - b.at)[0] ?? null;
    if (first === null || first.at > deadline) return null;
    if (first === planned) this.#planned = this.#planned.slice(1);
    return first;
  }
}

export class MemoryRecord extends TaskRecordBase<null> {
  readonly storage: MemoryStorage;
  readonly #deps: RecordDeps;

  constructor(storage: MemoryStorage, deps: RecordDeps) {
    const ctx: unknown = { storage, waitUntil: () => undefined };
    // oxlint-disable-next-line typescript/consistent-type-assertions, typescript/no-unsafe-type-assertion -- the storage that records use
    super(ctx as DurableObjectState, null);
    this.storage = storage;
    this.#deps = deps;
  }

  protected override deps(): RecordDeps {
    return this.#deps;
  }
}

/** What a step returns is stored as JSON by the platform. */
function stored(result: unknown): unknown {
  return result === undefined ? undefined : JSON.parse(JSON.stringify(result));
}
