/** Sends webhooks as GitHub does: signed, ten seconds to answer, no automatic retry. */
import { createHmac, randomUUID } from 'node:crypto';
import type { Delivery, DeliveryAttempt, GithubSimulatorOptions } from './contract.ts';

/** GitHub's deadline for a receiver, in ms. */
const answerDeadlineMs = 10_000;

export interface Prepared {
  readonly event: string;
  readonly action: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface LoggedAttempt {
  readonly delivery: Delivery;
  readonly attempt: DeliveryAttempt;
}

/** Larger than a number of JavaScript can count, as GitHub's ids may be. */
const firstAttemptId = 2n ** 60n;

interface RecordedDelivery extends Delivery {
  readonly attempts: DeliveryAttempt[];
}

export class Webhooks {
  private url: string | null;
  private secret: string;
  private appId: number;
  private readonly hookId: number;
  private readonly answerWithinMs: number;
  private readonly recorded: RecordedDelivery[] = [];
  private readonly log: LoggedAttempt[] = [];
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly closing = new AbortController();
  private isLost: (delivery: Delivery) => boolean = () => false;

  constructor(
    options: GithubSimulatorOptions['webhook'] & { readonly appId: number; readonly hookId: number },
  ) {
    this.url = options.url;
    this.secret = options.secret;
    this.appId = options.appId;
    this.hookId = options.hookId;
    this.answerWithinMs = options.answerWithinMs ?? answerDeadlineMs;
  }

  /** Sends the webhooks of another App. */
  adopt({ appId, url, secret }: { appId: number; url: string | null; secret: string }): void {
    this.appId = appId;
    this.url = url;
    this.secret = secret;
  }

  setUrl(url: string | null): void {
    this.url = url;
  }

  /** These never arrive, as when the network between GitHub and the receiver is down. */
  lose(isLost: (delivery: Delivery) => boolean): void {
    this.isLost = isLost;
  }

  setSecret(secret: string): void {
    this.secret = secret;
  }

  /** The data of `GET /app/hook/config`, which does not reveal the secret. */
  config(): { readonly url: string | null; readonly hasSecret: boolean } {
    return { url: this.url, hasSecret: this.secret !== '' };
  }

  deliveries(): readonly Delivery[] {
    return this.recorded;
  }

  /** Every attempt, newest first. */
  attempts(): readonly LoggedAttempt[] {
    return this.log.toReversed();
  }

  /** Resolves with the delivery after the answer or the failure. Never rejects. */
  async send(event: string, action: string, payload: Readonly<Record<string, unknown>>): Promise<Delivery> {
    const body = JSON.stringify({ action, ...payload });
    const id = randomUUID();
    const sign = (hash: 'sha1' | 'sha256'): string =>
      createHmac(hash, this.secret).update(body).digest('hex');
    const delivery: RecordedDelivery = {
      id,
      event,
      action,
      body,
      headers: {
        'content-type': 'application/json',
        accept: '*/*',
        'user-agent': 'GitHub-Hookshot/5e1f7ab',
        'x-github-delivery': id,
        'x-github-event': event,
        'x-github-hook-id': String(this.hookId),
        'x-github-hook-installation-target-id': String(this.appId),
        'x-github-hook-installation-target-type': 'integration',
        'x-hub-signature': `sha1=${sign('sha1')}`,
        'x-hub-signature-256': `sha256=${sign('sha256')}`,
      },
      attempts: [],
    };
    this.recorded.push(delivery);
    await this.attempt(delivery);
    return delivery;
  }

  /** Sends a webhook, if there is one, without waiting for the answer. */
  post(prepare: () => Promise<Prepared | null>): void {
    const sending = prepare().then(async (prepared) => {
      if (prepared !== null) await this.send(prepared.event, prepared.action, prepared.payload);
    });
    this.underWay.add(sending);
    void sending.finally(() => this.underWay.delete(sending));
  }

  async redeliver(id: string): Promise<DeliveryAttempt> {
    const delivery = this.recorded.find((one) => one.id === id);
    if (delivery === undefined) throw new Error(`no delivery ${id}`);
    return this.attempt(delivery);
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.allSettled(this.underWay);
  }

  private async attempt(delivery: RecordedDelivery): Promise<DeliveryAttempt> {
    const at = Date.now();
    const { url } = this;
    const redelivery = delivery.attempts.length > 0;
    const outcome = await this.deliver(delivery);
    const id = String(firstAttemptId + BigInt(this.log.length));
    const attempt = { id, redelivery, url, at, durationMs: Date.now() - at, ...outcome };
    delivery.attempts.push(attempt);
    this.log.push({ delivery, attempt });
    return attempt;
  }

  private async deliver(delivery: Delivery): Promise<{ status: number | null; error: string | null }> {
    if (this.url === null) return { status: null, error: 'no webhook URL is set' };
    if (this.isLost(delivery)) return { status: null, error: 'the connection timed out' };
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: delivery.headers,
        body: delivery.body,
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(this.answerWithinMs), this.closing.signal]),
      });
      await response.arrayBuffer();
      return { status: response.status, error: null };
    } catch (error) {
      return { status: null, error: error instanceof Error ? error.message : 'unknown' };
    }
  }
}
