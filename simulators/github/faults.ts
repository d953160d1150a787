/** Planned faults, and the log of requests. */
import type { Fault, RequestView } from './contract.ts';

export class Faults {
  private readonly planned: { readonly fault: Fault; left: number }[] = [];

  plan(fault: Fault): void {
    this.planned.push({ fault, left: fault.times ?? 1 });
  }

  /** Consumes one use of the first planned fault that matches; null if none does. */
  take(method: string, path: string): Fault | null {
    const index = this.planned.findIndex(({ fault }) => fault.method === method && fault.path.test(path));
    const found = this.planned[index];
    if (found === undefined) return null;
    found.left -= 1;
    if (found.left <= 0) this.planned.splice(index, 1);
    found.fault.onMet?.();
    return found.fault;
  }
}

/** Entries that the log keeps, because a demo can run for hours. */
const maxLogged = 10_000;

export class RequestLog {
  private readonly entries: RequestView[] = [];

  all(): readonly RequestView[] {
    return this.entries;
  }

  add(entry: RequestView): void {
    this.entries.push(entry);
    if (this.entries.length > maxLogged) this.entries.shift();
  }
}
