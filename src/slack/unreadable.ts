/** Reading a payload as Slack documents it. What is signed but of another shape is refused aloud: a request may be lost with it. */
import type * as z from 'zod';

/** `where` names fields, never what is in them. */
export class UnreadablePayloadError extends Error {
  override readonly name = 'UnreadablePayloadError';
  readonly where: string;
  constructor(where: string) {
    super(`not as Slack documents it: ${where}`);
    this.where = where;
  }
}

/** Throws `UnreadablePayloadError`. */
export function readAs<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const where = result.error.issues.map(({ path }) => path.join('.'));
  throw new UnreadablePayloadError(where.slice(0, 5).join(', '));
}
