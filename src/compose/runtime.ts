/** What the platform gives, in the form in which everything takes it. */

/** workerd's own fetch refuses to be called as a method of something else. */
export const platformFetch: typeof fetch = async (input, init) => await fetch(input, init);

export const now = (): number => Date.now();

/** Structured logs: one JSON object a line, `event` first. Never a credential, never text of a repository or a person. */
export function log(event: string, fields: Record<string, unknown>): void {
  console.log(JSON.stringify({ event, ...fields }));
}
