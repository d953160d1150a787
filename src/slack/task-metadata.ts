/**
 * What a task's message carries for programs (https://docs.slack.dev/messaging/message-metadata): the task's id, by which a message
 * whose post was never answered is found again. Any app in the channel can read it, and write one like it: it names, it proves nothing.
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

/** The task that a message says it shows; null for any other. */
export function ourMessage(untrustedMetadata: unknown): string | null {
  return metadataSchema.safeParse(untrustedMetadata).data?.event_payload.task_id ?? null;
}
