/** Opens documents that we signed and people bring back to us, such as cookies: each ends at an instant. */
import type * as z from 'zod';
import { parseJson } from '../../lib/parse-json.ts';
import type { Signer } from '../../lib/signer.ts';

/** Null: we did not sign it for this purpose, or it has ended. */
export async function openSigned<Of extends { readonly until: number }>(
  signer: Signer,
  purpose: string,
  schema: z.ZodType<Of>,
  { untrusted, now }: { readonly untrusted: string; readonly now: number },
): Promise<Of | null> {
  const opened = await signer.open(purpose, untrusted);
  const parsed = schema.safeParse(opened === null ? null : parseJson(opened));
  return parsed.success && parsed.data.until > now ? parsed.data : null;
}
