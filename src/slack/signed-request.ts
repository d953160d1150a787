/** Authenticates `POST /slack/events`, then parses it. Refusals are fixed texts and never echo the input. */
import { verifySignature } from './signature.ts';
import { readPayload, type Inbound } from './payload.ts';
import { roomFor, type BodyRoom } from '../lib/body-room.ts';
import { readBody } from '../lib/read-body.ts';
import { utf8Of } from '../lib/utf8.ts';

/** Limit of a request body. Slack documents none; its largest payload is a view of at most 250 kB. */
const maxBodyBytes = 1024 * 1024;
/** Milliseconds that a request waits for room, within the 3 s that Slack waits. */
const roomWaitMs = 1000;
/** Milliseconds. Slack gives up after 3 s, so this only ends requests that are not from Slack. */
const bodyDeadlineMs = 10_000;

export type Admission =
  | { readonly kind: 'inbound'; readonly inbound: Inbound }
  | { readonly kind: 'answer'; readonly response: Response };

export interface AdmissionDeps {
  readonly signingSecret: string;
  /** Bounds the memory for bodies whose signature is not verified yet. */
  readonly room: BodyRoom;
  readonly now: () => Date;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

/** Authenticates and parses a request. Returns its payload, or the HTTP response to send instead. */
export async function admit(request: Request, deps: AdmissionDeps): Promise<Admission> {
  const leave = await deps.room.reserve(roomFor(request, maxBodyBytes), roomWaitMs);
  if (leave === null) {
    deps.log('slack.refused', { why: 'busy', status: 503 });
    const init = { status: 503, headers: { 'retry-after': '5' } };
    return { kind: 'answer', response: new Response('too many requests at once', init) };
  }
  try {
    return await authenticate(request, deps);
  } finally {
    leave();
  }
}

async function authenticate(request: Request, deps: AdmissionDeps): Promise<Admission> {
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
  const body = await readBody(request, { maxBytes: maxBodyBytes, deadlineMs: bodyDeadlineMs });
  if (body.kind === 'too-large') return refuse(413, 'too large');
  if (body.kind !== 'bytes') return refuse(408, 'the request did not arrive');
  const { bytes } = body;
  const verdict = await verifySignature({
    secret: deps.signingSecret,
    timestamp: request.headers.get('x-slack-request-timestamp'),
    signature: request.headers.get('x-slack-signature'),
    body: bytes,
    now: deps.now(),
  });
  // One answer for all verdicts, so that an attacker does not learn which check failed.
  if (verdict !== 'signed') {
    deps.log('slack.refused', { why: `signature: ${verdict}`, status: 401 });
    return { kind: 'answer', response: new Response('not signed by Slack', { status: 401 }) };
  }
  // Slack sends nothing but UTF-8, and a replaced character would not be what it signed.
  const text = utf8Of(bytes);
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
