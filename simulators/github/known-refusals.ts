/** Refusals in GitHub's words, also of what the simulator lacks (limits, rulesets), for `failNext`. */
import type { Fault } from './contract.ts';

type Refusal = Pick<Fault, 'status' | 'message' | 'errors' | 'headers'>;

/** GitHub asks to wait for `seconds`. */
export const secondaryLimit = (seconds: number): Refusal => ({
  status: 403,
  message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
  headers: { 'retry-after': String(seconds) },
});

const rule = (words: string): string => `Repository rule violations found\n\n${words}\n\n`;

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
  creationRestricted: {
    status: 422,
    message: 'Validation Failed',
    errors: [
      {
        resource: 'Reference',
        code: 'custom',
        message: rule('Cannot create ref due to creations being restricted.'),
      },
    ],
  },
  signaturesRequired: { status: 422, message: rule('Commits must have verified signatures.') },
} as const satisfies Record<string, Refusal>;
