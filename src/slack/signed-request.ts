/**
 * The door of `POST /slack/events`: method, type, size, signature, encoding, in this order, and only then a look at what is said.
 * Answers to whoever is not Slack are fixed texts; what a stranger sends is never echoed.
 */
import { verifySignature } from './signature.ts';
import { readPayload, type Inbound } from './payload.ts';

/** Slack documents no limit. A view has at most 250 kB, a message 40,000 characters; everything else is smaller. */
const maxBodyBytes = 1024 * 1024;

export type Admission =
  | { readonly kind: 'inbound'; readonly inbound: Inbound }
  | { readonly kind: 'answer'; readonly response: Response };

export interface DoorDeps {
  readonly signingSecret: string;
  readonly now: () => Date;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** Counts while reading: `Content-Length` is the sender's claim, and may be missing. null when it is too large. */
async function readBytes(request: Request): Promise<Uint8Array | null> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) return null;
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const chunk: { readonly done: boolean; readonly value?: unknown } = await reader.read();
    if (chunk.done) break;
    if (!(chunk.value instanceof Uint8Array)) continue;
    size += chunk.value.byteLength;
    if (size > maxBodyBytes) {
      await reader.cancel();
      return null;
    }
    chunks.push(chunk.value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** null when it is not UTF-8: Slack sends nothing else, and a replaced character would not be what was signed. */
function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

export async function admit(request: Request, deps: DoorDeps): Promise<Admission> {
  const refuse = (status: number, why: string): Admission => {
    deps.log('slack.refused', { why, status });
    return { kind: 'answer', response: new Response(why, { status }) };
  };
  if (request.method !== 'POST') {
    return {
      kind: 'answer',
      response: new Response('use POST', { status: 405, headers: { allow: 'POST' } }),
    };
  }
  const type = /^application\/(json|x-www-form-urlencoded)\s*(?:;|$)/i.exec(
    request.headers.get('content-type') ?? '',
  )?.[1];
  if (type === undefined) return refuse(415, 'neither a form nor JSON');
  const bytes = await readBytes(request);
  if (bytes === null) return refuse(413, 'too large');
  const verdict = await verifySignature({
    secret: deps.signingSecret,
    timestamp: request.headers.get('x-slack-request-timestamp'),
    signature: request.headers.get('x-slack-signature'),
    body: bytes,
    now: deps.now(),
  });
  // One answer for all of them: what exactly was wrong helps only who tries.
  if (verdict !== 'signed') {
    deps.log('slack.refused', { why: `signature: ${verdict}`, status: 401 });
    return { kind: 'answer', response: new Response('not signed by Slack', { status: 401 }) };
  }
  const text = decode(bytes);
  if (text === null) return refuse(400, 'not UTF-8');
  const reading = readPayload(type.toLowerCase() !== 'json', text);
  switch (reading.kind) {
    case 'inbound':
      return reading;
    case 'challenge':
      return { kind: 'answer', response: Response.json({ challenge: reading.challenge }) };
    case 'ssl-check':
      return { kind: 'answer', response: new Response('') };
    case 'ignored':
      deps.log('slack.ignored', { why: reading.why });
      return { kind: 'answer', response: new Response('') };
    case 'malformed':
      return refuse(400, reading.why);
  }
}
