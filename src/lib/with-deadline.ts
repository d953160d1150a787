/** Limits how long an await takes. */

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Rejects with `DeadlineError` after `ms` milliseconds. The work itself continues, so it has to tolerate a
 * second attempt at the same time.
 */
export async function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
