/** Builds GitHub's JSON for the delivery log of an App's webhook: one document per attempt, oldest first. */
import type { Delivery } from '../contract.ts';
import type { Json } from './account-document.ts';

export function deliveryDocuments(delivery: Delivery): Json[] {
  return delivery.attempts.map(({ at, durationMs, status }, index) => ({
    // Unique and ascending, without a counter.
    id: at * 1000 + index,
    guid: delivery.id,
    delivered_at: new Date(at).toISOString(),
    redelivery: index > 0,
    duration: durationMs / 1000,
    status: status === null ? 'failed to connect to host' : status < 300 ? 'OK' : 'Invalid HTTP Response',
    // GitHub reports 0 if there was no answer.
    status_code: status ?? 0,
    event: delivery.event,
    action: delivery.action === '' ? null : delivery.action,
    installation_id: null,
    repository_id: null,
    throttled_at: null,
  }));
}
