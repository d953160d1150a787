/**
 * Slots for sandboxes, for tasks. Deadlines and idempotence as in `code-host.ts`; `admission.ts` decides who
 * is next.
 */
import type { SlotClaim } from '../admission.ts';

export type SlotAnswer =
  | { readonly granted: true }
  /** `place`: 1 is next. A guess, see `queueOrder`. */
  | { readonly granted: false; readonly place: number };

export interface Slots {
  /**
   * Asks for a slot. Until it is granted the task waits in the queue; then its Workflow is woken. A granted
   * slot stays granted until it is released.
   */
  request(claim: SlotClaim): Promise<SlotAnswer>;
  /** Releases the slot, or the place in the queue. Does nothing for a task that has neither. */
  release(taskId: string): Promise<void>;
}
