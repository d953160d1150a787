/** Builds GitHub's JSON for the delivery log of an App's webhook. */
import { parseJson } from '../../../src/lib/parse-json.ts';
import type { Delivery, DeliveryAttempt } from '../contract.ts';
import type { Json } from './account-document.ts';

/** One attempt, without what was sent and answered. */
export function deliveryDocument(delivery: Delivery, attempt: DeliveryAttempt): Json {
  const { id, at, durationMs, status, redelivery } = attempt;
  return {
    id,
    guid: delivery.id,
    delivered_at: new Date(at).toISOString(),
    redelivery,
    duration: durationMs / 1000,
    status: status === null ? 'failed to connect to host' : status < 300 ? 'OK' : 'Invalid HTTP Response',
    // GitHub reports 0 if there was no answer.
    status_code: status ?? 0,
    event: delivery.event,
    action: delivery.action === '' ? null : delivery.action,
    installation_id: null,
    repository_id: null,
    throttled_at: null,
  };
}

export function wholeDeliveryDocument(delivery: Delivery, attempt: DeliveryAttempt): Json {
  return {
    ...deliveryDocument(delivery, attempt),
    url: attempt.url ?? '',
    request: { headers: delivery.headers, payload: parseJson(delivery.body) },
    response: { headers: {}, payload: null },
  };
}
