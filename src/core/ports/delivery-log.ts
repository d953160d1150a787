/** GitHub's log of the webhooks that it sent, or could not send, for the App. It keeps three days. */

/** One attempt at sending an event. A redelivery is another attempt with the same GUID. */
export interface DeliveryAttempt {
  /** A 64-bit integer in decimal digits. */
  readonly id: string;
  readonly guid: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** With its action, such as `issue_comment.created`. */
  readonly event: string;
  /** Of the receiver's answer; 0: there was none. */
  readonly status: number;
}

export interface DeliveryPage {
  /** Newest first. */
  readonly attempts: readonly DeliveryAttempt[];
  /** Cursor of the page with older attempts; null: this is the last one. */
  readonly next: string | null;
  /** For a conditional request; null: GitHub named none. */
  readonly etag: string | null;
  /** The App's requests per hour, as GitHub says; null: there is no limit. */
  readonly perHour: number | null;
}

export interface Delivery {
  /** Without its action. */
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Each call has a deadline and rejects with an `UpstreamError`. */
export interface DeliveryLog {
  /** `cursor`: null for the newest page. `etag`: `unchanged` if the page is still the one with this tag. */
  page(at: {
    readonly cursor: string | null;
    readonly etag: string | null;
  }): Promise<DeliveryPage | 'unchanged'>;
  /** null: GitHub does not have it any more. */
  delivery(id: string): Promise<Delivery | null>;
  /** Where the App's webhooks are sent; null: nowhere. */
  webhookUrl(): Promise<string | null>;
}
