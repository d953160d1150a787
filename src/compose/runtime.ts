/** The clock, the log and `fetch` of the runtime. */

/** workerd refuses to run its own `fetch` as a method of another object. */
export const platformFetch: typeof fetch = async (input, init) => await fetch(input, init);

export const now = (): number => Date.now();

/**
 * Writes one JSON object per line, `event` first. Never pass it a credential, or text of a repository or a
 * person.
 */
export function log(event: string, fields: Record<string, unknown>): void {
  console.log(JSON.stringify({ event, ...fields }));
}
