/** By which a post is found again after a lost answer. Any app can forge it: no proof. */
import * as z from 'zod';

const eventType = 'airlock_task';
const metadataSchema = z.object({
  event_type: z.literal(eventType),
  event_payload: z.object({ task_id: z.string(), end: z.string().optional() }),
});
/** `end`: the kind of the outcome that the message shows; null for a message that will be edited. */
export function taskMetadata(
  taskId: string,
  end: string | null,
): { event_type: string; event_payload: Record<string, string> } {
  return { event_type: eventType, event_payload: { task_id: taskId, ...(end === null ? {} : { end }) } };
}

/** The task id in a message's metadata, and the end that it shows; null if there is none. */
export function taskOfMessage(
  untrustedMetadata: unknown,
): z.infer<typeof metadataSchema>['event_payload'] | null {
  return metadataSchema.safeParse(untrustedMetadata).data?.event_payload ?? null;
}
