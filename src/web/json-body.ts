/** Reads the JSON body of an API request within bounds of size and time. */
import { parseJson } from '../lib/parse-json.ts';
import { readBody } from '../lib/read-body.ts';
import { utf8Of } from '../lib/utf8.ts';

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

/** The answer to a body that could not be read: its JSON and its status. */
export function bodyProblem(
  code: 'too-large' | 'incomplete',
  maxBytes: number,
): [{ error: { code: string; message: string } }, 408 | 413] {
  return code === 'too-large'
    ? [{ error: { code, message: `The body is larger than ${maxBytes} bytes.` } }, 413]
    : [{ error: { code, message: 'The body did not arrive within ten seconds. Send it again.' } }, 408];
}
