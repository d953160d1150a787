/** Bounds what a person in Slack waits for. Slack gives up after 3 s (https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response). */

/** Milliseconds until the receiver answers for a listener that has not: 200 for the way to Slack and back. */
export const ackDeadlineMs = 2800;
/** Milliseconds for what a listener decides and does; the rest is for saying so. */
export const workDeadlineMs = 2500;
/** Milliseconds for one call of the Web API out of a listener. */
export const callDeadlineMs = 2000;

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** The work itself is not stopped: what is behind it has to bear a second attempt beside it. */
export async function withinDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`not done within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer ?? undefined);
  }
}
