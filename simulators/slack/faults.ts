/** Planned faults, the log of API calls, and the message rate limit. */
import type { Fault } from './contract.ts';
import type { CallView } from './contract-views.ts';

export class Faults {
  private readonly planned: { readonly fault: Fault; left: number }[] = [];

  plan(fault: Fault): void {
    this.planned.push({ fault, left: fault.times ?? 1 });
  }

  /** Consumes one use of the first planned fault that matches; null if none does. */
  take(method: string): Fault | null {
    const index = this.planned.findIndex(({ fault }) =>
      typeof fault.method === 'string' ? fault.method === method : fault.method.test(method),
    );
    const found = this.planned[index];
    if (found === undefined) return null;
    found.left -= 1;
    if (found.left <= 0) this.planned.splice(index, 1);
    return found.fault;
  }
}

/** Entries that the log keeps, because a demo can run for hours. */
const maxLogged = 20_000;

export class CallLog {
  private readonly entries: CallView[] = [];

  all(): readonly CallView[] {
    return [...this.entries];
  }

  add(entry: CallView): void {
    this.entries.push(entry);
    if (this.entries.length > maxLogged) this.entries.shift();
  }
}

/** Per channel (docs.slack.dev/apis/web-api/rate-limits). Slack allows short bursts. */
const messageIntervalMs = 1_000;

export class MessageLimit {
  on = false;
  private readonly last = new Map<string, number>();

  /** Seconds to wait, or null if the message is within the limit. `now` is in ms. */
  take(channel: string, now: number): number | null {
    if (!this.on) return null;
    const since = now - (this.last.get(channel) ?? -Infinity);
    if (since < messageIntervalMs) return 1;
    this.last.set(channel, now);
    return null;
  }
}
