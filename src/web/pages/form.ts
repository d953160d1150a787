/** Reads a form of our own pages. Refuses other sites' by the session's token and by `Sec-Fetch-Site`. */
import type { Context } from 'hono';
import { readBody } from '../../lib/read-body.ts';
import { sameSecret } from '../../lib/same-secret.ts';
import { utf8Of } from '../../lib/utf8.ts';
import type { Session } from './session.ts';

const bounds = { maxBytes: 64 * 1024, deadlineMs: 10_000 };

/** Null: another site sent it, or it is no form of this session. */
export async function formOf(c: Context, { formToken }: Session): Promise<URLSearchParams | null> {
  const site = c.req.header('sec-fetch-site') ?? 'same-origin';
  if (site !== 'same-origin') return null;
  const body = await readBody(c.req.raw, bounds);
  const text = body.kind === 'bytes' ? utf8Of(body.bytes) : null;
  if (text === null) return null;
  const form = new URLSearchParams(text);
  return (await sameSecret(form.get('token') ?? '', formToken)) ? form : null;
}
