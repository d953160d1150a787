/** Sends signed requests as Slack does, over HTTP or the socket. Retries only on request. */
import { createHmac } from 'node:crypto';
import type { Answer, Delivery, DeliveryAttempt } from './contract-views.ts';
import type { Json } from './json-values.ts';
import type { SocketHub } from './socket-hub.ts';

/** docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response, also for events. */
const answerDeadlineMs = 3_000;

export interface Outgoing {
  readonly kind: Delivery['kind'];
  readonly name: string;
  readonly payload: Json;
}

export interface Retry {
  readonly retryNum: number;
  readonly reason: string;
}

interface RecordedDelivery extends Delivery {
  readonly payload: Json;
  readonly attempts: DeliveryAttempt[];
}

type Outcome = Pick<Answer, 'status' | 'body' | 'error'>;

export class Deliveries {
  requestUrl: string | null;
  private readonly signingSecret: string;
  /** null if the simulator delivers over HTTP. */
  private readonly socket: SocketHub | null;
  private readonly recorded: RecordedDelivery[] = [];
  private readonly pending = new Set<Promise<unknown>>();
  private readonly closing = new AbortController();

  constructor(options: { requestUrl: string | null; signingSecret: string; socket: SocketHub | null }) {
    this.requestUrl = options.requestUrl;
    this.signingSecret = options.signingSecret;
    this.socket = options.socket;
  }

  all(): readonly Delivery[] {
    return [...this.recorded];
  }

  /** Resolves with the app's answer or the reason why there is none. Never rejects. */
  send(outgoing: Outgoing): Promise<Answer> {
    return this.attempt(this.record(outgoing.kind, outgoing.name, outgoing.payload, encode(outgoing)), null);
  }

  /** Delivers an event that the app caused itself, without waiting for the answer. */
  sendInBackground(outgoing: Outgoing): void {
    const sending = this.send(outgoing);
    this.pending.add(sending);
    void sending.finally(() => this.pending.delete(sending));
  }

  async redeliver(delivery: Delivery, retry: Retry): Promise<Answer> {
    const known = this.recorded.find(({ id }) => id === delivery.id);
    if (known === undefined) throw new Error(`there is no delivery ${delivery.id}`);
    return await this.attempt(known, retry);
  }

  async sendRaw(body: string | Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
    const delivery = this.record(
      'raw',
      'raw',
      {},
      { body: text, contentType: headers['content-type'] ?? '' },
    );
    return await this.timed(delivery, 0, () => this.post(body, headers));
  }

  /** https://docs.slack.dev/authentication/verifying-requests-from-slack */
  sign(
    body: string | Uint8Array,
    changes: { readonly at?: number; readonly secret?: string; readonly contentType?: string } = {},
  ): Record<string, string> {
    const at = changes.at ?? Math.floor(Date.now() / 1000);
    const hash = createHmac('sha256', changes.secret ?? this.signingSecret)
      .update(`v0:${at}:`)
      .update(body)
      .digest('hex');
    return {
      'content-type': changes.contentType ?? 'application/x-www-form-urlencoded',
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': String(at),
      'x-slack-signature': `v0=${hash}`,
    };
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.allSettled(this.pending);
  }

  private record(
    kind: Delivery['kind'],
    name: string,
    payload: Json,
    encoded: { readonly body: string; readonly contentType: string },
  ): RecordedDelivery {
    const recorded = { id: this.recorded.length + 1, kind, name, payload, ...encoded, attempts: [] };
    this.recorded.push(recorded);
    return recorded;
  }

  private attempt(delivery: RecordedDelivery, retry: Retry | null): Promise<Answer> {
    const { socket } = this;
    if (socket !== null && delivery.kind !== 'raw')
      return this.timed(delivery, retry?.retryNum ?? 0, async () => {
        const answer = await socket.send(delivery.kind, delivery.payload, retry, answerDeadlineMs);
        if ('error' in answer) return { status: null, body: '', error: answer.error };
        return { status: 200, body: answer.payload, error: null };
      });
    const headers = this.sign(delivery.body, { contentType: delivery.contentType });
    if (retry !== null) {
      headers['x-slack-retry-num'] = String(retry.retryNum);
      headers['x-slack-retry-reason'] = retry.reason;
    }
    return this.timed(delivery, retry?.retryNum ?? 0, () => this.post(delivery.body, headers));
  }

  private async timed(
    delivery: RecordedDelivery,
    retryNum: number,
    send: () => Promise<Outcome>,
  ): Promise<Answer> {
    const at = Date.now();
    const start = performance.now();
    const { status, body, error } = await send();
    const ms = performance.now() - start;
    delivery.attempts.push({ at, retryNum, status, error, ms });
    return { delivery, status, body, error, ms };
  }

  private async post(body: string | Uint8Array, headers: Readonly<Record<string, string>>): Promise<Outcome> {
    if (this.requestUrl === null) return { status: null, body: '', error: 'no request URL is set' };
    const deadline = AbortSignal.timeout(answerDeadlineMs);
    try {
      const response = await fetch(this.requestUrl, {
        method: 'POST',
        headers: { accept: 'application/json,*/*', ...headers },
        body: typeof body === 'string' ? body : new Uint8Array(body),
        redirect: 'manual',
        signal: AbortSignal.any([deadline, this.closing.signal]),
      });
      return { status: response.status, body: await response.text(), error: null };
    } catch (error) {
      return { status: null, body: '', error: deadline.aborted ? 'operation_timeout' : networkError(error) };
    }
  }
}

function networkError(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error instanceof Error ? error.message : 'unknown';
}

/** Encodes a command as a form, an interaction as a form with one JSON field, and an event as JSON. */
function encode({ kind, payload }: Outgoing): { readonly body: string; readonly contentType: string } {
  if (kind === 'event') return { body: JSON.stringify(payload), contentType: 'application/json' };
  const form = new URLSearchParams();
  if (kind === 'command') for (const [name, value] of Object.entries(payload)) form.set(name, String(value));
  else form.set('payload', JSON.stringify(payload));
  return { body: form.toString(), contentType: 'application/x-www-form-urlencoded' };
}
