/** Slots for sandboxes, for tasks; `admission.ts` decides who is next. Deadlines as in `code-host.ts`. */
import type { SlotClaim } from '../admission.ts';

export type SlotAnswer =
  | { readonly granted: true }
  /** `place`: 1 is next. A guess, see `queueOrder`. */
  | { readonly granted: false; readonly place: number };

export interface Slots {
  /** Until a slot is granted the task waits; then its Workflow is woken. Granted until released. */
  request(claim: SlotClaim): Promise<SlotAnswer>;
  /** Releases the slot, or the place in the queue. Does nothing for a task that has neither. */
  release(taskId: string): Promise<void>;
}
