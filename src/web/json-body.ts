/** Reads the JSON body of an API request within bounds of size and time. */
import type { Context } from 'hono';
import { parseJson } from '../lib/parse-json.ts';
import { readBody } from '../lib/read-body.ts';
import { utf8Of } from '../lib/utf8.ts';
import { problem } from './problem.ts';

const deadlineMs = 10_000;

/** `untrusted` is undefined if the body is not JSON in UTF-8. */
type JsonBody =
  | { readonly kind: 'json'; readonly untrusted: unknown }
  | { readonly kind: 'too-large' | 'incomplete' };

export async function readJson(request: Request, maxBytes: number): Promise<JsonBody> {
  const body = await readBody(request, { maxBytes, deadlineMs });
  if (body.kind === 'too-large') return { kind: 'too-large' };
  if (body.kind !== 'bytes') return { kind: 'incomplete' };
  const text = utf8Of(body.bytes);
  return { kind: 'json', untrusted: text === null ? undefined : parseJson(text) };
}

/** The answer to a body that could not be read. */
export function bodyProblem(c: Context, kind: 'too-large' | 'incomplete', maxBytes: number): Response {
  return kind === 'too-large'
    ? problem(c, 413, 'too-large', `The body is larger than ${maxBytes} bytes.`)
    : problem(c, 408, 'incomplete', 'The body did not arrive within ten seconds. Send it again.');
}
