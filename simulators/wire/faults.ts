/**
 * Breaks single requests to a simulator as a network, a proxy or a busy service does. One program for every
 * service: it sits before the simulator, which performs what reaches it and knows nothing of it.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  request as send,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface WireRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authorization: string | null;
  /** As text; empty if there is none. */
  readonly body: () => Promise<string>;
}

export type WireFault =
  /** The connection breaks before the request is performed. */
  | { readonly kind: 'reset' }
  /** The request is performed, and its answer never arrives. */
  | { readonly kind: 'lost' }
  /** Answers in place of the service, which does not get the request. */
  | {
      readonly kind: 'refuse';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly json: unknown;
    }
  /** Reaches the service only then. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Performed twice, as after a proxy's own retry. The second answer arrives. */
  | { readonly kind: 'duplicate' };

/** Asked about every request; null: serve it as usual. */
export type Wire = (request: WireRequest) => Promise<WireFault | null>;

const passHeader = 'x-simulator-pass';

/** Puts the wire before a simulator's server. Without one the server's own listener is returned. */
export function onWire(wire: Wire | undefined, serve: RequestListener): RequestListener {
  if (wire === undefined) return serve;
  const pass = randomBytes(16).toString('hex');
  return (request, response) => {
    if (request.headers[passHeader] === pass) serve(request, response);
    else void carry(wire, serve, pass, request, response).catch(() => response.destroy());
  };
}

async function carry(
  wire: Wire,
  serve: RequestListener,
  pass: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let body: Promise<Buffer> | undefined;
  const whole = async () => await (body ??= buffer(request));
  const fault = await wire({
    method: request.method ?? '',
    path: request.url ?? '/',
    authorization: request.headers.authorization ?? null,
    body: async () => (await whole()).toString('utf8'),
  });
  // A body that nobody has read is still in the request.
  if (fault === null && body === undefined) {
    serve(request, response);
    return;
  }
  const perform = async () => await sendAgain(request, await whole(), pass);
  const answerWith = (answer: IncomingMessage) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.once('error', () => response.destroy());
    answer.pipe(response);
  };
  if (fault === null) return answerWith(await perform());
  switch (fault.kind) {
    case 'reset':
      response.destroy();
      return;
    case 'lost': {
      const closed = once(response, 'close');
      (await perform()).resume();
      await closed;
      return;
    }
    case 'refuse':
      await whole();
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      response.end(JSON.stringify(fault.json));
      return;
    case 'hold':
      await whole();
      await fault.until;
      return answerWith(await perform());
    case 'duplicate':
      await buffer(await perform());
      return answerWith(await perform());
  }
}

/** The same request to the same server, which serves it because of the header. */
async function sendAgain(request: IncomingMessage, body: Buffer, pass: string): Promise<IncomingMessage> {
  const headers: OutgoingHttpHeaders = { ...request.headers, [passHeader]: pass };
  delete headers['transfer-encoding'];
  headers['content-length'] = body.length;
  headers.connection = 'close';
  const sent = send({
    host: request.socket.localAddress,
    port: request.socket.localPort,
    method: request.method,
    path: request.url,
    headers,
  });
  sent.end(body);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  sent.once('response', resolve).once('error', reject);
  return await promise;
}
