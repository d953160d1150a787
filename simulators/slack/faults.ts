/** Faults that a test asks for, and the log of what the app called. */
import type { Fault } from './contract.ts';
import type { CallView } from './contract-views.ts';

export class Faults {
  private readonly planned: { readonly fault: Fault; left: number }[] = [];

  plan(fault: Fault): void {
    this.planned.push({ fault, left: fault.times ?? 1 });
  }

  /** Takes one use of the first fault that fits. */
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

/** The log keeps the last calls only: a demo may run for hours. */
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

/** https://docs.slack.dev/apis/web-api/rate-limits: one message a second for each channel. Slack lets short bursts pass; this does not. */
const messageIntervalMs = 1_000;

export class MessageLimit {
  on = false;
  private readonly last = new Map<string, number>();

  /** Seconds to wait, or null when the message may be posted now. */
  take(channel: string, now: number): number | null {
    if (!this.on) return null;
    const since = now - (this.last.get(channel) ?? -Infinity);
    if (since < messageIntervalMs) return 1;
    this.last.set(channel, now);
    return null;
  }
}
