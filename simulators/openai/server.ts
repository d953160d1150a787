/** Simulates the Responses API with scripted answers: HTTP server, API key check and delays. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { listenOnLoopback } from '../../host/listen-on-loopback.ts';
import { compactionItem, itemsOf } from './items.ts';
import { readResponsesRequest, refusal, type Refusal, type ResponsesRequest } from './request.ts';
import { nextAnswer, type Answer, type Script } from './script.ts';
import { onWire, type Wire } from '../wire/faults.ts';
import { encodeEvent, idsFrom, responseObject, streamEvents } from './stream.ts';

export interface RecordedRequest {
  /** Arrival of the request's headers, in ms since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The number of the script's answer; null if the request was refused before. */
  readonly step: number | null;
  readonly model: string | null;
  readonly status: number;
  /** Without `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface OpenAiSimulator {
  /** The base URL for Codex, ending in `/v1`. */
  readonly url: string;
  readonly port: number;
  /** Every request so far, including refused ones, oldest first. */
  requests(): readonly RecordedRequest[];
  /** Overrides the answers to `GET /v1/models/{model}`, as a proxy might; null restores them. */
  answerModelsWith(answer: ModelsAnswer | null): void;
  /** Closes every connection, new ones too, until it is back. */
  beAway(away: boolean): void;
  close(): Promise<void>;
}

export interface ModelsAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export interface OpenAiSimulatorOptions {
  /** TCP port on 127.0.0.1. 0 (the default) picks a free one. */
  readonly port?: number;
  /** The only valid API key. */
  readonly apiKey: string;
  readonly script: Script;
  /** The available models. The default has one for each way in which Codex offers tools. */
  readonly models?: readonly string[];
  /** Time from the end of the request to the first event, in ms. A function receives the step. */
  readonly latencyMs?: number | ((step: number) => number);
  /** Breaks requests to it. */
  readonly wire?: Wire;
}

/** Codex offers tools to `gpt-6.1-sol` as input items, to `gpt-5.5` at top level. */
const simulatedModels = ['gpt-6.1-sol', 'gpt-5.5'] as const;

/** Codex sends about 70 KB per request, in a long thread a few MB. */
const maxBodyBytes = 32 * 1024 * 1024;
const newId = idsFrom((digits) => randomBytes(digits / 2).toString('hex'));

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

function keyRefusal(authorization: string | undefined, apiKey: string): Refusal | null {
  const given = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
  if (given === undefined) {
    return refusal(401, 'Missing bearer or basic authentication in header', null);
  }
  if (timingSafeEqual(sha256(given), sha256(apiKey))) return null;
  const shown =
    given.length > 12 ? `${given.slice(0, 8)}${'*'.repeat(8)}${given.slice(-4)}` : '*'.repeat(given.length);
  return refusal(
    401,
    `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`,
    'invalid_api_key',
  );
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    size += chunk.length;
    // Keep reading: leaving the loop would close the connection before the refusal is sent.
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  return size > maxBodyBytes ? null : Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': newId('req') });
  response.end(JSON.stringify(body));
}

/** Streams an answer, or its first half if the script cuts the connection. */
function sendStream(
  response: ServerResponse,
  request: ResponsesRequest,
  answer: Answer | 'compaction',
): void {
  const items = answer === 'compaction' ? [compactionItem(newId)] : itemsOf(answer, request.offered, newId);
  const frame = { id: newId('resp'), createdAt: Math.floor(Date.now() / 1000) };
  if (!request.stream) {
    sendJson(response, 200, responseObject(request, frame, { status: 'completed', output: items }));
    return;
  }
  const events = streamEvents(request, frame, items).map(encodeEvent);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-request-id': newId('req'),
  });
  if (answer !== 'compaction' && answer.last.move === 'cut') {
    response.write(events.slice(0, Math.ceil(events.length / 2)).join(''), () => response.destroy());
    return;
  }
  response.end(events.join(''));
}

/** Starts the simulator. Rejects if the port is taken. */
export async function startOpenAiSimulator(options: OpenAiSimulatorOptions): Promise<OpenAiSimulator> {
  const models = options.models ?? simulatedModels;
  const recorded: RecordedRequest[] = [];
  const closing = new AbortController();
  let modelsAnswer: ModelsAnswer | null = null;
  let isAway = false;

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now();
    const method = incoming.method ?? '';
    const path = new URL(incoming.url ?? '/', 'http://simulator').pathname;
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).flatMap(([name, value]) =>
        name === 'authorization' || value === undefined ? [] : [[name, String(value)]],
      ),
    );
    const body = await readBody(incoming);
    const record = (entry: Pick<RecordedRequest, 'status' | 'step' | 'model' | 'body'>) =>
      recorded.push({ at, method, path, headers, ...entry });
    const refuse = ({ status, error }: Refusal, seen: unknown = null) => {
      record({ status, step: null, model: null, body: seen });
      sendJson(response, status, { error });
    };

    const wrongKey = keyRefusal(incoming.headers.authorization, options.apiKey);
    if (wrongKey !== null) return refuse(wrongKey, body);
    if (body === null) return refuse(refusal(413, 'Request body is too large.', 'request_too_large'));
    if (path === '/v1/responses' && method !== 'POST') {
      return refuse(refusal(405, `Not allowed to ${method} on ${path}.`, 'method_not_supported'), body);
    }
    const asked = /^\/v1\/models\/([^/]+)$/.exec(path)?.[1];
    if (asked !== undefined && method === 'GET') {
      const model = decodeURIComponent(asked);
      if (modelsAnswer !== null) {
        const { status, contentType, text } = modelsAnswer;
        record({ status, step: null, model, body: null });
        response.writeHead(status, { 'content-type': contentType });
        response.end(text);
        return;
      }
      if (!models.includes(model))
        return refuse(refusal(404, `The model '${model}' does not exist`, 'model_not_found', 'model'));
      record({ status: 200, step: null, model, body: null });
      return sendJson(response, 200, {
        id: model,
        object: 'model',
        created: 1_780_000_000,
        owned_by: 'system',
      });
    }
    if (path !== '/v1/responses') return refuse(refusal(404, `Invalid URL (${method} ${path})`, null), body);
    const read = readResponsesRequest(incoming.headers['content-type'], body, models);
    if (read.kind === 'refusal') return refuse(read.refusal, body);

    const { request, json } = read;
    const { step, answer } = nextAnswer(options.script, request.conversation);
    const failure = !request.compaction && answer.last.move === 'fail' ? answer.last : null;
    record({ status: failure?.status ?? 200, step, model: request.model, body: json });
    const latency =
      typeof options.latencyMs === 'function' ? options.latencyMs(step) : (options.latencyMs ?? 0);
    const slowMs = answer.leading.reduce((sum, move) => sum + (move.move === 'slow' ? move.ms : 0), latency);
    if (slowMs > 0) await delay(slowMs, undefined, { signal: closing.signal });
    if (failure === null) sendStream(response, request, request.compaction ? 'compaction' : answer);
    else sendJson(response, failure.status, { error: failure.error });
  }

  // A read or a delay was interrupted by a disconnect or by `close`, so there is nobody to answer.
  const serve = (incoming: IncomingMessage, response: ServerResponse) =>
    void handle(incoming, response).catch(() => response.destroy());
  const server = createServer(onWire(options.wire, serve));
  server.on('connection', (socket) => {
    if (isAway) socket.destroy();
  });
  server.on('upgrade', (incoming, socket) => {
    recorded.push({
      at: Date.now(),
      method: incoming.method ?? '',
      path: new URL(incoming.url ?? '/', 'http://simulator').pathname,
      step: null,
      model: null,
      status: 426,
      headers: {},
      body: null,
    });
    socket.end('HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });

  const port = await listenOnLoopback(server, options.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests: () => [...recorded],
    answerModelsWith: (answer) => {
      modelsAnswer = answer;
    },
    beAway: (away) => {
      isAway = away;
      if (away) server.closeAllConnections();
    },
    close: async () => {
      closing.abort();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
