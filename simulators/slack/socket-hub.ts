/** The server side of Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Delivery } from './contract-views.ts';
import { isJson, parseJsonObject, textOf, type Json } from './json-values.ts';

/** Keeps connections alive: Bolt's client drops one that receives no ping for 30 s. */
const pingIntervalMs = 10_000;

const envelopeTypes: Readonly<Record<Exclude<Delivery['kind'], 'raw'>, string>> = {
  command: 'slash_commands',
  event: 'events_api',
  interaction: 'interactive',
  options: 'interactive',
};

export type Acknowledgement = { readonly payload: string } | { readonly error: string };

export class SocketHub {
  private readonly appId: string;
  private readonly tickets = new Set<string>();
  private readonly server = new WebSocketServer({ noServer: true });
  private readonly waiting = new Map<
    string,
    { readonly client: WebSocket; readonly done: (answer: Acknowledgement) => void }
  >();
  private readonly pings: NodeJS.Timeout;
  private next = 0;

  constructor(appId: string) {
    this.appId = appId;
    this.pings = setInterval(() => {
      for (const client of this.server.clients) client.ping();
    }, pingIntervalMs).unref();
  }

  /** The path and query of the single-use address that `apps.connections.open` returns. */
  ticket(): string {
    const ticket = randomBytes(16).toString('hex');
    this.tickets.add(ticket);
    return `/link/?ticket=${ticket}&app_id=${this.appId}`;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://simulator');
    if (url.pathname !== '/link/' || !this.tickets.delete(url.searchParams.get('ticket') ?? '')) {
      socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.server.handleUpgrade(request, socket, head, (client) => this.greet(client));
  }

  connections(): number {
    return this.open().length;
  }

  /** To one of the open connections. Resolves with the acknowledgement or an error code. */
  send(
    kind: Delivery['kind'],
    payload: Json,
    retry: { readonly retryNum: number; readonly reason: string } | null,
    deadlineMs: number,
  ): Promise<Acknowledgement> {
    const clients = this.open();
    const client = clients[this.next % Math.max(clients.length, 1)];
    this.next += 1;
    if (client === undefined || kind === 'raw') return Promise.resolve({ error: 'no socket is open' });
    const id = randomUUID();
    return new Promise((resolve) => {
      const done = (answer: Acknowledgement): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => done({ error: 'operation_timeout' }), deadlineMs);
      this.waiting.set(id, { client, done });
      client.send(
        JSON.stringify({
          envelope_id: id,
          payload,
          type: envelopeTypes[kind],
          accepts_response_payload: kind !== 'event',
          ...(kind === 'event'
            ? { retry_attempt: retry?.retryNum ?? 0, retry_reason: retry?.reason ?? '' }
            : {}),
        }),
      );
    });
  }

  disconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled'): void {
    for (const client of this.open())
      client.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'simulated' } }));
  }

  drop(): void {
    for (const client of this.server.clients) client.terminate();
  }

  close(): void {
    clearInterval(this.pings);
    this.drop();
    this.server.close();
  }

  private open(): readonly WebSocket[] {
    return [...this.server.clients].filter(({ readyState, OPEN }) => readyState === OPEN);
  }

  private greet(client: WebSocket): void {
    client.on('error', () => client.terminate());
    client.on('close', () => {
      for (const one of this.waiting.values())
        if (one.client === client) one.done({ error: 'connection_failed' });
    });
    client.on('message', (data, isBinary) => {
      const message = isBinary || !Buffer.isBuffer(data) ? null : parseJsonObject(data.toString('utf8'));
      if (message === null) return;
      const { payload } = message;
      // Bolt's client sends an empty object for a bare acknowledgement.
      const empty = !isJson(payload) || Object.keys(payload).length === 0;
      this.waiting
        .get(textOf(message['envelope_id']))
        ?.done({ payload: empty ? '' : JSON.stringify(payload) });
    });
    client.send(
      JSON.stringify({
        type: 'hello',
        num_connections: this.connections(),
        debug_info: { host: 'simulated', build_number: 1, approximate_connection_time: 18_060 },
        connection_info: { app_id: this.appId },
      }),
    );
  }
}
