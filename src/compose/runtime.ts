/** The clock, the log and `fetch` of the runtime. */
import { logLine } from '../lib/log-line.ts';

/** workerd refuses to run its own `fetch` as a method of another object. */
export const platformFetch: typeof fetch = async (input, init) => await fetch(input, init);

export const now = (): number => Date.now();

/** Writes one line of the log. Never pass it a credential, or text of a repository or a person. */
export function log(event: string, fields: Record<string, unknown>): void {
  console.log(logLine(event, fields, new Date(now())));
}
