/** A signed payload in an unknown format is an error: ignoring it could lose a request. */
import type * as z from 'zod';

/** `where` lists the names of the invalid fields, never their values. */
export class UnreadablePayloadError extends Error {
  override readonly name = 'UnreadablePayloadError';
  readonly where: string;
  constructor(where: string) {
    super(`not in the format that Slack documents: ${where}`);
    this.where = where;
  }
}

/** Parses a payload. Throws `UnreadablePayloadError`. */
export function parsePayload<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const where = result.error.issues.map(({ path }) => path.join('.'));
  throw new UnreadablePayloadError(where.slice(0, 5).join(', '));
}
