/** Refusals in GitHub's words, also of what the simulator lacks (limits), for `failNext`. */
import type { Fault } from './contract.ts';

type Refusal = Pick<Fault, 'status' | 'message' | 'errors' | 'headers'>;

/** GitHub asks to wait for `seconds`. */
export const secondaryLimit = (seconds: number): Refusal => ({
  status: 403,
  message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
  headers: { 'retry-after': String(seconds) },
});

export const refusals = {
  suspended: { status: 403, message: 'This installation has been suspended' },
  archived: { status: 403, message: 'Repository was archived so is read-only.' },
  locked: { status: 403, message: 'Unable to create comment because issue is locked.' },
  interactionLimit: {
    status: 403,
    message: 'Interactions on this repository have been restricted to collaborators only.',
  },
  issueDeleted: { status: 410, message: 'This issue was deleted' },
  noPullRequests: { status: 404, message: 'Not Found' },
} as const satisfies Record<string, Refusal>;
