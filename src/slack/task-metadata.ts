/**
 * The metadata of a task's post (https://docs.slack.dev/messaging/message-metadata): the task id, by which a
 * post is found again after a lost answer. Any app in the channel can read and forge it, so it is no proof of
 * origin.
 */
import * as z from 'zod';

const eventType = 'airlock_task';
const metadataSchema = z.object({
  event_type: z.literal(eventType),
  event_payload: z.object({ task_id: z.string() }),
});

export function taskMetadata(taskId: string): { event_type: string; event_payload: { task_id: string } } {
  return { event_type: eventType, event_payload: { task_id: taskId } };
}

/** The task id in a message's metadata; null if there is none. */
export function taskIdOfMessage(untrustedMetadata: unknown): string | null {
  return metadataSchema.safeParse(untrustedMetadata).data?.event_payload.task_id ?? null;
}
